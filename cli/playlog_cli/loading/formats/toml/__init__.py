"""Read a log format from its TOML file. `parse` is the way in.

Who may import this package: `loading`.
What it may import: `errors`, `time_zones`, `playlog`, and the rest of `loading`.
"""

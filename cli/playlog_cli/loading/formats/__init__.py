"""Log formats: how a station's file reads. A TOML file says where each attribute of a match comes from.

`model` has a format as values, `toml` reads it from its file, and `shipped` holds the formats that come with playlog.
`choice` finds the format that a user names, and `reading` reads a file by it.

Who may import this package: `loading`, `commands`.
What it may import: `errors`, `time_zones`, `playlog`, and `loading.files`.
"""

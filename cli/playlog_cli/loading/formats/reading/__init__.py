"""Read a file by a log format. `rows` is the way in: it turns the cells of a row into the attributes of a match.

Who may import this package: `loading`.
What it may import: `errors`, `playlog`, and the rest of `loading`.
"""

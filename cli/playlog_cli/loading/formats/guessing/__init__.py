"""Draft a log format from a file. `draft` is the way in. What the file does not tell stays a question in the draft.

Who may import this package: `loading`, `commands`.
What it may import: `errors`, `terminal`, `playlog`, and the rest of `loading`.
"""

"""Plays for the people who look after them: a station's day with its matches, a track's plays, and edits by a person.

Who may import this package: `commands`, `web`.
What it may import: `playlog`, `failures.records`, `auditing.items`, `stacks`, `errors`. It knows nothing of terminals.
"""

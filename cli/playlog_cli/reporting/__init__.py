"""Plays out: adds up plays, applies a rate card, and writes the result as a table, CSV, JSON or a page.

Who may import this package: `commands`.
What it may import: `stacks`, `time_zones`, `errors`, `terminal`, `playlog`.
"""

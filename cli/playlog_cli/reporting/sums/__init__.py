"""Plays added up by SQL, which DuckDB and Athena both understand.

Who may import this package: `reporting`, `commands`, `statements`.
What it may import: `exporting`, `reporting`, `stacks`, `errors`, `playlog`.
"""

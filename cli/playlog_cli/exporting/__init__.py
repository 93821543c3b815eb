"""Exports: the three tables as Parquet files with a manifest, written, opened and queried with DuckDB.

Who may import this package: `commands`, `reporting`, `auditing`, `catalog`, `statements`.
What it may import: `stacks`, `errors`, `terminal`, `playlog`.
"""

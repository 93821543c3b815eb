"""A deployed stack: finds it, names its tables and functions, reads its queues and runs, and invokes it.

Who may import this package: every other room of `playlog_cli`.
What it may import: `errors`, `terminal`, `playlog`.
"""

"""A deployed stack: find it, read its tables, count its queues, and see where its matches and runs stand.

Who may import this package: every package of `playlog_cli` except `embedded` and `wiring`.
What it may import: `playlog`, `embedded.session` (for the stack of `playlog local up`), `terminal`, `errors`.
"""

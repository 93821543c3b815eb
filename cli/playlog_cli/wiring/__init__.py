"""Checks the built template: each schedule, queue, handler, variable and permission leads to something that exists.

Who may import this package: `commands`, `embedded`.
What it may import: `errors`, `terminal`, `playlog`.
"""

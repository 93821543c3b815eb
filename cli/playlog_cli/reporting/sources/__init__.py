"""Where plays are read from: the tables of a stack, or an export of them.

Who may import this package: `reporting`, `commands`, `layouts`, `statements`.
What it may import: `exporting`, `reporting`, `stacks`, `errors`, `playlog`.
"""

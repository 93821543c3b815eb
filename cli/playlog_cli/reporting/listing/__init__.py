"""The plays of a period, one by one: read, sorted on the disk, and written in several forms.

Who may import this package: `reporting`, `commands`, `layouts`, `statements`.
What it may import: `reporting`, `catalog`, `tabular`, `stacks`, `errors`, `terminal`, `playlog`.
"""

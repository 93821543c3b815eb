"""The invariants, checked on data: which match or play contradicts docs/contract.md, and what may be repaired.

Who may import this package: `commands`, `web`, `failures`, `plays`.
What it may import: `exporting`, `stacks`, `errors`, `terminal`, `playlog`.
"""

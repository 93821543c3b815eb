"""Athena over an export in S3: its workgroup, its tables, what a statement costs, and how answers are read.

Who may import this package: `reporting`, `auditing`, `commands`.
What it may import: `exporting`, `stacks`, `errors`, `playlog`.
"""

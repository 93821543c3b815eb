"""Statements: what each payee gets for the plays of a period, and what later corrections change.

Who may import this package: `commands`.
What it may import: `catalog`, `reporting`, `tabular`, `exporting`, `stacks`, `time_zones`, `lookalikes`, `errors`,
`terminal`, `playlog`.
"""

"""Plays out: lists plays, adds them up, applies a rate card, and writes the result in several forms.

Who may import this package: `commands`, `web`, `layouts`, `statements`.
What it may import: `catalog`, `exporting`, `tabular`, `stacks`, `time_zones`, `lookalikes`, `errors`,
`terminal`, `playlog`.
"""

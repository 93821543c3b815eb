"""Files in: reads rows of CSV and JSON, turns them into matches, and puts them into MatchCache.

Who may import this package: `commands`, `demo`, `catalog`, `tabular`, `layouts`, `failures`.
What it may import: `stacks`, `errors`, `signals`, `terminal`, `time_zones`, `playlog`.
"""

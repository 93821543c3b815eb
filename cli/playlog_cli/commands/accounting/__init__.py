"""Commands for those who pay: catalogs, layouts of societies, and statements.

Who may import this package: `app`, `commands`.
What it may import: what `commands` may import.
"""

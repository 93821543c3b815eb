"""`make run`: the sample day in an embedded AWS, from nothing to plays, and what became of each match.

Who may import this package: `commands`.
What it may import: `embedded`, `loading`, `stacks`, `terminal`, `errors`.
"""

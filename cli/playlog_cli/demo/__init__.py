"""`make run` and `make invoke`: the sample day in an embedded AWS, converted, or handed to one function in a container.

Who may import this package: `commands`.
What it may import: `embedded`, `loading`, `stacks`, `terminal`, `errors`.
"""

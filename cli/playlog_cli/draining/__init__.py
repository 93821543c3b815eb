"""Empties a large backlog: several runs at a time, each over its own shards.

Who may import this package: `commands`.
What it may import: `stacks`, `errors`, and the words of `terminal`.
"""

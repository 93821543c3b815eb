"""Inspects a deployed stack: what AWS says about its functions, schedules, queue mappings and runs, and what is wrong.

Who may import this package: `commands`, `web`.
What it may import: `playlog`, `stacks`, `schedules`, `errors`, and the words of `terminal`.
"""

"""The embedded AWS on this machine: starts and stops MiniStack, deploys the template into it, and runs the demo.

Who may import this package: `commands`.
What it may import: `loading`, `stacks`, `wiring`, `errors`, `terminal`, `playlog`.
"""

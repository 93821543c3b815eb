"""The built template: whole layers, wired functions, the release's name, and why a deployment was refused.

Who may import this package: `commands`, `embedded`.
What it may import: `errors`, `playlog`.
"""

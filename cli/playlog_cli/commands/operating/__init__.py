"""Commands for who runs a stack: the embedded AWS, runs, their state, and what failed. One module per command.

A command module parses its options, makes one call, and shows the answer.

Who may import this package: `app`.
What it may import: everything in `playlog_cli` below the commands, and `commands.options`.
"""

"""What a user can type after `playlog`. One module per command: it parses options, makes one call, shows the answer.

Who may import this package: `app`.
What it may import: every other package of `playlog_cli`, `playlog`, and `terminal` and `errors`.
"""

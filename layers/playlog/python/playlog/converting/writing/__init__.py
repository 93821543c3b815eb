"""How airings are written: planned, packed into transactions, and sent. `writer` is the way in.

Who may import this package: `converting`, and the command line's loading of history.
What it may import: `dynamodb`, `runtime`, `domain`, `schema`.
"""

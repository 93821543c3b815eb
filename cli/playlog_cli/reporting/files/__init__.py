"""Files of a command: those that it reads, with their hashes, and those that it writes whole, with a manifest each.

Who may import this package: `reporting`, `commands`, `layouts`, `statements`.
What it may import: `exporting.places`, `reporting`, `errors`, `terminal`.
"""

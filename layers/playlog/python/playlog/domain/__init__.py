"""What matches, airings, plays and failures are, and the rules about them: validation, grouping, duplicates, shards.

Pure: no AWS, no network, no clock and no environment. A rule about money lives here.

Who may import this package: every other room of `playlog`, and the command line.
What it may import: `schema`, and the standard library.
"""

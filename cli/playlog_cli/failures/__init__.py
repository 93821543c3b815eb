"""Failed conversions: find them, show one, retry and correct matches, and the parking lot of dead letters.

Who may import this package: `commands`, `web`, `plays`, `overview`.
What it may import: `playlog`, `auditing.items`, `loading.isrc`, `loading.track_ids`, `stacks`, `errors`. It knows
nothing of terminals.
"""

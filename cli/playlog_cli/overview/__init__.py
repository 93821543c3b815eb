"""What an operator looks at every day: the backlog, the alarms, failures over time, and plays per hour and station.

Who may import this package: `web`.
What it may import: `playlog`, `failures.records`, `failures.counting`, `stacks`. It knows nothing of terminals.
"""

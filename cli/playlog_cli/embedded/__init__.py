"""The embedded AWS: MiniStack on a loopback port, with the stack of this checkout deployed into it.

Who may import this package: `stacks`, `demo`, `commands`, and the tests and measurements of the repository.
What it may import: `wiring`, `schedules`, `errors`, filelock, psutil. It knows nothing of terminals.
"""

"""The `playlog` command: what operators run on their own machine. Never shipped to Lambda.

Rooms, from the bottom up: `errors` and `terminal`, then one room for each kind of work, then `commands`, then `app`.
Imports point downwards. Every room may import the layer's package, `playlog`.
"""

"""Converts the matches of a broadcast monitor into plays. Shipped to Lambda as a layer.

Rooms, from the bottom up: `domain`, `runtime`, `dynamodb`, then `converting` and `failures`. Imports point downwards.
The handlers in functions/ call `converting.run` and `failures.recording`. The command line may import every room.
"""

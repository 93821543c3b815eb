"""The `playlog` command: what operators run on their own machine. Never shipped to Lambda."""

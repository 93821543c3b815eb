"""What a page of `playlog web` costs with many failures: our own time, AWS's calls, and the items that they read."""

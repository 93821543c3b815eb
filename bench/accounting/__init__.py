"""Measures lists of plays and statements, on made-up plays and without AWS: `python -m bench.accounting`."""

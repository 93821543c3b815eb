"""The invariants, checked in any order of loads, runs, failures, retries, crashes and repeats."""

"""The law, held against any order of loads, runs, failures, retries, crashes and repeats."""

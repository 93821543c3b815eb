"""Turns the matches of a broadcast monitor into play logs."""

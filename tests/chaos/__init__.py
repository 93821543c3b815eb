"""Faults between the code and AWS, and proof that the invariants hold under them."""

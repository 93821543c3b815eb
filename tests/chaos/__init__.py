"""Faults between the code and AWS, and proof that the law holds under them."""

"""``make bench``: what a match costs, in requests, capacity units, CPU, memory and time, beside a floor."""

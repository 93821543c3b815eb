"""ACRCloud's broadcast monitoring: from its results to rows of matches. Pure.

`detections` reads a result, and `streams` puts the results of a stream in relation to each other.

Who may import this package: `loading`, `commands`.
What it may import: `errors`, and the rest of `loading`.
"""

"""From files to rows: unpack, decode, and read CSV and JSON. `rows` is the way in.

Who may import this package: `loading`.
What it may import: `errors`, `playlog.schema`. It knows nothing of matches' rules or of AWS.
"""

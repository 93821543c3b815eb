"""The path of a match from waiting to played: read, validate, group, pack, write. `run` is the way in.

A match that cannot be converted leaves this room as a dead letter, by `failures.sending`.

Who may import this package: functions/convert_matches, and the command line.
What it may import: `failures`, `dynamodb`, `runtime`, `domain`, `schema`; `aws_lambda_powertools`, `botocore`.
"""

"""How playlog speaks to DynamoDB: the client, request signing, size limits, and the tables as classes.

It knows how a request is sent, and not what a match or a play is.

Who may import this package: `converting`, `failures`, and the command line.
What it may import: `domain`, `runtime`, `schema`; `boto3`, `botocore`, `pynamodb`.
"""

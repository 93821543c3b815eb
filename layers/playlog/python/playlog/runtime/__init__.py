"""What a function needs to run, whatever it does: settings from the environment, the retry budget, logs and metrics.

Who may import this package: `dynamodb`, `checking`, `converting`, `failures`, functions/, and the command line.
What it may import: `domain`, `schema`; `aws_lambda_powertools`, `botocore`.
"""

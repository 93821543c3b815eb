"""The path of a failure: the dead letter, sending it to the queue, and recording it together with the match's state.

Who may import this package: `converting`, functions/store_failures, and the command line.
What it may import: `dynamodb`, `runtime`, `domain`, `schema`; `aws_lambda_powertools`, `boto3`, `botocore`, `pynamodb`.
"""

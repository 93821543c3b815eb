"""DynamoDB's own export to S3: asked for, waited for, and merged into an earlier export.

Who may import this package: `exporting`, `commands`.
What it may import: `exporting`, `stacks`, `errors`, `playlog`.
"""

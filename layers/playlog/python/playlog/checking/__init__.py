"""What `{"check": true}` verifies: settings, code, and each permission and resource of a real invocation.

Nothing is changed: a write has a condition that cannot hold, and a message has a character that no queue accepts.

Who may import this package: functions/, and the command line.
What it may import: `runtime`; `botocore`.
"""

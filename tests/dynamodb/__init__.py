"""What playlog relies on in DynamoDB, asked of DynamoDB Local, AWS's own engine, and of those that stand in for it."""

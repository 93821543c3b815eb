"""Which stations have plays."""

from typing import Any

from playlog.domain.match import Item

from playlog_cli.stacks.stack import Stack

# The greatest sort key: a scan that continues after it begins with the next station. 1,024 bytes, as many as a sort key
# may have. Source: AWS Database Blog, "Generate a distinct set of partition keys for an Amazon DynamoDB table
# efficiently" (https://aws.amazon.com/blogs/database/generate-a-distinct-set-of-partition-keys-for-an-amazon-dynamodb-table-efficiently/).
_LAST = "\U0010ffff" * 256


def stations_of(stack: Stack, most: int) -> list[str]:
    """The stations that have plays, in order of their ids: one request each, whatever the number of plays.

    Args:
        stack: where.
        most: how many stations are read. If as many are returned, there may be more.
    """
    found: set[str] = set()
    request: dict[str, Any] = {"TableName": stack.play_log_table, "Limit": 1, "ProjectionExpression": "station_id"}
    while len(found) < most:
        answer: Any = stack.dynamodb.scan(**request)
        items: list[Item] = answer["Items"]
        if not items or items[0]["station_id"]["S"] in found:
            break
        station_id = items[0]["station_id"]["S"]
        found.add(station_id)
        request["ExclusiveStartKey"] = {"station_id": {"S": station_id}, "play_id": {"S": _LAST}}
    return sorted(found)

"""read: the matches that wait in one shard, page by page, oldest first."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from playlog.domain.match import Item
from playlog.dynamodb.client import Client
from playlog.runtime.retry import Retry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "unprocessed-index"


def read_pages(
    dynamodb: "DynamoDBClient", table: str, shard: str, page_size: int, retry: Retry
) -> Iterator[list[Item]]:
    """Goes once through a shard of the index of unprocessed matches.

    The cursor moves on whatever becomes of a page's matches, so those that fail again hold up none behind them. The
    index lags behind the table: a page may hold matches that no longer wait, or a match that an earlier page held.

    Args:
        dynamodb: client.
        table: name of the MatchCache table.
        shard: which partition, ``"0"`` to ``"UnprocessedShards - 1"``.
        page_size: matches per page, 1 to 100. A page is shorter where its matches reach 1 MB.
        retry: the run's patience.

    Yields:
        The items of each page; none is empty but where the shard is.

    Raises:
        UnavailableError: the index did not answer within the run's time.
    """
    client = Client(dynamodb)
    cursor: dict[str, Any] = {}
    while True:
        answer = retry.call(
            client.query,
            f"index {INDEX} of table {table}",
            TableName=table,
            IndexName=INDEX,
            KeyConditionExpression="unprocessed_shard = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
            Limit=page_size,
            **cursor,
        )
        # Keyed by id: no item may stand in a transaction twice.
        page: dict[str, Any] = {item["match_id"]["S"]: item for item in answer["Items"]}
        yield list(page.values())
        if "LastEvaluatedKey" not in answer:
            return
        cursor = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

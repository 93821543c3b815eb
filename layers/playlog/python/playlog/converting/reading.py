"""Read: the waiting matches of one shard, page by page, the oldest first."""

from collections.abc import Iterator
from typing import Any

from playlog.domain.match import Item
from playlog.dynamodb.client import Client
from playlog.runtime.retry import Retry

INDEX = "unprocessed-index"


def read_pages(dynamodb: Client, table: str, shard: str, page_size: int, retry: Retry) -> Iterator[list[Item]]:
    """Goes once through a shard of the index of unprocessed matches.

    The cursor moves on whatever becomes of a page's matches, so that failing matches never block the ones behind them.
    The index lags behind the table: a page may hold matches that no longer wait, or that an earlier page held.

    Args:
        dynamodb: client.
        table: name of the MatchCache table.
        shard: which partition, ``"0"`` to ``"UnprocessedShards - 1"``.
        page_size: matches per page, 1 to 100. A page is shorter where its matches reach 1 MB.
        retry: the run's retry budget.

    Yields:
        The items of each page. A page is empty only if the shard is.

    Raises:
        UnavailableError: the index did not answer within the retry budget.
    """
    cursor: dict[str, Any] = {}
    while True:
        answer = retry.call(
            dynamodb.query,
            f"index {INDEX} of table {table}",
            TableName=table,
            IndexName=INDEX,
            KeyConditionExpression="unprocessed_shard = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
            Limit=page_size,
            **cursor,
        )
        # Keyed by id: DynamoDB refuses a transaction that names an item twice.
        page: dict[str, Any] = {item["match_id"]["S"]: item for item in answer["Items"]}
        yield list(page.values())
        if "LastEvaluatedKey" not in answer:
            return
        cursor = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

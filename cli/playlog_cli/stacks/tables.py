"""Strongly consistent reads of whole tables, of partitions, and of many items by their keys."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from playlog.domain.match import Item
from playlog.dynamodb.limits import PARTITION_KEY_BYTES, text_bytes

from playlog_cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Thing = TypeVar("Thing")

SEGMENTS = 8  # read at the same time; parsing their pages keeps one CPU busy
KEYS_PER_READ = 100  # quota of BatchGetItem
READ_TRIES = 8
FIRST_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Span:
    """A range of texts, from ``first`` to ``last``, both included, that an attribute must be in."""

    attribute: str
    first: str
    last: str


def scan(
    dynamodb: "DynamoDBClient", table: str, attributes: Sequence[str] | None = None, within: Span | None = None
) -> Iterator[list[Item]]:
    """Reads a whole table, several segments at a time.

    A page has each item that exists from the first request to the last, as it was at some moment in between: a scan is
    not a snapshot. At most one page of 1 MB per segment is held in memory.

    Args:
        dynamodb: client.
        table: name of the table.
        attributes: names of the attributes to read; None for all.
        within: which items to return; None for all. DynamoDB reads, and bills, the others too.

    Yields:
        Pages, in no order.
    """
    what = _wanted(attributes, within)

    def page(segment: int, cursor: dict[str, Any]) -> tuple[int, Any]:
        answer = dynamodb.scan(
            TableName=table,
            ConsistentRead=True,
            Segment=segment,
            TotalSegments=SEGMENTS,
            **what,
            **cursor,
        )
        return segment, answer

    with ThreadPoolExecutor(SEGMENTS) as pool:
        pending: set[Future[tuple[int, Any]]] = {pool.submit(page, segment, {}) for segment in range(SEGMENTS)}
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    segment, answer = future.result()
                    if "LastEvaluatedKey" in answer:
                        cursor = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
                        pending.add(pool.submit(page, segment, cursor))
                    yield answer["Items"]
        finally:
            for future in pending:
                future.cancel()


def query(
    dynamodb: "DynamoDBClient",
    table: str,
    attributes: Sequence[str],
    partition: tuple[str, str],
    span: Span,
    *,
    index: str | None = None,
    within: Span | None = None,
) -> Iterator[list[Item]]:
    """Reads part of a partition: strongly consistent from a table, eventually consistent from an index.

    Args:
        dynamodb: client.
        table: name of the table.
        attributes: names of the attributes to read.
        partition: name and value of the partition key.
        span: range of the sort key.
        index: name of an index that is read in place of the table.
        within: which of the items to return; None for all.

    Yields:
        Pages, in the order of the sort key.
    """
    what = _wanted(attributes, within)
    what["ExpressionAttributeNames"] |= {"#partition": partition[0], "#sort": span.attribute}
    what["ExpressionAttributeValues"] = {
        **what.get("ExpressionAttributeValues", {}),
        ":partition": {"S": partition[1]},
        ":from": {"S": span.first},
        ":to": {"S": span.last},
    }
    source: dict[str, Any] = {"IndexName": index} if index else {"ConsistentRead": True}
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#partition = :partition AND #sort BETWEEN :from AND :to",
        **source,
        **what,
    )
    for page in pages:
        items: list[Any] = page["Items"]
        yield items


def _wanted(attributes: Sequence[str] | None, within: Span | None) -> dict[str, Any]:
    """Parameters of a scan or a query: which attributes of which items to return."""
    names = {f"#{number}": name for number, name in enumerate(attributes or ())}
    what: dict[str, Any] = {"ProjectionExpression": ", ".join(names)} if names else {}
    if within:
        names["#within"] = within.attribute
        what["FilterExpression"] = "#within BETWEEN :first AND :last"
        what["ExpressionAttributeValues"] = {":first": {"S": within.first}, ":last": {"S": within.last}}
    return {**what, "ExpressionAttributeNames": names} if names else what


def read(dynamodb: "DynamoDBClient", table: str, keys: Iterable[Item]) -> list[Item]:
    """Reads items by their keys.

    Args:
        dynamodb: client.
        table: name of the table.
        keys: any number, all different.

    Returns:
        The items that exist, in no order.

    Raises:
        CommandError: the table still throttles after several tries.
    """
    return [item for chunk in batched(keys, KEYS_PER_READ) for item in _read(dynamodb, table, chunk)]


def can_be_key(text: str, most: int = PARTITION_KEY_BYTES) -> bool:
    """Whether an item can have a text in its key: DynamoDB refuses to look for another one.

    Args:
        text: the value.
        most: the limit in bytes.
    """
    return 0 < text_bytes(text) <= most


def batched(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """Cuts an iterable into lists of ``size``, the last one shorter."""
    iterator = iter(things)
    while batch := list(islice(iterator, size)):
        yield batch


def _read(dynamodb: "DynamoDBClient", table: str, keys: list[Item]) -> Iterator[Item]:
    left: Any = {"Keys": keys, "ConsistentRead": True}
    for attempt in range(READ_TRIES):
        answer = dynamodb.batch_get_item(RequestItems={table: left})
        items: list[Any] = answer["Responses"].get(table, [])
        yield from items
        # Unprocessed keys were throttled, or exceed the 16 MB of an answer.
        if table not in answer.get("UnprocessedKeys", {}):
            return
        left = answer["UnprocessedKeys"][table]
        if not items:
            time.sleep(FIRST_PAUSE * 2**attempt)
    raise CommandError(f"table {table} is throttled, and {len(left['Keys'])} keys stay unread: run it again later")

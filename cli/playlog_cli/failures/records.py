"""Reads FailedPlayLog: which failures are meant, the newest of a reason code, and all of a match."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.domain.plain_values import plain

from playlog_cli.auditing import items
from playlog_cli.stacks.reason_codes import INDEX
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import can_be_key, read

RECORDS_PER_PAGE = 100
SEARCHED = ("track_id", "title", "artist")  # attributes of a match that ``Selection.text`` is looked for in
CONCURRENT_REQUESTS = 16


@dataclass(frozen=True)
class Selection:
    """Which failures are meant.

    Attributes:
        code: the reason code, known or not; None for any.
        station_id: the station of their matches when they failed; None for any.
        since: the earliest ``failed_at``, with an offset; None for any.
        until: the latest ``failed_at``, with an offset; None for any.
        text: a part of the reason, or of the match's id, track, title or artist; None for any. Case matters.
    """

    code: str | None = None
    station_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None

    @property
    def reads_records(self) -> bool:
        """Whether DynamoDB must read a record to know whether it is selected: the index does not say so."""
        return self.station_id is not None or self.text is not None


@dataclass(frozen=True)
class FailedAttempt:
    """One failed conversion.

    Attributes:
        match_id: key of the match.
        attempt: the number of the conversion, from 1.
        reason_code: what is wrong, for machines.
        reason: a sentence that names the wrong value and says what would be right.
        will_retry: whether the pipeline tries again by itself.
        failed_at: in UTC.
        match: the match as it was.
    """

    match_id: str
    attempt: int
    reason_code: str
    reason: str
    will_retry: bool
    failed_at: str
    match: dict[str, Any]


def newest_first(stack: Stack, code: str, selection: Selection) -> Iterator[Item]:
    """Reads the failures of a reason code, the newest first. A failure that is added meanwhile is not read.

    Args:
        stack: where.
        code: the reason code; it replaces the selection's.
        selection: which.
    """
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.failed_play_log_table,
        ScanIndexForward=False,
        # A limit counts the failures that DynamoDB reads, not those that a filter fits.
        PaginationConfig={} if selection.reads_records else {"PageSize": RECORDS_PER_PAGE},
        **query_of(code, selection),
    )
    for page in pages:
        items: list[Any] = page["Items"]
        yield from items


def attempts_of(stack: Stack, match_id: str) -> tuple[FailedAttempt, ...]:
    """Reads all failed conversions of a match, the first one first."""
    if not can_be_key(match_id):
        return ()
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.failed_play_log_table,
        KeyConditionExpression="match_id = :match",
        ExpressionAttributeValues={":match": {"S": match_id}},
        ConsistentRead=True,
    )
    records: Iterator[Any] = (record for page in pages for record in page["Items"])
    return tuple(map(attempt_of, records))


def matches_by_id(stack: Stack, match_ids: Iterable[str]) -> dict[str, Item]:
    """Reads matches by their ids. A match that is gone is left out."""
    keys: list[Item] = [{"match_id": {"S": match_id}} for match_id in dict.fromkeys(match_ids) if can_be_key(match_id)]
    return {match["match_id"]["S"]: match for match in read(stack.dynamodb, stack.match_cache_table, keys)}


def attempt_of(record: Item) -> FailedAttempt:
    """A failed conversion from an item of FailedPlayLog. What a person broke in the item is left out."""
    values = plain_values(record)
    match = values.get("match")
    return FailedAttempt(
        match_id=values["match_id"],
        attempt=values["attempt"],
        reason_code=items.text(record, "reason_code"),
        reason=items.text(record, "reason"),
        will_retry=values.get("will_retry") is True,
        failed_at=items.text(record, "failed_at"),
        match=match if isinstance(match, dict) else {},
    )


def plain_values(item: Item) -> dict[str, Any]:
    """An item as JSON values, as its writer wrote them and without DynamoDB's types."""
    return {name: plain(value) for name, value in item.items()}


def query_of(code: str, selection: Selection) -> dict[str, Any]:
    """The parameters of a query for the selected failures of a reason code."""
    values: Item = {
        ":code": {"S": code},
        ":since": {"S": timestamps.to_text(selection.since or datetime.min.replace(tzinfo=UTC))},
        ":until": {"S": timestamps.to_text(selection.until or datetime.max.replace(tzinfo=UTC))},
    }
    query: dict[str, Any] = {
        "IndexName": INDEX,
        "KeyConditionExpression": "reason_code = :code AND failed_at BETWEEN :since AND :until",
        "ExpressionAttributeValues": values,
    }
    conditions = []
    if selection.station_id is not None:
        values[":station"] = {"S": selection.station_id}
        conditions.append("#match.station_id = :station")
    if selection.text is not None:
        values[":text"] = {"S": selection.text}
        places = ["match_id", "reason", *(f"#match.{name}" for name in SEARCHED)]
        conditions.append(f"({' OR '.join(f'contains({place}, :text)' for place in places)})")
    if conditions:
        query["FilterExpression"] = " AND ".join(conditions)
        query["ExpressionAttributeNames"] = {"#match": "match"}
    return query

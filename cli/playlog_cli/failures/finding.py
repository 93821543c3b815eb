"""Find failures: how many there are by reason code, the newest, and all that is known of one match."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any

from playlog.domain import timestamps
from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.domain.validation import validate
from playlog.failures.dead_letter import plain
from playlog.schema import ReasonCode
from playlog_cli.auditing import items
from playlog_cli.auditing.items import State
from playlog_cli.errors import CommandError, shown
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import read

INDEX = "reason-index"


RECORDS_PER_PAGE = 100


SIDE_BY_SIDE = 16  # requests in flight


# They say where a match stands, not what it is.
_STATE = {"unprocessed_shard", "processed", "processed_at", "play_id", "attempts", "failed_reason"}


_CUT = "[cut: "  # in what playlog.failures.dead_letter had to shorten


@dataclass(frozen=True)
class Selection:
    """Which failures are meant.

    Attributes:
        codes: their reason codes.
        station_id: the station of their matches, as they were; None for any.
        since: the earliest ``failed_at``, with an offset; None for any.
        until: the latest ``failed_at``, with an offset; None for any.
    """

    codes: Sequence[ReasonCode] = tuple(ReasonCode)
    station_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class FailedAttempt:
    """One failed conversion.

    Attributes:
        match_id: key of the match.
        attempt: which conversion of it, from 1.
        reason_code: what is wrong, for machines.
        reason: what is wrong with which value, and what would be right.
        will_retry: whether it is tried again by itself.
        failed_at: when, in UTC.
        match: the match as it was.
    """

    match_id: str
    attempt: int
    reason_code: str
    reason: str
    will_retry: bool
    failed_at: str
    match: dict[str, Any]


@dataclass(frozen=True)
class ListedFailure:
    """A line of the list: a failed conversion, and what its match is now (``gone``: not in MatchCache)."""

    failed_at: str
    reason_code: str
    match_id: str
    attempt: int
    station_id: str | None
    reason: str
    now: str


@dataclass(frozen=True)
class FailureList:
    """How many failures there are by reason code, and the newest of them."""

    counts: dict[str, int]
    newest: tuple[ListedFailure, ...]


@dataclass(frozen=True)
class Change:
    """An attribute that a match has otherwise now; None where it is absent."""

    attribute: str
    then: Any
    now: Any


@dataclass(frozen=True)
class History:
    """All that is known of a match and its failures.

    Attributes:
        match_id: key of the match.
        state: what it is now; None if it is gone.
        defect: why it would fail again as it is now; None if no reason is seen.
        match: it, as it is now; None if it is gone.
        changes: what was changed since it failed last.
        attempts: its failed conversions, the first one first.
    """

    match_id: str
    state: State | None
    defect: str | None
    match: dict[str, Any] | None
    changes: tuple[Change, ...]
    attempts: tuple[FailedAttempt, ...]


def list_failures(stack: Stack, selection: Selection, limit: int) -> FailureList:
    """Counts failures by reason code, and reads the newest.

    Args:
        stack: where.
        selection: which.
        limit: how many to read.
    """
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        counts = pool.map(lambda code: _count(stack, code, selection), selection.codes)
        counted = {code.value: count for code, count in zip(selection.codes, counts, strict=True) if count}
    by_code = (records_of(stack, ReasonCode(code), selection) for code in counted)
    newest = list(islice(merge(*by_code, key=lambda record: record["failed_at"]["S"], reverse=True), limit))
    states = {match["match_id"]["S"]: items.state_of(match, stack.shards) for match in matches_of(stack, newest)}
    return FailureList(counted, tuple(_listed(_attempt(record), states) for record in newest))


def history_of(stack: Stack, match_id: str, now: datetime) -> History:
    """Looks up a match and all its failed conversions.

    Args:
        stack: where.
        match_id: key of the match.
        now: the time that ``matched_at`` is judged by, with an offset.

    Raises:
        CommandError: there is no such match, and no failure of one.
    """
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.failed_play_log_table,
        KeyConditionExpression="match_id = :match",
        ExpressionAttributeValues={":match": {"S": match_id}},
        ConsistentRead=True,
    )
    records: Iterator[Any] = (record for page in pages for record in page["Items"])
    attempts = tuple(map(_attempt, records))
    matches = read(stack.dynamodb, stack.match_cache_table, [{"match_id": {"S": match_id}}])
    if not matches and not attempts:
        raise CommandError(f"stack `{stack.name}` has no match {shown(match_id)}, nor a failure of one")
    if not matches:
        return History(match_id, None, None, None, (), attempts)
    (match,) = matches
    plain = plain_values(match)
    return History(
        match_id=match_id,
        state=items.state_of(match, stack.shards),
        defect=defect_of(match, now),
        match=plain,
        changes=tuple(_changes(attempts[-1].match, plain)) if attempts else (),
        attempts=attempts,
    )


def defect_of(match: Item, now: datetime) -> str | None:
    """Why a match would fail as it is now; None if judging it finds nothing.

    Args:
        match: item of MatchCache.
        now: with an offset.
    """
    verdict = validate(match, now=now, default_duration=timedelta(minutes=3))
    return verdict.reason if isinstance(verdict, Failure) else None


def plain_values(item: Item) -> dict[str, Any]:
    """An item in values that JSON has, as in the record of a failure."""
    return {name: plain(value) for name, value in item.items()}


def _query(code: ReasonCode, selection: Selection) -> dict[str, Any]:
    """The part of a query that says which failures of a reason code are meant."""
    values: Item = {
        ":code": {"S": code.value},
        ":since": {"S": timestamps.to_text(selection.since or datetime.min.replace(tzinfo=UTC))},
        ":until": {"S": timestamps.to_text(selection.until or datetime.max.replace(tzinfo=UTC))},
    }
    query: dict[str, Any] = {
        "IndexName": INDEX,
        "KeyConditionExpression": "reason_code = :code AND failed_at BETWEEN :since AND :until",
        "ExpressionAttributeValues": values,
    }
    if selection.station_id is not None:
        values[":station"] = {"S": selection.station_id}
        query["FilterExpression"] = "#match.station_id = :station"
        query["ExpressionAttributeNames"] = {"#match": "match"}
    return query


def _count(stack: Stack, code: ReasonCode, selection: Selection) -> int:
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.failed_play_log_table, Select="COUNT", **_query(code, selection)
    )
    return sum(page["Count"] for page in pages)


def records_of(stack: Stack, code: ReasonCode, selection: Selection) -> Iterator[Item]:
    """The failures of a reason code, newest first: what fails meanwhile comes before them, and is not met."""
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.failed_play_log_table,
        ScanIndexForward=False,
        PaginationConfig={"PageSize": RECORDS_PER_PAGE},
        **_query(code, selection),
    )
    for page in pages:
        items: list[Any] = page["Items"]
        yield from items


def matches_of(stack: Stack, records: Iterable[Item]) -> list[Item]:
    match_ids = dict.fromkeys(record["match_id"]["S"] for record in records)
    return read(stack.dynamodb, stack.match_cache_table, ({"match_id": {"S": match_id}} for match_id in match_ids))


def _attempt(record: Item) -> FailedAttempt:
    values = plain_values(record)
    return FailedAttempt(
        match_id=values["match_id"],
        attempt=values["attempt"],
        reason_code=values["reason_code"],
        reason=values["reason"],
        will_retry=values["will_retry"],
        failed_at=values["failed_at"],
        match=values["match"],
    )


def _listed(attempt: FailedAttempt, states: Mapping[str, State]) -> ListedFailure:
    station_id = attempt.match.get("station_id")
    return ListedFailure(
        failed_at=attempt.failed_at,
        reason_code=attempt.reason_code,
        match_id=attempt.match_id,
        attempt=attempt.attempt,
        station_id=station_id if isinstance(station_id, str) else None,
        reason=attempt.reason,
        now=states.get(attempt.match_id, "gone"),
    )


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*then, *now} - _STATE):
        before, after = then.get(name), now.get(name)
        if before != after and _CUT not in str(before):
            yield Change(name, before, after)

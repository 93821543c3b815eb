"""The matches of a station's day and of a play. No index leads from a play to its matches: MatchCache is searched."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.domain.play import PlayKey

from playlog_cli.auditing import items
from playlog_cli.auditing.items import State
from playlog_cli.failures.records import matches_by_id
from playlog_cli.plays.reading import PlayLine
from playlog_cli.stacks.stack import Stack

# A table of so many answers of 1 MB is searched whole before a page is shown: in a second or two.
SEARCHED_ANSWERS = 12
WAITING_ANSWERS = 4
INDEX = "unprocessed-index"
# A day of a time zone, and any offset in which a match's time may be written.
OFFSETS = timedelta(days=1)
ATTRIBUTES = (
    "match_id",
    "station_id",
    "track_id",
    "matched_at",
    "duration_seconds",
    "avg_confidence_score",
    "source",
    "title",
    "artist",
    "play_id",
    "processed",
    "failed_reason",
    "unprocessed_shard",
)


@dataclass(frozen=True)
class MatchLine:
    """A match as a list or a time line shows it.

    Attributes:
        match_id: its key.
        station_id: where it was heard; empty if the item does not say.
        track_id: what was recognized; empty if the item does not say.
        title: of the track, for people; empty if the match has none.
        artist: of the track, for people; empty if the match has none.
        start: when it began; None if its time is not valid.
        stop: when it ended; the stack's default duration later if the match states none.
        state: its state now.
        play_id: the play that accounts for it; empty if none does.
    """

    match_id: str
    station_id: str
    track_id: str
    title: str
    artist: str
    start: datetime | None
    stop: datetime | None
    state: State
    play_id: str


@dataclass(frozen=True)
class FoundMatches:
    """Matches that a search found.

    Attributes:
        matches: those with a time by their time, the others last.
        after: where the search goes on; None if the whole table was searched.
    """

    matches: tuple[MatchLine, ...]
    after: str | None


def matches_of_day(
    stack: Stack, station_id: str, start: datetime, end: datetime, plays: Iterable[PlayLine]
) -> FoundMatches:
    """The matches of a station between two instants.

    Searches a small table whole. Of a large one, it reads those that can be found by a key: the matches that created
    the plays, and the matches that wait.

    Args:
        stack: where.
        station_id: the station.
        start: the first instant, with an offset.
        end: the instant after the last one.
        plays: of that time.
    """
    condition = {
        "FilterExpression": "station_id = :station AND matched_at BETWEEN :from AND :to",
        "ExpressionAttributeValues": {
            ":station": {"S": station_id},
            ":from": {"S": f"{start - OFFSETS:%Y-%m-%d}"},
            ":to": {"S": f"{end + OFFSETS:%Y-%m-%d}~"},
        },
    }
    found, after = _search(stack, condition, None)
    if after is not None:
        by_key = matches_by_id(stack, (play.match_id for play in plays if play.match_id))
        waiting = _waiting(stack, station_id, condition)
        found = list(({match["match_id"]["S"]: match for match in (*found, *waiting)} | by_key).values())
    lines = (match_line(match, stack) for match in found)
    of_day = [each for each in lines if each.start and each.stop and each.start < end and each.stop > start]
    return FoundMatches(_in_order(of_day), after)


def matches_of_play(stack: Stack, key: PlayKey, after: str | None) -> FoundMatches:
    """Searches MatchCache for the matches of a play, some answers of DynamoDB at a time.

    Args:
        stack: where.
        key: of the play.
        after: where the search goes on, as the last answer said; None to begin.
    """
    condition = {
        "FilterExpression": "play_id = :play AND station_id = :station",
        "ExpressionAttributeValues": {":play": {"S": key.play_id}, ":station": {"S": key.station_id}},
    }
    found, after = _search(stack, condition, after)
    return FoundMatches(_in_order(match_line(match, stack) for match in found), after)


def match_line(match: Item, stack: Stack) -> MatchLine:
    """A match from an item of MatchCache."""
    try:
        start = timestamps.from_text(items.text(match, "matched_at"))
    except ValueError:
        start = None
    return MatchLine(
        match_id=match["match_id"]["S"],
        station_id=items.text(match, "station_id"),
        track_id=items.text(match, "track_id"),
        title=items.text(match, "title"),
        artist=items.text(match, "artist"),
        start=start,
        stop=start + min(_duration(match, stack), _LATEST - start) if start else None,
        state=items.state_of(match, stack.shards),
        play_id=items.text(match, "play_id"),
    )


_LATEST = datetime.max.replace(tzinfo=UTC)


def _duration(match: Item, stack: Stack) -> timedelta:
    try:
        seconds = Decimal(match["duration_seconds"]["N"])
    except (KeyError, InvalidOperation):
        return stack.default_duration
    return timedelta(seconds=float(seconds)) if 0 < seconds <= 86_400 else stack.default_duration


def _search(stack: Stack, condition: dict[str, Any], after: str | None) -> tuple[list[Item], str | None]:
    """Reads up to ``SEARCHED_ANSWERS`` answers of MatchCache. Returns what fits, and where the search goes on."""
    request: dict[str, Any] = {"TableName": stack.match_cache_table, **_wanted(), **condition}
    found: list[Item] = []
    for _ in range(SEARCHED_ANSWERS):
        if after is not None:
            request["ExclusiveStartKey"] = {"match_id": {"S": after}}
        answer: Any = stack.dynamodb.scan(**request)
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return found, None
        after = answer["LastEvaluatedKey"]["match_id"]["S"]
    return found, after


def _waiting(stack: Stack, station_id: str, condition: dict[str, Any]) -> Iterator[Item]:
    shard = items.home_shard({"match_id": {"S": ""}, "station_id": {"S": station_id}}, stack.shards)
    values = condition["ExpressionAttributeValues"]
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.match_cache_table,
        IndexName=INDEX,
        KeyConditionExpression="unprocessed_shard = :shard AND matched_at BETWEEN :from AND :to",
        FilterExpression="station_id = :station",
        ExpressionAttributeValues={**values, ":shard": {"S": shard}},
        PaginationConfig={"MaxItems": 1000 * WAITING_ANSWERS},
    )
    ids = [item["match_id"]["S"] for page in pages for item in page["Items"]]
    yield from matches_by_id(stack, ids).values()


def _wanted() -> dict[str, Any]:
    names = {f"#{number}": name for number, name in enumerate(ATTRIBUTES)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def _in_order(matches: Iterable[MatchLine]) -> tuple[MatchLine, ...]:
    lines: Sequence[MatchLine] = sorted(matches, key=lambda each: (each.start or _LATEST, each.match_id))
    return tuple(lines)

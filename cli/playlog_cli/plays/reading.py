"""Reads plays: those of a station's day, and those of a track."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError
from playlog.domain import timestamps
from playlog.domain.match import Item

from playlog_cli.auditing import items
from playlog_cli.errors import CommandError, shown
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import Span, can_be_key, query

# A play lasts at most a day, and a match that came late can make it begin earlier than its key says.
SLACK = timedelta(days=1)
TRACK_INDEX = "track-index"
ATTRIBUTES = (
    "station_id",
    "play_id",
    "track_id",
    "match_id",
    "match_count",
    "start_time",
    "stop_time",
    "avg_confidence_score",
    "active",
    "flagged",
    "bridged",
    "is_archived",
    "source",
    "station_program_id",
)
FOR_EDITS = (*ATTRIBUTES, "edited")


@dataclass(frozen=True)
class PlayLine:
    """A play as a list or a time line shows it.

    Attributes:
        station_id: first part of its key.
        play_id: second part of its key.
        track_id: what was played; empty if the item does not say.
        match_id: the match that created it; empty if the item does not say.
        start: when it began; that of its key if the item does not say.
        stop: when it ended; its start if the item does not say.
        matches: how many matches it accounts for.
        confidence: their mean, 0 to 100; None if none has one.
        flagged: whether a person should look at it.
        active: false if a person has withdrawn it.
    """

    station_id: str
    play_id: str
    track_id: str
    match_id: str
    start: datetime
    stop: datetime
    matches: int
    confidence: Decimal | None
    flagged: bool
    active: bool

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.stop - self.start).total_seconds()


def plays_of_day(stack: Stack, station_id: str, start: datetime, end: datetime) -> list[PlayLine]:
    """The plays of a station that were on air between two instants, the earliest first.

    Args:
        stack: where.
        station_id: the station.
        start: the first instant, with an offset.
        end: the instant after the last one.
    """
    lines = map(line_of, _items_around(stack, station_id, start, end, ATTRIBUTES))
    return sorted((each for each in lines if each.start < end and each.stop >= start), key=lambda each: each.start)


def newest_play(stack: Stack, station_id: str) -> PlayLine | None:
    """The play of a station that began last, by its key; None if the station has none."""
    if not can_be_key(station_id):
        return None
    answer: Any = stack.dynamodb.query(
        TableName=stack.play_log_table,
        KeyConditionExpression="station_id = :station",
        ExpressionAttributeValues={":station": {"S": station_id}},
        ScanIndexForward=False,
        Limit=1,
    )
    return next(map(line_of, answer["Items"]), None)


def items_of_period(stack: Stack, station_id: str, start: datetime, end: datetime) -> list[Item]:
    """The plays of a station that began between two instants, the earliest first, with what an edit needs of them.

    Args:
        stack: where.
        station_id: the station.
        start: the first instant, with an offset.
        end: the instant after the last one.
    """
    timed = [(line_of(play).start, play) for play in _items_around(stack, station_id, start, end, FOR_EDITS)]
    return [play for began, play in sorted(timed, key=lambda each: each[0]) if start <= began < end]


def _items_around(
    stack: Stack, station_id: str, start: datetime, end: datetime, attributes: Sequence[str]
) -> Iterator[Item]:
    """At least the plays of a station that were on air between two instants."""
    if can_be_key(station_id):
        keys = Span("play_id", timestamps.to_text(start - SLACK), timestamps.to_text(end + SLACK))
        for page in query(stack.dynamodb, stack.play_log_table, attributes, ("station_id", station_id), keys):
            yield from page


def plays_of_track(
    stack: Stack, track_id: str, before: Item | None, size: int
) -> tuple[Sequence[PlayLine], Item | None]:
    """A page of the plays of a track, the newest first.

    Args:
        stack: where.
        track_id: the track.
        before: where the page begins, as the last one said; None for the newest.
        size: how many plays it holds at most.

    Returns:
        The plays, and where the next page begins; None after the last one.

    Raises:
        CommandError: the track has no such page.
    """
    if not can_be_key(track_id):
        return [], None
    request: dict[str, Any] = {"ExclusiveStartKey": before} if before else {}
    try:
        answer: Any = stack.dynamodb.query(
            TableName=stack.play_log_table,
            IndexName=TRACK_INDEX,
            KeyConditionExpression="track_id = :track",
            ExpressionAttributeValues={":track": {"S": track_id}},
            ScanIndexForward=False,
            Limit=size,
            **request,
        )
    except ClientError as error:
        if before and error.response["Error"]["Code"] == "ValidationException":  # the index can have no such key
            raise CommandError(f"track {shown(track_id)} has no such page: begin with the newest plays") from None
        raise
    return [line_of(play) for play in answer["Items"]], answer.get("LastEvaluatedKey")


def line_of(play: Item) -> PlayLine:
    """A play from an item of PlayLog. What a person broke in the item is left out."""
    play_id = play["play_id"]["S"]
    start = _time(play, "start_time") or _time({"key": {"S": play_id.partition("#")[0]}}, "key") or _EARLIEST
    confidence = play.get("avg_confidence_score", {}).get("N")
    return PlayLine(
        station_id=play["station_id"]["S"],
        play_id=play_id,
        track_id=items.text(play, "track_id"),
        match_id=items.text(play, "match_id"),
        start=start,
        stop=max(start, _time(play, "stop_time") or start),
        matches=items.match_count(play),
        confidence=Decimal(confidence) if confidence else None,
        flagged=play.get("flagged", {}).get("BOOL", False),
        active=play.get("active", {}).get("BOOL", True),
    )


_EARLIEST = timestamps.from_text("0001-01-01T00:00:00+00:00")


def _time(item: Item, name: str) -> datetime | None:
    try:
        return timestamps.from_text(items.text(item, name))
    except ValueError:
        return None

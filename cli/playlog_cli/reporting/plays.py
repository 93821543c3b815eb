"""Read the plays and the failures of a period."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

from playlog.domain import timestamps
from playlog.domain.match import Item

from playlog_cli.reporting.attributes import attribute, unusable
from playlog_cli.reporting.figures import Period, Play
from playlog_cli.stacks.reason_codes import recorded_codes
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import Span, query, scan

# Progress callback: receives the number of plays just read.
Progress: TypeAlias = Callable[[int], None]

ATTRIBUTES = (
    "station_id",
    "play_id",
    "track_id",
    "played_at",
    "duration_seconds",
    "match_count",
    "avg_confidence_score",
    "flagged",
    "active",
    "is_archived",
)


TRACK_INDEX = "track-index"


REASON_INDEX = "reason-index"


# A play's key has the time at which it began when it was created. To begin earlier by more than this, the airing would
# have to last longer than a week.
SLACK = timedelta(days=7)


INSTANT = timedelta(microseconds=1)  # of the tables' times: a span of texts takes its last one in


def play_pages(
    stack: Stack, period: Period, stations: Sequence[str], tracks: Sequence[str], attributes: Sequence[str]
) -> Iterator[list[Item]]:
    """The items of the plays that began in a period, page by page. With tracks, those of other stations too.

    Args:
        stack: whose.
        period: which.
        stations: of which alone, all different; none for all.
        tracks: of which alone, all different; none for all.
        attributes: names of the attributes to read.
    """
    dynamodb, table = stack.dynamodb, stack.play_log_table
    begun = Span("played_at", timestamps.to_text(period.since), timestamps.to_text(period.until - INSTANT))
    if tracks:
        for track in tracks:
            yield from query(dynamodb, table, attributes, ("track_id", track), begun, index=TRACK_INDEX)
    elif stations:
        # A play never begins later than its key says, but may begin earlier.
        keys = Span("play_id", begun.first, timestamps.to_text(period.until + SLACK))
        for station in stations:
            yield from query(dynamodb, table, attributes, ("station_id", station), keys, within=begun)
    else:
        yield from scan(dynamodb, table, attributes, begun)


def play_of(item: Item) -> Play:
    """What a report needs of an item of PlayLog.

    Raises:
        CommandError: an attribute that decides what is paid is missing or none of the contract's.
    """
    try:
        seconds = Decimal(attribute(item, "duration_seconds", "N"))
        if not 0 <= seconds < 10**9:
            raise ValueError(f"duration_seconds is {seconds}: it must be 0 or more")
        score = attribute(item, "avg_confidence_score", "N", otherwise=None)
        return Play(
            station_id=attribute(item, "station_id", "S"),
            track_id=attribute(item, "track_id", "S"),
            played_at=timestamps.from_text(attribute(item, "played_at", "S")),
            seconds=seconds,
            matches=int(attribute(item, "match_count", "N")),
            confidence=None if score is None else Decimal(score),
            flagged=attribute(item, "flagged", "BOOL", otherwise=False),
            active=attribute(item, "active", "BOOL", otherwise=True),
            archived=attribute(item, "is_archived", "BOOL", otherwise=False),
        )
    except ValueError as error:
        raise unusable(item, "added up", error) from None


def failures_of(stack: Stack, period: Period, stations: Sequence[str], tracks: Sequence[str]) -> dict[str, int]:
    """Conversions that failed in a period, by reason code, the most frequent first.

    Args:
        stack: whose.
        period: in which they failed.
        stations: of whose matches alone; none for all.
        tracks: of whose matches alone; none for all.
    """
    failed = Span("failed_at", timestamps.to_text(period.since), timestamps.to_text(period.until - INSTANT))
    counts: Counter[str] = Counter()
    for code in recorded_codes(stack):
        pages = query(
            stack.dynamodb,
            stack.failed_play_log_table,
            ["match"] if stations or tracks else ["reason_code"],
            ("reason_code", code),
            failed,
            index=REASON_INDEX,
        )
        for page in pages:
            counts[code] += sum(is_of(item, stations, tracks) for item in page)
    return {code: count for code, count in counts.most_common() if count}


def is_of(failure: Item, stations: Sequence[str], tracks: Sequence[str]) -> bool:
    """Whether a failure is of a match of certain stations and tracks; none for all."""
    match = failure.get("match", {}).get("M", {})

    def names(attribute: str, wanted: Sequence[str]) -> bool:
        return not wanted or match.get(attribute, {}).get("S") in wanted

    return names("station_id", stations) and names("track_id", tracks)

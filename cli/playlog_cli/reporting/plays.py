"""Read the plays and the failures of a period."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.domain.plain_values import plain

from playlog_cli.errors import CommandError, shown
from playlog_cli.reporting.figures import By, Period, Play, figures_of
from playlog_cli.reporting.forms import SLACK, Report
from playlog_cli.reporting.lookalikes import IdCollector, lookalikes
from playlog_cli.reporting.rate_card import RateCard
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


INSTANT = timedelta(microseconds=1)  # of the tables' times: a span of texts takes its last one in


def report(
    stack: Stack,
    period: Period,
    by: Sequence[By],
    stations: Sequence[str],
    tracks: Sequence[str],
    card: RateCard | None,
    progress: Progress,
) -> Report:
    """Reads the plays of a period and adds them up. It changes nothing.

    Args:
        stack: which.
        period: in which the plays began.
        by: what to group them by.
        stations: of which alone; none for all.
        tracks: of which alone; none for all.
        card: what to pay them by.
        progress: progress callback.

    Raises:
        CommandError: a play cannot be added up: with its key, and with what is wrong.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    stations, tracks = tuple(dict.fromkeys(stations)), tuple(dict.fromkeys(tracks))
    ids = IdCollector()
    plays = ids.collect(plays_of(stack, period, stations, tracks, progress))
    figures = figures_of(plays, period, tuple(dict.fromkeys(by)), card)
    of_card = {station for rule in (card.rules if card else ()) for station in rule.stations or ()}
    return Report(
        stack=stack.name,
        region=stack.session.region_name,
        made_at=datetime.now(UTC),
        stations=stations,
        tracks=tracks,
        figures=figures,
        failures=failures_of(stack, period, stations, tracks),
        lookalikes=(*lookalikes(ids.stations | of_card), *lookalikes(ids.tracks)),
    )


def plays_of(
    stack: Stack, period: Period, stations: Sequence[str], tracks: Sequence[str], progress: Progress
) -> Iterator[Play]:
    """The plays that began in a period, each one once: a page of them in memory at a time.

    Args:
        stack: whose.
        period: which.
        stations: of which alone, all different; none for all.
        tracks: of which alone, all different; none for all.
        progress: progress callback.
    """
    for page in _pages(stack, period, stations, tracks):
        progress(len(page))
        plays = map(play_of, page)
        # Of the two, only the track is in the key that was asked for.
        yield from (play for play in plays if play.station_id in stations) if tracks and stations else plays


def _pages(stack: Stack, period: Period, stations: Sequence[str], tracks: Sequence[str]) -> Iterator[list[Item]]:
    dynamodb, table = stack.dynamodb, stack.play_log_table
    begun = Span("played_at", timestamps.to_text(period.since), timestamps.to_text(period.until - INSTANT))
    if tracks:
        for track in tracks:
            yield from query(dynamodb, table, ATTRIBUTES, ("track_id", track), begun, index=TRACK_INDEX)
    elif stations:
        # A play never begins later than its key says, but may begin earlier.
        keys = Span("play_id", begun.first, timestamps.to_text(period.until + SLACK))
        for station in stations:
            yield from query(dynamodb, table, ATTRIBUTES, ("station_id", station), keys, within=begun)
    else:
        yield from scan(dynamodb, table, ATTRIBUTES, begun)


def play_of(item: Item) -> Play:
    """What a report needs of an item of PlayLog.

    Raises:
        CommandError: an attribute that decides what is paid is missing or none of the contract's.
    """
    try:
        seconds = Decimal(_value(item, "duration_seconds", "N"))
        if not 0 <= seconds < 10**9:
            raise ValueError(f"duration_seconds is {seconds}: it must be 0 or more")
        score = _value(item, "avg_confidence_score", "N", otherwise=None)
        return Play(
            station_id=_value(item, "station_id", "S"),
            track_id=_value(item, "track_id", "S"),
            played_at=timestamps.from_text(_value(item, "played_at", "S")),
            seconds=seconds,
            matches=int(_value(item, "match_count", "N")),
            confidence=None if score is None else Decimal(score),
            flagged=_value(item, "flagged", "BOOL", otherwise=False),
            active=_value(item, "active", "BOOL", otherwise=True),
            archived=_value(item, "is_archived", "BOOL", otherwise=False),
        )
    except ValueError as error:
        play_id, station_id = (shown(item.get(name, {}).get("S")) for name in ("play_id", "station_id"))
        raise CommandError(
            f"play {play_id} of station {station_id} cannot be added up: {error}. Mend that in PlayLog"
        ) from None


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
            counts[code] += sum(_is_of(item, stations, tracks) for item in page)
    return {code: count for code, count in counts.most_common() if count}


def _is_of(failure: Item, stations: Sequence[str], tracks: Sequence[str]) -> bool:
    match = failure.get("match", {}).get("M", {})

    def names(attribute: str, wanted: Sequence[str]) -> bool:
        return not wanted or match.get(attribute, {}).get("S") in wanted

    return names("station_id", stations) and names("track_id", tracks)


def _value(item: Item, name: str, kind: str, otherwise: Any = ...) -> Any:
    """An attribute of a type, or what it is where it is absent.

    Raises:
        ValueError: it is of another type, or it is absent and may not be.
    """
    value = item.get(name)
    if value is None and otherwise is not ...:
        return otherwise
    if value is None or kind not in value:
        raise ValueError(f"{name} is {'missing' if value is None else shown(plain(value))}: it must be of type {kind}")
    return value[kind]

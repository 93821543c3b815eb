"""`playlog report`: the plays between two dates, added up and paid by a rate card, for people and for machines."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TextIO, TypeAlias

import typer
from playlog.domain import timestamps
from playlog.domain.failure import ReasonCode
from playlog.domain.match import Item
from playlog.failures.dead_letter import plain
from rich.progress import TimeElapsedColumn

from playlog_cli.commands.options import AsJson, Profile, Region, StackName
from playlog_cli.errors import CommandError, shown
from playlog_cli.reporting.figures import By, Period, Play, figures_of
from playlog_cli.reporting.forms import SLACK, Report, as_json, render, write_csv
from playlog_cli.reporting.page import write_page
from playlog_cli.reporting.rate_card import RateCard, load_rate_card, time_zone, wanted_zone
from playlog_cli.stacks.stack import DEFAULT_STACK, Stack, find_stack
from playlog_cli.stacks.tables import Span, query, scan
from playlog_cli.terminal import counting, err, out, print_json

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
STDOUT = Path("-")

# Told how many more plays were read.
Told: TypeAlias = Callable[[int], None]


def report_command(
    start: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day, like 2026-03-01.")],
    end: Annotated[str, typer.Option("--to", metavar="DATE", help="The day after the last one, like 2026-04-01.")],
    zone: Annotated[str, typer.Option("--time-zone", metavar="ZONE", help="Of the days, like Europe/Berlin.")] = "UTC",
    by: Annotated[
        list[By] | None,
        typer.Option(
            metavar="KEY", help="A line for each track, station, day or hour. Repeatable.  [default: station]"
        ),
    ] = None,
    stations: Annotated[
        list[str] | None, typer.Option("--station", metavar="ID", help="Of this station alone. Repeatable.")
    ] = None,
    tracks: Annotated[
        list[str] | None, typer.Option("--track", metavar="ID", help="Of this track alone. Repeatable.")
    ] = None,
    rate_card: Annotated[Path | None, typer.Option(metavar="FILE", help="TOML: what a play is paid.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write CSV; - is standard output.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with charts.")] = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json_: AsJson = False,
) -> None:
    """Add up the plays between two dates, and what they are paid.

    A day begins at midnight in the time zone, and the day of --to is not part of it: a month is --from 2026-03-01
    --to 2026-04-01. With a station or a track it reads just that; without, the whole table of plays.
    """
    period = _period(start, end, zone)
    card = load_rate_card(rate_card) if rate_card else None
    files = [(option, path) for option, path in (("--csv", csv), ("--html", html)) if path]
    to_stdout = [option for option, path in files if path == STDOUT] + ["--json"] * as_json_
    if len(to_stdout) > 1:
        raise CommandError(f"{' and '.join(to_stdout)} both go to standard output: name a file for one")
    for option, path in files:
        _check_writable(option, path)
    this = find_stack(stack, region=region, profile=profile)
    with counting("{task.completed:,} plays read", TimeElapsedColumn()) as told:
        made = report(this, period, by or [By.STATION], stations or [], tracks or [], card, told)
    if csv:
        _write("--csv", csv, lambda file: write_csv(made, file))
    if html:
        _write("--html", html, lambda file: write_page(made, file))
    if as_json_:
        print_json(as_json(made))
    elif not to_stdout:
        render(made, out)


def report(
    stack: Stack,
    period: Period,
    by: Sequence[By],
    stations: Sequence[str],
    tracks: Sequence[str],
    card: RateCard | None,
    told: Told,
) -> Report:
    """Reads the plays of a period and adds them up. It changes nothing.

    Args:
        stack: which.
        period: in which the plays began.
        by: what to group them by.
        stations: of which alone; none for all.
        tracks: of which alone; none for all.
        card: what to pay them by.
        told: is told of progress.

    Raises:
        CommandError: a play cannot be added up: with its key, and with what is wrong.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    stations, tracks = tuple(dict.fromkeys(stations)), tuple(dict.fromkeys(tracks))
    return Report(
        stack=stack.name,
        region=stack.session.region_name,
        made_at=datetime.now(UTC),
        stations=stations,
        tracks=tracks,
        figures=figures_of(plays_of(stack, period, stations, tracks, told), period, tuple(dict.fromkeys(by)), card),
        failures=failures_of(stack, period, stations, tracks),
    )


def plays_of(
    stack: Stack, period: Period, stations: Sequence[str], tracks: Sequence[str], told: Told
) -> Iterator[Play]:
    """The plays that began in a period, each one once: a page of them in memory at a time.

    Args:
        stack: whose.
        period: which.
        stations: of which alone, all different; none for all.
        tracks: of which alone, all different; none for all.
        told: is told how many more were read.
    """
    for page in _pages(stack, period, stations, tracks):
        told(len(page))
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
    for code in ReasonCode:
        pages = query(
            stack.dynamodb,
            stack.failed_play_log_table,
            ["match"] if stations or tracks else ["reason_code"],
            ("reason_code", code.value),
            failed,
            index=REASON_INDEX,
        )
        for page in pages:
            counts[code.value] += sum(_is_of(item, stations, tracks) for item in page)
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


def _period(start: str, end: str, zone_name: str) -> Period:
    zone = time_zone(zone_name)
    if zone is None:
        raise CommandError(f"--time-zone is {shown(zone_name)}: {wanted_zone(zone_name)}")
    period = Period(_date("--from", start), _date("--to", end), zone)
    if period.start >= period.end:
        raise CommandError(
            f"--to is {end}, and --from {start}: it must be a later day, the first one that is not part of the period"
        )
    return period


def _date(option: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
        # Midnight in a time zone must lie within what UTC and the slack can hold.
        if 1 < day.year < 9999:
            return day
    except ValueError:
        pass
    raise CommandError(f"{option} is {shown(text)}: it must be a date like 2026-03-01")


def _check_writable(option: str, path: Path) -> None:
    """Tells what would go wrong at the end, before an hour of reading."""
    if path == STDOUT:
        return
    if os.path.isdir(path):
        raise CommandError(f"{option} {path} is a directory: name a file in it")
    if not os.path.isdir(path.parent) or not os.access(path.parent, os.W_OK):
        raise CommandError(f"{option} {path} cannot be written: name a file in a directory that you may write to")


def _write(option: str, path: Path, write: Callable[[TextIO], None]) -> None:
    """Writes a file whole, or leaves the old one as it was.

    Raises:
        CommandError: it cannot be written.
    """
    if path == STDOUT:
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as stdout:
            write(stdout)
        return
    target = path.resolve()
    # A device or a pipe is written to, and must not be replaced by a file.
    part = target if os.path.exists(target) and not os.path.isfile(target) else target.with_name(f"{target.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            write(file)
        if part != target:
            part.replace(target)
    except OSError as error:
        raise CommandError(f"{option} {path} cannot be written: {error.strerror}") from None
    finally:
        if part != target:
            with suppress(OSError):
                part.unlink()
    err.print(f"written: {path}", soft_wrap=True)

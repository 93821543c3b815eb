"""Draws a station's day: a row for each hour, the matches above, the plays below. Pure: times in, rectangles out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playlog_cli.plays.matches import MatchLine
from playlog_cli.plays.reading import PlayLine
from playlog_cli.terminal import age

HOUR = timedelta(hours=1)
WIDTH = 1000.0  # of an hour, in units of the drawing
LANE = 17
BAR = 15
SPACE = 5  # between the matches and the plays
MOST_LANES = 4
CHARACTER = 6.8  # width of a character, in units of the drawing
SHORTEST_GAP = timedelta(minutes=1)


@dataclass(frozen=True)
class Bar:
    """A rectangle of the drawing.

    Attributes:
        x: its left edge, from 0 to ``WIDTH``.
        y: its upper edge.
        width: 0 to ``WIDTH``.
        kind: what it stands for, as the style sheet names it.
        title: what it says when it is pointed at.
        label: the part of its name that fits in it.
        key: of the play; empty for a match without one and for a gap.
    """

    x: float
    y: float
    width: float
    kind: str
    title: str
    label: str
    key: str


@dataclass(frozen=True)
class Row:
    """An hour of the day.

    Attributes:
        label: when it begins, in the time zone.
        bars: what is drawn in it.
        middle: height at which the plays begin.
        height: of the row.
    """

    label: str
    bars: tuple[Bar, ...]
    middle: int
    height: int


@dataclass(frozen=True)
class _Span:
    """Something with a beginning and an end, before it is cut into hours."""

    start: datetime
    stop: datetime
    kind: str
    name: str
    title: str
    key: str
    lane: int = 0


def rows_of(
    start: datetime,
    end: datetime,
    plays: Sequence[PlayLine],
    matches: Sequence[MatchLine],
    names: Mapping[str, str],
    zone: ZoneInfo,
) -> list[Row]:
    """The rows of a day.

    Args:
        start: its first instant, with an offset.
        end: the instant after its last one. A day on which clocks change has 23 or 25 hours.
        plays: the earliest first.
        matches: the earliest first.
        names: of tracks, for people.
        zone: time zone of what it says.
    """
    above = list(_in_lanes(_match_span(each, zone) for each in matches if each.start and each.stop))
    below = list(_in_lanes(_play_span(each, names.get(each.track_id, each.track_id), zone) for each in plays))
    gaps = [_gap_span(*gap, zone) for gap in gaps_of(plays)]
    rows = []
    at = start
    while at < end:
        upper, lower = _in_hour(above, at), _in_hour(below, at)
        middle = LANE * max((each.lane + 1 for each in upper), default=1) + SPACE
        bars = [
            *(_bar(each, at, 0) for each in upper),
            *(_bar(each, at, middle) for each in _in_hour(gaps, at)),
            *(_bar(each, at, middle) for each in lower),
        ]
        height = middle + LANE * max((each.lane + 1 for each in lower), default=1)
        rows.append(Row(f"{at.astimezone(zone):%H:%M}", tuple(bars), middle, height))
        at += HOUR
    return rows


def gaps_of(plays: Iterable[PlayLine]) -> Iterator[tuple[datetime, datetime]]:
    """The silences of at least a minute between plays that count.

    Args:
        plays: the earliest first.
    """
    reached: datetime | None = None
    for play in plays:
        if not play.active:
            continue
        if reached is not None and play.start - reached >= SHORTEST_GAP:
            yield reached, play.start
        reached = play.stop if reached is None else max(reached, play.stop)


def overlaps_of(plays: Iterable[PlayLine]) -> int:
    """How many plays that count begin while another one is on air."""
    reached: datetime | None = None
    found = 0
    for play in plays:
        if not play.active:
            continue
        found += reached is not None and play.start < reached
        reached = play.stop if reached is None else max(reached, play.stop)
    return found


def _match_span(match: MatchLine, zone: ZoneInfo) -> _Span:
    start, stop = match.start, match.stop
    assert start
    assert stop
    name = match.title or match.track_id or match.match_id
    title = f"match {match.match_id}, {match.state}: {name}, {_times(start, stop, zone)}"
    return _Span(start, stop, f"match {match.state.replace(' ', '-')}", name, title, match.play_id)


def _play_span(play: PlayLine, name: str, zone: ZoneInfo) -> _Span:
    marks = [mark for mark, is_set in (("flagged", play.flagged), ("withdrawn", not play.active)) if is_set]
    title = f"play of {name}, {_times(play.start, play.stop, zone)}, {play.matches} matches"
    title += f", {' and '.join(marks)}" if marks else ""
    return _Span(play.start, play.stop, " ".join(["play", *marks]), name, title, play.play_id)


def _gap_span(start: datetime, stop: datetime, zone: ZoneInfo) -> _Span:
    length = age((stop - start).total_seconds())
    title = f"no play for {length}, {_times(start, stop, zone)}"
    return _Span(start, stop, "gap", " ".join(length.split()[:2]), title, "")


def _times(start: datetime, stop: datetime, zone: ZoneInfo) -> str:
    return f"{start.astimezone(zone):%H:%M:%S} to {stop.astimezone(zone):%H:%M:%S} {zone.key}"


def _in_lanes(spans: Iterable[_Span]) -> Iterator[_Span]:
    """Puts spans that overlap below each other."""
    ends: list[datetime] = []
    for span in sorted(spans, key=lambda each: each.start):
        lane = next((number for number, end in enumerate(ends) if end <= span.start), len(ends))
        if lane >= MOST_LANES:
            lane = MOST_LANES - 1
        ends[lane : lane + 1] = [span.stop]
        yield _Span(span.start, span.stop, span.kind, span.name, span.title, span.key, lane)


def _in_hour(spans: Iterable[_Span], hour: datetime) -> list[_Span]:
    return [each for each in spans if each.start < hour + HOUR and each.stop > hour]


def _bar(span: _Span, hour: datetime, top: int) -> Bar:
    """The part of a span that lies in an hour."""
    x = max((span.start - hour) / HOUR, 0.0) * WIDTH
    right = min((span.stop - hour) / HOUR, 1.0) * WIDTH
    width = max(right - x, 1.5)
    room = int((width - 6) / CHARACTER)
    can_be_cut = room > 3 and span.kind != "gap"  # a length that is cut says another one
    label = span.name if len(span.name) <= room else f"{span.name[: room - 1]}…" if can_be_cut else ""
    return Bar(round(x, 1), top + span.lane * LANE, round(width, 1), span.kind, span.title, label, span.key)

"""The report as a page to print or to send: one file with its charts in it, which asks for nothing from anywhere."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import nsmallest
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from playlog_cli.catalog.entry import Catalog
from playlog_cli.reporting import forms
from playlog_cli.reporting.figures import Charts, Figures, Period
from playlog_cli.reporting.forms import Report
from playlog_cli.reporting.naming import title_and_artist
from playlog_cli.reporting.rate_card import NO_RULE

TEMPLATE = "page.html.j2"
LINES_ON_A_PAGE = 100
TOP_TRACKS = 12
COLOURS = 8  # the last one is for the stations that have none of their own
# Up to so many, days stand side by side; beyond, weeks do, since a column for a day would be too thin to see.
MOST_DAYS = 100
LABELS = 10
LABEL_CHARACTERS = 38

# Of the drawings, in units of the SVG.
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1000, 70, 8, 12, 30
HEIGHT = 280
BAR_HEIGHT, BAR_GAP, BAR_LEFT, BAR_RIGHT = 22, 8, 310, 130
COLUMN_GAP = 0.18  # of a column's width


@dataclass(frozen=True, slots=True)
class Label:
    """A text on an axis, and where."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Series:
    """The columns of one colour, as an SVG path, and what the legend says of them."""

    name: str
    total: str
    path: str


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column stands, and what it says when it is pointed at."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """Columns over an axis of time.

    Attributes:
        series: from the bottom to the top, each with a colour of its own.
        columns: one for each place on the axis.
        labels: under the axis.
        lines: across, with what they stand for.
    """

    series: Sequence[Series]
    columns: Sequence[Column]
    labels: Sequence[Label]
    lines: Sequence[Label]


@dataclass(frozen=True, slots=True)
class BarRow:
    """A bar from left to right: its place, its length, and its texts."""

    y: float
    width: float
    name: str
    title: str
    value: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars below each other; ``height`` holds all of them."""

    rows: Sequence[BarRow]
    height: float


def write_page(report: Report, file: TextIO) -> None:
    """Writes the page.

    Args:
        report: which.
        file: UTF-8.
    """
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "count": "{:,}".format,
        "number": forms.grouped,
        "percent": forms.percent,
        "rate": forms.rate_in_words,
        "covered": forms.covered,
    }
    figures = report.figures
    lines, rest, left = forms.first_lines(figures, LINES_ON_A_PAGE)
    page = templates.get_template(TEMPLATE).stream(
        title=forms.period_in_words(report),
        period=_period_in_words(figures.period),
        scope=_scope(report),
        report=report,
        figures=figures,
        zone=figures.period.zone.key,
        tiles=list(_tiles(figures)),
        days_title=days_title(figures.period),
        days=days_chart(figures.charts, figures.period),
        hours=hours_chart(figures.charts),
        tracks_title=_tracks_title(figures.charts),
        tracks=bar_chart(top_tracks(report), figures.total.plays),
        failures=bar_chart(list(report.failures.items()), sum(report.failures.values())),
        by=" and ".join(figures.by),
        titles=("title", "artist") if report.has_titles else (),
        lines=lines,
        rest=rest,
        left=left,
        no_rule=NO_RULE,
        notes=list(forms.notes(report)),
        drawing={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "base": HEIGHT - BOTTOM},
        bars={"height": BAR_HEIGHT, "left": BAR_LEFT},
    )
    file.writelines(page)


def top_tracks(report: Report) -> list[tuple[str, int]]:
    """The tracks with the most plays, by title and artist where the catalog has them."""
    names = report.names or Catalog()
    top = most_played(report.figures.charts.by_track, TOP_TRACKS)
    return [(title_and_artist(names.entry(track_id)), plays) for track_id, plays in top]


def days_title(period: Period) -> str:
    """What the columns over the days show."""
    return "Plays per day, by station" + (", mean of each week" if len(period.days) > MOST_DAYS else "")


def days_chart(charts: Charts, period: Period) -> ColumnChart:
    """Plays per day by station, stacked; over a long period, the mean of each week.

    Args:
        charts: the counts.
        period: each of its days has its place, whether anything was played or not.
    """
    length = 1 if len(period.days) <= MOST_DAYS else 7
    spans = [period.days[first : first + length] for first in range(0, len(period.days), length)]
    place = {day: number for number, span in enumerate(spans) for day in span}
    named = [station for station, _ in most_played(charts.by_station, COLOURS)]
    if len(charts.by_station) > COLOURS:
        named = named[:-1]
    others = f"{len(charts.by_station) - len(named):,} other stations"
    counts: dict[str, list[float]] = {name: [0.0] * len(spans) for name in named}
    totals: Counter[str] = Counter()
    for (day, station), plays in sorted(charts.by_day.items()):
        name = station if station in named else others
        counts.setdefault(name, [0.0] * len(spans))[place[day]] += plays / len(spans[place[day]])
        totals[name] += plays
    return _columns(
        counts,
        titles=[_span_title(span, [counts[name][number] for name in counts]) for number, span in enumerate(spans)],
        labels=_day_labels(spans),
        totals=totals,
    )


def hours_chart(charts: Charts) -> ColumnChart:
    """Plays by the hour of the day in which they began."""
    counts = [float(charts.by_hour[hour]) for hour in range(24)]
    return _columns(
        {"plays": counts},
        titles=[f"{hour:02}:00 to {hour + 1:02}:00: {forms.counted(int(counts[hour]), 'play')}" for hour in range(24)],
        labels=[(hour, f"{hour:02}:00") for hour in range(0, 24, 3)],
        totals=Counter(),
    )


def bar_chart(counts: Sequence[tuple[str, int]], whole: int) -> BarChart:
    """Counts as bars.

    Args:
        counts: name and count, in their order.
        whole: of which the shares are told.
    """
    most = max((count for _, count in counts), default=0)
    room = WIDTH - BAR_LEFT - BAR_RIGHT
    rows = [
        BarRow(
            y=number * (BAR_HEIGHT + BAR_GAP),
            width=round(room * count / most, 1),
            name=name if len(name) <= LABEL_CHARACTERS else f"{name[: LABEL_CHARACTERS - 1]}…",
            title=name,
            value=f"{count:,} ({100 * count / whole:.1f} %)",
        )
        for number, (name, count) in enumerate(counts)
    ]
    return BarChart(rows, max(0, len(rows) * (BAR_HEIGHT + BAR_GAP) - BAR_GAP))


def most_played(counts: Mapping[str, int], most: int) -> list[tuple[str, int]]:
    """The highest counts with their names, the highest first; of equal ones, in the order of their names."""
    return nsmallest(most, counts.items(), key=lambda each: (-each[1], each[0]))


def steps(most: float) -> list[float]:
    """Where lines cross a chart: three to six of them from 0 on, round numbers, the last one at or above ``most``."""
    step = 1.0
    while most / step > 5:
        step = step * 2.5 if str(int(step)).startswith("2") else step * 2
    count = max(1, -int(-most // step))
    return [number * step for number in range(count + 1)]


def _columns(
    counts: Mapping[str, Sequence[float]],
    *,
    titles: Sequence[str],
    labels: Sequence[tuple[int, str]],
    totals: Mapping[str, int],
) -> ColumnChart:
    """Stacks the counts of each name on those of the names before it."""
    width = (WIDTH - LEFT - RIGHT) / len(titles)
    gap = width * COLUMN_GAP
    stacked = [sum(at) for at in zip(*counts.values(), strict=True)] or [0.0]
    lines = steps(max(stacked))
    unit = (HEIGHT - TOP - BOTTOM) / lines[-1]
    below = [0.0] * len(titles)
    series = []
    for name, values in counts.items():
        path = []
        for number, value in enumerate(values):
            if value:
                x, y = LEFT + number * width + gap / 2, HEIGHT - BOTTOM - (below[number] + value) * unit
                path.append(f"M{x:.2f} {y:.2f}h{width - gap:.2f}v{value * unit:.2f}h-{width - gap:.2f}z")
                below[number] += value
        series.append(Series(name, f"{totals.get(name, 0):,}", "".join(path)))
    return ColumnChart(
        series=series,
        columns=[Column(round(LEFT + at * width, 2), round(width, 2), title) for at, title in enumerate(titles)],
        labels=[Label(round(LEFT + (number + 0.5) * width, 2), text) for number, text in labels],
        lines=[Label(round(HEIGHT - BOTTOM - line * unit, 2), f"{line:,.0f}") for line in lines],
    )


def _day_labels(spans: Sequence[Sequence[date]]) -> list[tuple[int, str]]:
    """Days of a short period; of a long one, the columns in which a month begins."""
    if len(spans[0]) == 1:
        every = -(-len(spans) // LABELS)
        return [(number, _day(spans[number][0])) for number in range(0, len(spans), every)]
    months = [(number, day) for number, span in enumerate(spans) for day in span if day.day == 1]
    every = next((step for step in (1, 2, 3, 6) if len(months) / step <= LABELS), 12)
    return [(number, f"{day:%b %Y}") for number, day in months if (day.month - 1) % every == 0]


def _span_title(span: Sequence[date], counts: Sequence[float]) -> str:
    first, last = (f"{_day(day)} {day.year}" for day in (span[0], span[-1]))
    if len(span) == 1:
        return f"{first}: {forms.counted(round(sum(counts)), 'play')}"
    return f"{first} to {last}: {sum(counts):,.1f} plays a day"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _period_in_words(period: Period) -> str:
    last = period.end - timedelta(days=1)
    first_day, last_day = (f"{_day(day)} {day.year}" for day in (period.start, last))
    return first_day if last == period.start else f"{first_day} to {last_day}"


def _scope(report: Report) -> str:
    stations = f"station {', '.join(report.stations)}" if report.stations else "all stations"
    return f"{stations}, track {', '.join(report.tracks)}" if report.tracks else stations


def _tiles(figures: Figures) -> Iterator[tuple[str, str]]:
    sums = figures.total
    if figures.card:
        yield f"{figures.card.currency} in total", forms.grouped(sums.amount)
    yield "plays", f"{sums.plays:,}"
    yield "hours on air", f"{sums.seconds / 3600:,.0f}"
    for name, counts in ("track", figures.charts.by_track), ("station", figures.charts.by_station):
        number, what = forms.counted(len(counts), name).split()
        yield what, number
    yield "flagged", forms.percent(sums.flagged_share)


def _tracks_title(charts: Charts) -> str:
    tracks = len(charts.by_track)
    return f"Top {TOP_TRACKS} of {tracks:,} tracks" if tracks > TOP_TRACKS else "Tracks"

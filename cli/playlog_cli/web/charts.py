"""Draws the charts of the overview. Pure: numbers in, rectangles out."""

from collections.abc import Sequence
from dataclasses import dataclass

from playlog_cli.overview.trends import DaysOfFailures, StationHours

WIDTH, HEIGHT = 700.0, 160.0
HOURS_HEIGHT = 44.0
GAP = 0.2  # of a column's width
COLOURS = 8  # the style sheet has as many; the last one is for all further codes


@dataclass(frozen=True)
class Column:
    """A rectangle, in units of the drawing.

    Attributes:
        x, y: its upper left corner.
        width, height: its size.
        colour: number of its colour.
        title: what it says when it is pointed at.
    """

    x: float
    y: float
    width: float
    height: float
    colour: int
    title: str


def stacked(found: DaysOfFailures) -> list[Column]:
    """Columns of failures per day, a colour for each reason code."""
    step = WIDTH / len(found.days)
    columns = []
    for number, day in enumerate(found.days):
        base = HEIGHT
        for colour, (code, counts) in enumerate(found.by_code.items()):
            height = counts[number] / (found.highest or 1) * (HEIGHT - 4)
            base -= height
            if counts[number]:
                title = f"{day}: {counts[number]:,} {code}"
                x, width = number * step + step * GAP / 2, step * (1 - GAP)
                columns.append(
                    Column(
                        round(x, 1), round(base, 1), round(width, 1), round(height, 1), min(colour, COLOURS - 1), title
                    )
                )
    return columns


def hours(station: StationHours) -> tuple[list[Column], list[Column]]:
    """Columns of plays per hour: those of a week before, and today's over them."""
    highest = max(*station.today, *station.before, 1)
    return _row(station.before, highest, 0.0, "the week before"), _row(station.today, highest, GAP, "today")


def _row(counts: Sequence[int], highest: int, gap: float, when: str) -> list[Column]:
    step = WIDTH / len(counts)
    return [
        Column(
            round(hour * step + step * (gap + 0.08) / 2, 1),
            round(HOURS_HEIGHT * (1 - count / highest), 1),
            round(step * (1 - gap - 0.08), 1),
            round(HOURS_HEIGHT * count / highest, 1),
            0,
            f"{hour:02}:00 {when}: {count:,} plays",
        )
        for hour, count in enumerate(counts)
        if count
    ]

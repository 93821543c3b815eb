"""From plays to the rows of a layout: which are left out, which belong together, and what they lack. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from playlog_cli.catalog.entry import Catalog
from playlog_cli.layouts.cells import Cells
from playlog_cli.layouts.fields import Row, Surroundings, value_of
from playlog_cli.layouts.model import Layout, LeaveOut, Unit
from playlog_cli.reporting.listing.listed_play import ListedPlay
from playlog_cli.reporting.rate_card import EXACT


@dataclass
class Findings:
    """What a check has found.

    Attributes:
        rows: how many rows the file has.
        left_out: how many plays are left out, by the reason.
        lacking: rows and plays that lack something, by what that is.
        stations: of the plays in the file.
    """

    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    lacking: dict[str, tuple[int, int]] = field(default_factory=dict)
    stations: set[str] = field(default_factory=set)


def rows_of(plays: Iterable[ListedPlay], catalog: Catalog, layout: Layout, around: Surroundings) -> Iterator[Row]:
    """The rows of the file, in order: of plays by time, of tracks by artist, title and id.

    Args:
        plays: in the order of time.
        catalog: the names of the tracks.
        layout: which.
        around: period and settings.
    """
    rows = (Row(play, catalog.entry(play.track_id), 1, play.seconds) for play in plays)
    kept = (row for row in rows if not reason_to_leave_out(row, layout, around))
    if layout.unit is Unit.PLAY:
        yield from kept
    else:
        yield from _grouped(kept, layout.unit)


def check_rows(plays: Iterable[ListedPlay], catalog: Catalog, layout: Layout, around: Surroundings) -> Findings:
    """What a file would lack, before it is written.

    Args:
        plays: in the order of time.
        catalog: the names of the tracks.
        layout: which.
        around: period and settings.
    """
    found = Findings()

    def counted() -> Iterator[ListedPlay]:
        for play in plays:
            row = Row(play, catalog.entry(play.track_id), 1, play.seconds)
            if why := reason_to_leave_out(row, layout, around):
                found.left_out[why] += 1
            else:
                found.stations.add(play.station_id)
                yield play

    cells = Cells(layout, around)
    for row in rows_of(counted(), catalog, layout, around):
        found.rows += 1
        for what in cells.lacking(row):
            rows, of_plays = found.lacking.get(what, (0, 0))
            found.lacking[what] = rows + 1, of_plays + row.plays
    return found


def reason_to_leave_out(row: Row, layout: Layout, around: Surroundings) -> str | None:
    """Why a play is not in the file; None if it is."""
    return next((rule.why for rule in layout.leave_out if _is_left_out(rule, row, around)), None)


def _is_left_out(rule: LeaveOut, row: Row, around: Surroundings) -> bool:
    value = value_of(rule.field, row, around)
    if value is None:
        return rule.is_blank
    if rule.below is not None:
        return isinstance(value, int | Decimal) and value < rule.below
    return (str(value).lower() if isinstance(value, bool) else str(value)) in rule.values


def _grouped(rows: Iterable[Row], unit: Unit) -> list[Row]:
    groups: dict[tuple[str, ...], Row] = {}
    for row in rows:
        station = (row.play.station_id,) if unit is Unit.TRACK_AND_STATION else ()
        key = row.play.track_id, *station
        first = groups.get(key)
        groups[key] = (
            Row(first.play, first.entry, first.plays + 1, EXACT.add(first.seconds, row.seconds)) if first else row
        )
    return sorted(groups.values(), key=_place)


def _place(row: Row) -> tuple[str, ...]:
    return row.entry.artist, row.entry.title, row.play.track_id, row.play.station_id

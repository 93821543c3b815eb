"""Add up the plays of an engine's table ``plays``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from playlog_cli.exporting.engine import Engine
from playlog_cli.reporting.figures import By, Charts, Figures, Line
from playlog_cli.reporting.rate_card import EXACT, RateCard, Rule
from playlog_cli.reporting.sums import clock, sql
from playlog_cli.reporting.sums.sql import COLUMN, PARTS, Selection

_DAYS_AND_STATIONS = frozenset({"day", "station_id"})
_TRACKS = frozenset({"track_id"})
_HOURS = frozenset({"hour"})


@dataclass(frozen=True)
class Added:
    """What the plays of an engine add up to.

    Attributes:
        figures: the sums.
        stations: ids of the stations of all plays, also of those that were withdrawn.
        tracks: ids of the tracks of all plays, also of those that were withdrawn.
    """

    figures: Figures
    stations: set[str]
    tracks: set[str]


def figures_of(engine: Engine, selection: Selection, by: Sequence[By], card: RateCard | None = None) -> Added:
    """Adds plays up.

    Plays that are not active are counted apart and in no line: somebody withdrew them. Archived ones count like any
    other, as putting a play away does not undo it.

    Args:
        engine: has the table ``plays`` with the columns of an export. Each play can be added up.
        selection: which plays.
        by: what to group them by.
        card: what to pay them by.
    """
    of_lines = frozenset({*(COLUMN[each] for each in by), "rule"})
    groups = {of_lines: _Rows(), _DAYS_AND_STATIONS: _Rows(), _TRACKS: _Rows(), _HOURS: _Rows()}
    for bits, *row in engine.rows(sql.sums(selection, groups, card)):
        group = frozenset(part for place, part in enumerate(reversed(PARTS)) if not bits >> place & 1)
        groups[group].add(row)
    charts = _charts(groups)
    withdrawn = list(engine.rows(sql.withdrawn(selection)))
    figures = Figures(
        period=selection.period,
        by=tuple(by),
        card=card,
        lines=_lines(groups[of_lines].rows, by, card),
        withdrawn=sum(count for _, _, count in withdrawn),
        archived=sum(row["archived"] for row in groups[_HOURS].rows),
        charts=charts,
    )
    stations = {*charts.by_station, *(station for station, _, _ in withdrawn)}
    return Added(figures, stations, {*charts.by_track, *(track for _, track, _ in withdrawn)})


@dataclass
class _Rows:
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: Sequence[Any]) -> None:
        names = (*PARTS, "plays", "matches", "seconds", "flagged", "archived")
        self.rows.append(dict(zip(names, row, strict=True)))


def _charts(groups: dict[frozenset[str], _Rows]) -> Charts:
    charts = Charts()
    for row in groups[_DAYS_AND_STATIONS].rows:
        charts.by_day[clock.day_of(row["day"]), row["station_id"]] += row["plays"]
        charts.by_station[row["station_id"]] += row["plays"]
    for row in groups[_TRACKS].rows:
        charts.by_track[row["track_id"]] += row["plays"]
    for row in groups[_HOURS].rows:
        charts.by_hour[row["hour"]] += row["plays"]
    return charts


def _lines(rows: Iterable[dict[str, Any]], by: Sequence[By], card: RateCard | None) -> tuple[Line, ...]:
    """In the order of their keys, but tracks with the most plays first; a key's lines in the order of the card."""
    lines = [_line(row, by, card) for row in rows]
    plays_of: Counter[tuple[str, ...]] = Counter()
    for line in lines:
        plays_of[line.key] += line.plays
    order = {rule: number for number, rule in enumerate(card.rules)} if card else {}
    not_tracks = [number for number, each in enumerate(by) if each is not By.TRACK]

    def place(line: Line) -> tuple[object, ...]:
        most_first = -plays_of[line.key] if By.TRACK in by else 0
        rule = len(order) if line.rule is None else order[line.rule]
        return tuple(line.key[number] for number in not_tracks), most_first, line.key, rule

    return tuple(sorted(lines, key=place))


def _line(row: dict[str, Any], by: Sequence[By], card: RateCard | None) -> Line:
    rule: Rule | None = card.rules[row["rule"]] if card and row["rule"] is not None else None
    seconds = _shortest(row["seconds"])
    exact = rule.amount(row["plays"], seconds) if rule else Decimal(0)
    return Line(
        key=tuple(_key(each, row[COLUMN[each]]) for each in by),
        rule=rule,
        plays=row["plays"],
        matches=int(row["matches"]),
        seconds=seconds,
        flagged=int(row["flagged"]),
        exact=exact,
        amount=card.rounded(exact) if card else Decimal(0),
    )


def _key(by: By, part: Any) -> str:
    match by:
        case By.DAY:
            return clock.day_of(part).isoformat()
        case By.HOUR:
            return f"{part:02}:00"
        case _:
            return str(part)


def _shortest(number: Decimal) -> Decimal:
    """The same number without the zeros at its end that an engine adds."""
    whole = number.to_integral_value()
    return whole.quantize(Decimal(1), context=EXACT) if number == whole else number.normalize(EXACT)

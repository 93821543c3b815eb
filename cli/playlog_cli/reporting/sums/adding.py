"""Add up the plays of an engine's table ``plays``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from playlog_cli.exporting.columns import PLAYS
from playlog_cli.exporting.engine import Statements
from playlog_cli.exporting.items import columns_of, item_of, listed
from playlog_cli.reporting.attributes import unusable
from playlog_cli.reporting.figures import ZERO, By, Charts, Figures, Line
from playlog_cli.reporting.plays import ATTRIBUTES, play_of
from playlog_cli.reporting.rate_card import EXACT, RateCard, Rule
from playlog_cli.reporting.sums import clock, sql
from playlog_cli.reporting.sums.sql import Selection

_DURATION_PLACES = 6


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


def figures_of(engine: Statements, selection: Selection, by: Sequence[By], card: RateCard | None = None) -> Added:
    """Adds plays up.

    Plays that are not active are counted apart and in no line: somebody withdrew them. Archived ones count like any
    other, as putting a play away does not undo it.

    Args:
        engine: has the table ``plays`` with the columns of an export.
        selection: which plays.
        by: what to group them by, all different.
        card: what to pay them by.

    Raises:
        CommandError: a play cannot be added up: with its key, and with what is wrong.
    """
    exceptions = list(engine.rows(sql.exceptions(selection)))
    if any(doubtful for *_, doubtful in exceptions):
        check(engine, selection)
    withdrawn = [(station, track, int(count)) for station, track, count, _ in exceptions if count]
    rows = list(engine.rows(sql.sums(selection, by, card)))
    lines = _lines(rows, by, card)
    charts = _charts(engine, selection, by, lines)
    figures = Figures(
        period=selection.period,
        by=tuple(by),
        card=card,
        lines=lines,
        withdrawn=sum(count for _, _, count in withdrawn),
        archived=sum(int(row[-1]) for row in rows),
        charts=charts,
    )
    stations = {*charts.by_station, *(station for station, _, _ in withdrawn)}
    return Added(figures, stations, {*charts.by_track, *(track for _, track, _ in withdrawn)})


def check(engine: Statements, selection: Selection) -> None:
    """Checks that each play can be added up.

    Args:
        engine: has the table ``plays``.
        selection: which plays.

    Raises:
        CommandError: one cannot: with its key, and with what is wrong.
    """
    attributes = columns_of(PLAYS, ATTRIBUTES)
    for row in engine.rows(sql.doubtful(selection, listed(attributes))):
        item = item_of(attributes, row)
        places = play_of(item).seconds.normalize().as_tuple().exponent
        if isinstance(places, int) and places < -_DURATION_PLACES:
            seconds = item["duration_seconds"]["N"]
            wrong = ValueError(f"duration_seconds is {seconds}: it must have at most {_DURATION_PLACES} decimal places")
            raise unusable(item, "added up", wrong)


def _charts(engine: Statements, selection: Selection, by: Sequence[By], lines: Sequence[Line]) -> Charts:
    charts = Charts()
    for day, station, plays in engine.rows(sql.counts(selection, (By.DAY, By.STATION))):
        charts.by_day[clock.day_of(day), station] = plays
        charts.by_station[station] += plays
    for hour, plays in engine.rows(sql.counts(selection, (By.HOUR,))):
        charts.by_hour[hour] = plays
    if By.TRACK in by:
        place = by.index(By.TRACK)
        for line in lines:
            charts.by_track[line.key[place]] += line.plays
    else:
        charts.by_track.update(dict(engine.rows(sql.counts(selection, (By.TRACK,)))))
    return charts


def _lines(rows: Iterable[Sequence[Any]], by: Sequence[By], card: RateCard | None) -> tuple[Line, ...]:
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


def _line(row: Sequence[Any], by: Sequence[By], card: RateCard | None) -> Line:
    *parts, number, plays, matches, summed, flagged, _ = row
    rule: Rule | None = card.rules[number] if card and number is not None else None
    seconds = _shortest(summed)
    exact = rule.amount(plays, seconds) if rule else ZERO
    return Line(
        key=tuple(map(_key, by, parts)),
        rule=rule,
        plays=plays,
        matches=int(matches),
        seconds=seconds,
        flagged=int(flagged),
        exact=exact,
        amount=card.rounded(exact) if card else ZERO,
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

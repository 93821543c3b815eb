"""The forms of a report: in words, on a terminal, as CSV and as JSON. Pure; the page is in `page`."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TextIO

from playlog.domain import timestamps
from rich.bar import Bar
from rich.console import Console, RenderableType
from rich.table import Table

from playlog_cli.catalog.entry import Catalog
from playlog_cli.errors import shown
from playlog_cli.reporting.figures import By, Figures, Line, Sum, total
from playlog_cli.reporting.rate_card import EXACT, HOURS, NO_RULE, RateCard, Rounding, Rule

LINES_ON_A_SCREEN = 40
BAR_CELLS = 24
ROOM_FOR_BARS, ROOM_FOR_BARS_AND_MONEY = 80, 110  # cells across

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), and the mark itself, so that it can
# be taken away again.
_MARK = "'"
_MARKED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", _MARK)


@dataclass(frozen=True)
class Report:
    """A report on the plays of a stack.

    Attributes:
        stack: its name.
        region: where it is.
        stations: of which alone the plays are; none for all.
        tracks: of which alone the plays are; none for all.
        figures: what they add up to.
        failures: conversions that failed in the period, by reason code, the most frequent first.
        lookalikes: groups of ids, of stations or of tracks, that differ only in spaces, case or Unicode form. Stations
            of the rate card are among them.
        source_notes: sentences on how the plays were read.
        names: title and artist of the tracks; None if nobody named a catalog.
        plays: how many plays were read, with those that were withdrawn, and their digest (see ``digest_of``). None
            if nobody asked.
    """

    stack: str
    region: str
    stations: Sequence[str]
    tracks: Sequence[str]
    figures: Figures
    failures: Mapping[str, int]
    lookalikes: Sequence[Sequence[str]] = ()
    source_notes: Sequence[str] = ()
    names: Catalog | None = None
    plays: tuple[int, int] | None = None

    @property
    def has_titles(self) -> bool:
        """Whether each line is of one track, with its title and artist."""
        return self.names is not None and By.TRACK in self.figures.by

    def titles(self, line: Line) -> tuple[str, ...]:
        """Title and artist of a line; nothing if its lines have none."""
        if self.names is None or By.TRACK not in self.figures.by:
            return ()
        entry = self.names.entry(line.key[list(self.figures.by).index(By.TRACK)])
        return entry.title, entry.artist


def period_in_words(report: Report) -> str:
    """Which plays the report is on."""
    period = report.figures.period
    stations = f" on station {' or '.join(report.stations)}" if report.stations else ""
    tracks = f" of track {' or '.join(report.tracks)}" if report.tracks else ""
    return f"plays{tracks}{stations} that began from {period.start} 0:00 to before {period.end} 0:00, {period.zone.key}"


def notes(report: Report) -> Iterator[str]:
    """How the figures are meant: a sentence or two each."""
    figures = report.figures
    period = figures.period
    yield (
        f"A play belongs to the day and hour in which it began, in {period.zone.key}: the period goes "
        f"from {_instant(period.since)} to before {_instant(period.until)} in UTC."
    )
    if figures.withdrawn:
        yield f"Left out: {counted(figures.withdrawn, 'play')} that somebody withdrew (not active)."
    if figures.archived:
        yield f"Counted like any other: {counted(figures.archived, 'archived play')}."
    if figures.card:
        yield _rounding_note(figures.card, figures.total)
        yield (
            "A play is paid by the first rule of the card that fits it; a rule's hours are those of the station's time "
            f"zone. What no rule covers stands as {NO_RULE} and comes to 0."
        )
        unpaid = sum(line.plays for line in figures.lines if line.rule is None)
        if unpaid and any(rule.min_confidence is not None for rule in figures.card.rules):
            yield (
                f"No rule covers {counted(unpaid, 'play')}. A rule with min_confidence covers only plays that have a "
                "confidence: those of a station's own log have none."
            )
    for group in report.lookalikes:
        names = " and ".join(map(shown, group))
        yield f"Counted and paid as different: {names}, which differ only in spaces, case or Unicode form."
    yield from report.source_notes
    yield "A failure counts on the day on which its conversion failed, which may be later than the day of the play."


def write_csv(report: Report, file: TextIO) -> None:
    """Writes the lines as CSV after RFC 4180, without their total: a sum over a column is one.

    A text that a spreadsheet would take for a formula has an apostrophe before it, and so has one that begins with an
    apostrophe itself. JSON has the texts as they are.

    Args:
        report: which.
        file: opened with ``newline=""``.
    """
    figures = report.figures
    period, card = figures.period, figures.card
    writer = csv.writer(file, lineterminator="\r\n")
    sums = ["plays", "matches", "seconds", "flagged", "flagged_share"]
    money = ["rule", "rate", "per", "amount", "currency"] if card else []
    titles = ["title", "artist"] if report.has_titles else []
    writer.writerow(["from", "to", "time_zone", *figures.by, *titles, *sums, *money])
    for line in figures.lines:
        row = [
            period.start.isoformat(),
            period.end.isoformat(),
            period.zone.key,
            *map(_cell, (*line.key, *report.titles(line))),
            line.plays,
            line.matches,
            plain(line.seconds),
            line.flagged,
            line.flagged_share,
        ]
        if card:
            rule = [_cell(line.rule.name), plain(line.rule.rate), line.rule.per] if line.rule else [NO_RULE, 0, ""]
            row += [*rule, fixed(line.amount), card.currency]
        writer.writerow(row)


def as_json(report: Report) -> dict[str, Any]:
    """The report in values that JSON has: decimal numbers as text, since most readers would round them."""
    figures = report.figures
    period, card = figures.period, figures.card
    values: dict[str, Any] = {
        "stack": report.stack,
        "region": report.region,
        "period": {
            "from": period.start.isoformat(),
            "to": period.end.isoformat(),
            "time_zone": period.zone.key,
            "since": timestamps.to_text(period.since),
            "until": timestamps.to_text(period.until),
        },
        "stations": list(report.stations),
        "lookalikes": [list(group) for group in report.lookalikes],
        "tracks": list(report.tracks),
        "by": [str(by) for by in figures.by],
        "lines": [
            {
                **{str(by): part for by, part in zip(figures.by, line.key, strict=True)},
                **dict(zip(("title", "artist"), report.titles(line), strict=False)),
                **_json_line(line, card),
            }
            for line in figures.lines
        ],
        "total": _json_sum(figures.total, card),
        "withdrawn": figures.withdrawn,
        "archived": figures.archived,
        "failures": dict(report.failures),
        "notes": list(notes(report)),
    }
    if card:
        values["currency"] = card.currency
        values["decimal_places"] = card.decimal_places
        values["rounding"] = str(card.rounding)
        values["rules"] = [{**_json_rule(rule), **_json_sum(sums, card)} for rule, sums in figures.by_rule]
    return values


def render(report: Report, console: Console) -> None:
    """Shows the report on a terminal: its first lines and what the others add up to, rules, failures, notes."""
    figures = report.figures
    console.print(f"stack {report.stack} in {report.region}", style="bold", soft_wrap=True)
    console.print(period_in_words(report), soft_wrap=True)
    console.print()
    room = ROOM_FOR_BARS_AND_MONEY if figures.card else ROOM_FOR_BARS
    console.print(_line_table(report, with_bars=console.is_terminal and console.width >= room))
    if figures.card:
        console.print()
        console.print(_rule_table(figures, figures.card))
    console.print()
    if report.failures:
        failures = _plain_table()
        failures.add_column("conversions that failed in the period")
        _number_column(failures, "failures")
        for code, count in report.failures.items():
            failures.add_row(code, f"{count:,}")
        console.print(failures)
        console.print()
    for note in notes(report):
        console.print(note, style="dim")


def first_lines(figures: Figures, most: int) -> tuple[Sequence[Line], Sum | None, int]:
    """The lines that fit, what the others add up to (None if there are none), and how many those are."""
    if len(figures.lines) <= most:
        return figures.lines, None, 0
    rest = figures.lines[most:]
    return figures.lines[:most], total(rest), len(rest)


def covered(rule: Rule) -> str:
    """Which plays a rule is for."""
    stations = ", ".join(sorted(rule.stations)) if rule.stations else "every station"
    hours = "" if rule.hours is HOURS else "; " + ", ".join(_spans(rule.hours))
    sure = "" if rule.min_confidence is None else f"; confidence {plain(rule.min_confidence)} or more"
    return f"{stations}{hours}{sure}"


def rate_in_words(rule: Rule) -> str:
    """A rate, like ``0.0125 per second``."""
    return f"{plain(rule.rate)} per {rule.per}"


def percent(share: Decimal) -> str:
    """A share of 0 to 1 as a percentage."""
    return f"{share * 100:.1f} %"


def plain(number: Decimal) -> str:
    """A number in digits, as short as it is exact."""
    return format(number.normalize(EXACT), "f")


def fixed(number: Decimal) -> str:
    """A number in digits, with the places that it was rounded to."""
    return format(number, "f")


def grouped(number: Decimal) -> str:
    """A number for people, its thousands apart."""
    return format(number, ",f")


def counted(number: int, singular: str) -> str:
    """A number and what it counts."""
    return f"{number:,} {singular}{'' if number == 1 else 's'}"


def _rounding_note(card: RateCard, sums: Sum) -> str:
    half = {Rounding.HALF_UP: "half up", Rounding.HALF_EVEN: "half to the even digit"}[card.rounding]
    difference = EXACT.subtract(sums.amount, sums.exact)
    made = (
        f"rounding {'added' if difference > 0 else 'took'} {plain(abs(difference))}" if difference else "it is the same"
    )
    return (
        f"Each line's amount is its plays or seconds times the rate, rounded {half} to "
        f"{counted(card.decimal_places, 'decimal place')}, and the total is the sum of these amounts. "
        f"Before rounding that is {plain(sums.exact)} {card.currency}: {made}."
    )


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" + (f":{instant:%S}" if instant.second else "")


def _cell(text: str) -> str:
    return _MARK + text if text.startswith(_MARKED) else text


def _json_line(line: Line, card: RateCard | None) -> dict[str, Any]:
    return {**_json_sum(line, card), **(_json_rule(line.rule) if card else {})}


def _json_rule(rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"rule": None, "rate": "0", "per": None}
    return {"rule": rule.name, "rate": plain(rule.rate), "per": str(rule.per)}


def _json_sum(sums: Sum, card: RateCard | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "plays": sums.plays,
        "matches": sums.matches,
        "seconds": plain(sums.seconds),
        "flagged": sums.flagged,
        "flagged_share": plain(sums.flagged_share),
    }
    return {**values, "amount": fixed(sums.amount), "exact": plain(sums.exact)} if card else values


def _spans(hours: frozenset[int]) -> list[str]:
    """Hours of the day as a card writes them."""
    starts = [hour for hour in sorted(hours) if (hour - 1) % 24 not in hours]
    spans = []
    for start in starts:
        length = next(length for length in range(1, 25) if (start + length) % 24 not in hours)
        spans.append(f"{start:02}-{(start + length - 1) % 24 + 1:02}")
    return spans


def _line_table(report: Report, *, with_bars: bool) -> Table:
    figures = report.figures
    table = _plain_table(show_footer=True, footer_style="bold")
    card, sums = figures.card, figures.total
    for number, name in enumerate(figures.by):
        table.add_column(name, overflow="fold", footer="" if number else "total")
    for title in ("title", "artist") if report.has_titles else ():
        table.add_column(title, overflow="fold")
    _number_column(table, "plays", f"{sums.plays:,}")
    if with_bars:
        table.add_column("", width=BAR_CELLS)
    _number_column(table, "seconds", grouped(sums.seconds))
    _number_column(table, "flagged", percent(sums.flagged_share))
    if card:
        table.add_column("rule", overflow="fold")
        _number_column(table, card.currency, grouped(sums.amount))
    lines, rest, left = first_lines(figures, LINES_ON_A_SCREEN)
    most = max((line.plays for line in lines), default=0)

    def row(key: Sequence[str], each: Sum, rule: str, bar: RenderableType) -> list[RenderableType]:
        plays: list[RenderableType] = [*key, f"{each.plays:,}"]
        length = [grouped(each.seconds), percent(each.flagged_share)]
        return [*plays, *[bar] * with_bars, *length, *([rule, grouped(each.amount)] if card else [])]

    for line in lines:
        bar = Bar(most, 0, line.plays, color="cyan")
        key = (*line.key, *report.titles(line))
        table.add_row(*row(key, line, line.rule.name if line.rule else NO_RULE, bar))
    if rest:
        texts = len(figures.by) + 2 * report.has_titles
        table.add_row(
            *row([f"{counted(left, 'more line')}: see --csv", *[""] * (texts - 1)], rest, "", ""), style="dim"
        )
    return table


def _rule_table(figures: Figures, card: RateCard) -> Table:
    table = _plain_table()
    for name in ("rule", "is for", "rate"):
        table.add_column(name, overflow="fold")
    for name in ("plays", "seconds", card.currency):
        _number_column(table, name)
    for rule, sums in figures.by_rule:
        of_rule = (rule.name, covered(rule), rate_in_words(rule)) if rule else (NO_RULE, "whatever is left", "")
        table.add_row(*of_rule, f"{sums.plays:,}", grouped(sums.seconds), grouped(sums.amount))
    return table


def _plain_table(**options: Any) -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", **options)


def _number_column(table: Table, name: str, footer: str = "") -> None:
    table.add_column(name, justify="right", no_wrap=True, footer=footer)

"""Names in a report: each play stays in one line, and the money stays the same."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import Share
from playlog_cli.reporting.figures import Charts, Figures, Line, Period
from playlog_cli.reporting.forms import Report, as_json, render, write_csv
from playlog_cli.reporting.naming import Key, by_names, keys_to_read, payees_of
from playlog_cli.reporting.page import top_tracks, write_page
from playlog_cli.reporting.rate_card_file import parse_rate_card
from playlog_cli.terminal import PlainConsole

PERIOD = Period(date(2026, 3, 1), date(2026, 4, 1), ZoneInfo("UTC"))
CARD = parse_rate_card(
    'currency = "EUR"\n[[rule]]\nname = "a"\nstations = ["x"]\nrate = 0.005\nper = "play"\n'
    '[[rule]]\nname = "b"\nrate = 0.0125\nper = "second"\n'
)
CATALOG = Catalog(
    [
        Entry("t", "Snow", "Anna", label="Fjord", shares=(Share("Anna", Fraction(1)),)),
        Entry("u", "=Rain", "Anna", shares=(Share("Ben", Fraction(1, 2)), Share("Anna", Fraction(1, 2)))),
    ]
)


def line(track: str, station: str = "s", plays: int = 1, rule: int | None = 1) -> Line:
    of_rule = None if rule is None else CARD.rules[rule]
    seconds = Decimal(181) * plays
    exact = of_rule.amount(plays, seconds) if of_rule else Decimal(0)
    return Line(
        key=(track, station),
        rule=of_rule,
        plays=plays,
        matches=plays,
        seconds=seconds,
        exact=exact,
        amount=CARD.rounded(exact),
    )


def figures(lines: Sequence[Line]) -> Figures:
    charts = Charts()
    for each in lines:
        charts.by_track[each.key[0]] += each.plays
    return Figures(PERIOD, (Key.TRACK, Key.STATION), CARD, lines, 0, 0, charts)


def grouped(lines: Sequence[Line], *by: Key) -> list[tuple[tuple[str, ...], int, Decimal]]:
    return [(each.key, each.plays, each.amount) for each in by_names(figures(lines), by, CATALOG).lines]


def test_lines_are_grouped_by_names_and_rounded_once() -> None:
    lines = [line("t", "x", 1, 0), line("u", "x", 1, 0), line("v", "s"), line("t", "s", 5)]
    assert grouped(lines, Key.ARTIST) == [
        (("Anna",), 2, Decimal("0.01")),  # 2 plays at 0.005: each track alone would be 0.01
        (("Anna",), 5, Decimal("11.31")),
        (("no artist",), 1, Decimal("2.26")),
    ]
    assert [key for key, *_ in grouped(lines, Key.STATION, Key.LABEL)] == [
        ("s", "Fjord"),
        ("s", "no label"),
        ("x", "Fjord"),
        ("x", "no label"),
    ]


def test_a_track_of_several_payees_is_a_line_of_its_own() -> None:
    keys = {key: plays for key, plays, _ in grouped([line("t"), line("u", plays=2), line("v", plays=3)], Key.PAYEE)}
    assert keys == {("Anna",): 1, ("Anna + Ben",): 2, ("no payee",): 3}


def test_only_shares_of_the_period_name_a_payee() -> None:
    old = Share("Old", Fraction(1), until=date(2026, 2, 28))
    now = Share("Now", Fraction(1), since=date(2026, 3, 31), until=date(2026, 3, 31))
    late = Share("Late", Fraction(1), since=date(2026, 4, 1))
    assert payees_of((old, now, late), PERIOD.start, PERIOD.end) == "Now"


@given(
    st.lists(
        st.builds(
            line, st.sampled_from("tuv"), st.sampled_from("sx"), st.integers(1, 9), st.sampled_from([None, 0, 1])
        ),
        max_size=9,
    ),
    st.lists(st.sampled_from([key for key in Key if key not in (Key.DAY, Key.HOUR)]), min_size=1, max_size=3),
)
def test_plays_and_exact_amounts_are_the_same_by_any_names(lines: list[Line], by: list[Key]) -> None:
    before, after = figures(lines), by_names(figures(lines), by, CATALOG)
    assert (after.total.plays, after.total.seconds, after.total.exact) == (
        before.total.plays,
        before.total.seconds,
        before.total.exact,
    )
    assert len({(each.key, each.rule) for each in after.lines}) == len(after.lines) or tuple(by) == before.by


def test_names_are_read_by_the_track() -> None:
    assert keys_to_read([Key.DAY, Key.ARTIST, Key.LABEL]) == ("day", "track")


@pytest.fixture
def report() -> Report:
    return Report(
        stack="playlog",
        region="eu-west-1",
        stations=(),
        tracks=(),
        figures=figures([line("t"), line("u", plays=2)]),
        failures={},
        names=CATALOG,
    )


def test_each_form_shows_title_and_artist_beside_the_id(report: Report) -> None:
    table, page, terminal = io.StringIO(), io.StringIO(), io.StringIO()
    write_csv(report, table)
    write_page(report, page)
    render(report, PlainConsole(file=terminal, width=200))
    rows = list(csv.DictReader(io.StringIO(table.getvalue())))
    assert [(row["track"], row["title"], row["artist"]) for row in rows] == [
        ("t", "Snow", "Anna"),
        ("u", "'=Rain", "Anna"),
    ]
    assert [(each["track"], each["title"]) for each in json.loads(json.dumps(as_json(report)))["lines"]] == [
        ("t", "Snow"),
        ("u", "=Rain"),
    ]
    assert "<td>u</td><td>s</td><td>=Rain</td><td>Anna</td>" in page.getvalue()
    assert "=Rain · Anna: 2" in page.getvalue()
    assert "Snow" in terminal.getvalue()


def test_the_chart_of_a_track_without_a_name_shows_its_id(report: Report) -> None:
    report.figures.charts.by_track["v"] = 7
    assert top_tracks(report)[0] == ("v", 7)

"""The page: a file to send that asks for nothing from anywhere, and in which no id can be anything but text."""

import io
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog_cli.reporting.figures import By, Charts, Period, Play
from playlog_cli.reporting.forms import Report
from playlog_cli.reporting.page import (
    COLOURS,
    LINES_ON_A_PAGE,
    bar_chart,
    days_chart,
    days_title,
    hours_chart,
    most_played,
    steps,
    write_page,
)
from playlog_cli.reporting.rate_card_file import parse_rate_card

from tests.support.reporting.figures import figures_of

UTC_ZONE = ZoneInfo("UTC")
NASTY = "</title></text></td><script>alert(1)</script><img src=//x onerror='y'>\"{{ 7*7 }}"
DOCUMENT = {"html", "head", "meta", "title", "style", "body", "main", "header", "section", "div", "h1", "h2"}
TEXT = {"p", "b", "i", "span", "ul", "li", "table", "thead", "tbody", "tfoot", "tr", "th", "td"}
DRAWING = {"svg", "g", "line", "path", "rect", "text"}


class Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        file = io.StringIO()
        write_page(report, file)
        self.source = file.getvalue()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def report_on(plays: list[Play], *, name: str = "base", by: By = By.TRACK, other: str = "b") -> Report:
    card = parse_rate_card(f"currency = 'EUR'\n[[rule]]\nname = {name!r}\nrate = 0.0125\nper = 'second'")
    period = Period(date(2026, 3, 1), date(2026, 4, 1), UTC_ZONE)
    figures = figures_of(plays, period, [by], card)
    return Report("playlog", "eu-central-1", ["a", other], [other], figures, {"MISSING_TRACK": 3, other: 1})


def play(station: str = "a", track: str = "t") -> Play:
    return Play(station, track, datetime(2026, 3, 14, 12, tzinfo=UTC), Decimal(181))


@pytest.mark.parametrize("by", By)
def test_no_id_can_be_anything_but_text(by: By) -> None:
    page = Page(report_on([play(NASTY, NASTY)], name="<b>&amp;", by=by, other=NASTY))
    assert page.tags.keys() <= DOCUMENT | TEXT | DRAWING
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "style")]
    shown = " ".join(page.texts)
    assert NASTY in shown
    assert "<b>&amp;" in shown


def test_the_page_asks_for_nothing_from_anywhere() -> None:
    page = Page(report_on([play(), play("b")]))
    assert not re.search(r"https?:|[\"'(=]//|@import|url\(|<script|<link|<iframe", page.source)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_the_page_shows_the_charts_the_total_and_how_it_is_meant() -> None:
    page = Page(report_on([play(), play(), play("b")]))
    shown = " ".join(" ".join(page.texts).split())
    for heading in ("Plays per day, by station", "Tracks", "Plays by hour of the day, UTC", "failed, by reason"):
        assert heading in shown
    assert page.tags["svg"] == 4
    assert "14 Mar 2026: 3 plays" in shown
    assert "12:00 to 13:00: 3 plays" in shown
    assert "MISSING_TRACK: 3 (75.0 %)" in shown
    assert "Total 3 543 0.0 % 6.79" in shown
    assert "rounded half up to 2 decimal places" in shown


def test_lines_that_do_not_fit_are_told_with_what_they_come_to() -> None:
    page = Page(report_on([play(track=f"t-{number:03}") for number in range(LINES_ON_A_PAGE + 2)]))
    shown = " ".join(" ".join(page.texts).split())
    assert "and 2 more lines 2 362 0.0 % 4.52" in shown
    assert "Total 102 18,462 0.0 % 230.52" in shown


def test_a_period_without_plays_or_failures_is_a_page_too() -> None:
    figures = figures_of([], Period(date(2026, 3, 1), date(2026, 3, 2), UTC_ZONE), [By.DAY])
    page = Page(Report("playlog", "eu-central-1", [], [], figures, {}))
    assert {"No plays.", "None failed in this period."} <= set(page.texts)


# --- The charts ---


def heights(path: str) -> list[float]:
    return [float(height) for height in re.findall(r"v([0-9.]+)", path)]


def test_columns_are_as_high_as_their_counts_and_stand_on_each_other() -> None:
    charts = Charts()
    day = date(2026, 3, 1)
    charts.by_day.update({(day, "a"): 30, (day, "b"): 10, (day + timedelta(days=2), "a"): 15})
    charts.by_station.update({"a": 45, "b": 10})
    chart = days_chart(charts, Period(day, day + timedelta(days=3), UTC_ZONE))
    assert [(one.name, one.total) for one in chart.series] == [("a", "45"), ("b", "10")]
    first, third = heights(chart.series[0].path)
    (upon,) = heights(chart.series[1].path)
    assert third / first == pytest.approx(1 / 2, abs=0.001)
    assert upon / first == pytest.approx(1 / 3, abs=0.001)
    base, top_of_a, top_of_b = 250, *(float(re.findall(r"M[0-9.]+ ([0-9.]+)", one.path)[0]) for one in chart.series)
    assert base - top_of_a == pytest.approx(first, abs=0.02)
    assert top_of_a - top_of_b == pytest.approx(upon, abs=0.02)
    assert [column.title for column in chart.columns] == [
        "1 Mar 2026: 40 plays",
        "2 Mar 2026: 0 plays",
        "3 Mar 2026: 15 plays",
    ]
    assert [(line.text, line.at) for line in chart.lines][:: len(chart.lines) - 1] == [("0", 250), ("40", 12)]


def test_a_long_period_is_drawn_in_weeks_that_keep_the_meaning_of_plays_per_day() -> None:
    charts = Charts()
    period = Period(date(2026, 1, 1), date(2027, 1, 1), UTC_ZONE)
    charts.by_day.update({(day, "a"): 7 for day in period.days})
    charts.by_station["a"] = 7 * 365
    chart = days_chart(charts, period)
    assert days_title(period) == "Plays per day, by station, mean of each week"
    assert len(chart.columns) == 53
    assert len({round(height, 1) for height in heights(chart.series[0].path)}) == 1, "the last week, of a day, too"
    assert [chart.columns[week].title for week in (0, 52)] == [
        "1 Jan 2026 to 7 Jan 2026: 7.0 plays a day",
        "31 Dec 2026: 7 plays",
    ]
    assert [label.text for label in chart.labels] == [
        "Jan 2026",
        "Mar 2026",
        "May 2026",
        "Jul 2026",
        "Sep 2026",
        "Nov 2026",
    ]


def test_stations_without_a_colour_of_their_own_are_drawn_together() -> None:
    charts = Charts()
    day = date(2026, 3, 1)
    stations = [f"s{number}" for number in range(COLOURS + 2)]
    charts.by_day.update({(day, station): 20 - number for number, station in enumerate(stations)})
    charts.by_station.update({station: 20 - number for number, station in enumerate(stations)})
    chart = days_chart(charts, Period(day, day + timedelta(days=1), UTC_ZONE))
    assert len(chart.series) == COLOURS
    assert (chart.series[-1].name, chart.series[-1].total) == ("3 other stations", str(13 + 12 + 11))


def test_every_hour_has_its_place() -> None:
    charts = Charts()
    charts.by_hour.update({0: 5, 23: 10})
    chart = hours_chart(charts)
    assert [chart.columns[hour].title for hour in (0, 23)] == ["00:00 to 01:00: 5 plays", "23:00 to 24:00: 10 plays"]
    assert heights(chart.series[0].path)[0] * 2 == pytest.approx(heights(chart.series[0].path)[1], abs=0.02)


def test_bars_are_as_long_as_their_counts_and_long_names_are_cut_but_told() -> None:
    chart = bar_chart([("x" * 40, 30), ("y", 10)], 120)
    assert chart.rows[0].width == pytest.approx(3 * chart.rows[1].width, abs=0.2)
    assert [row.value for row in chart.rows] == ["30 (25.0 %)", "10 (8.3 %)"]
    assert (chart.rows[0].name, chart.rows[0].title) == ("x" * 37 + "…", "x" * 40)


def test_of_equal_counts_the_order_is_that_of_their_names() -> None:
    assert most_played({"b": 1, "c": 2, "a": 1}, 2) == [("c", 2), ("a", 1)]


@given(st.floats(0, 1e9))
def test_a_chart_has_few_lines_of_round_numbers_and_room_for_its_highest_column(most: float) -> None:
    lines = steps(most)
    assert 2 <= len(lines) <= 6
    assert lines[-1] >= most
    assert most < 1 or lines[-2] < most
    assert str(int(lines[1])).rstrip("0") in ("1", "2", "5")

"""The figures: every play is in exactly one line, and the total is the sum of the lines to the last digit."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playlog_cli.reporting.figures import By, Line, Period, Play
from playlog_cli.reporting.rate_card import RateCard
from playlog_cli.reporting.rate_card_file import parse_rate_card

from tests.support.reporting.figures import figures_of

BERLIN = ZoneInfo("Europe/Berlin")
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1), ZoneInfo("UTC"))
CARD = """
currency = "EUR"
time_zone = "America/St_Johns"
[time_zones]
a = "Asia/Tokyo"
[[rule]]
name = "a in the morning"
stations = ["a"]
hours = ["06-10"]
rate = 0.333333333333
per = "second"
[[rule]]
name = "a"
stations = ["a"]
rate = 0.005
per = "play"
[[rule]]
name = "sure"
min_confidence = 60.5
rate = 0.0125
per = "second"
"""


def play(at: str = "2026-03-14T12:00:00+00:00", seconds: str = "180", **more: object) -> Play:
    return Play("a", "t", datetime.fromisoformat(at), Decimal(seconds), **more)  # type: ignore[arg-type]


plays = st.builds(
    Play,
    station_id=st.sampled_from("abc"),
    track_id=st.sampled_from(["t", "u", "=v", ""]),
    played_at=st.integers(0, 31 * 86_400 - 1).map(lambda seconds: MARCH.since + timedelta(seconds=seconds)),
    seconds=st.decimals(0, 90_000, places=6),
    matches=st.integers(1, 9),
    confidence=st.none() | st.decimals(0, 100, places=2),
    flagged=st.booleans(),
    active=st.sampled_from([True, True, True, False]),
    archived=st.booleans(),
)
groupings = st.lists(st.sampled_from(By), min_size=1, max_size=4, unique=True)


@settings(max_examples=15, deadline=None)
@given(st.lists(plays, max_size=40), groupings, st.sampled_from([0, 2, 12]))
def test_every_play_is_in_exactly_one_line_and_the_total_is_the_sum_of_the_lines(
    heard: list[Play], by: list[By], places: int
) -> None:
    card = parse_rate_card(f"decimal_places = {places}\n{CARD}")
    figures = figures_of(heard, MARCH, by, card)
    counted = [each for each in heard if each.active]
    assert len({(line.key, line.rule) for line in figures.lines}) == len(figures.lines)
    assert Counter({(line.key, line.rule): line.plays for line in figures.lines}) == Counter(
        (key_of(each, by), card.rule_for(each.station_id, each.played_at, each.confidence)) for each in counted
    )
    total = figures.total
    assert (total.plays, total.matches, total.flagged, Fraction(total.seconds)) == (
        len(counted),
        sum(each.matches for each in counted),
        sum(each.flagged for each in counted),
        sum((Fraction(each.seconds) for each in counted), Fraction(0)),
    )
    assert figures.withdrawn == len(heard) - len(counted)
    assert Fraction(total.amount) == sum(Fraction(line.amount) for line in figures.lines)
    assert Fraction(total.amount) == sum(Fraction(sums.amount) for _, sums in figures.by_rule)
    for line in figures.lines:
        assert Fraction(line.exact) == worth(line)
        assert -line.amount.as_tuple().exponent == places  # type: ignore[operator]
        assert abs(Fraction(line.amount) - Fraction(line.exact)) <= Fraction(1, 2 * 10**places)


@settings(max_examples=15, deadline=None)
@given(st.lists(plays, max_size=40), groupings, groupings)
def test_what_it_comes_to_before_rounding_is_the_same_whatever_it_is_grouped_by(
    heard: list[Play], by: list[By], otherwise: list[By]
) -> None:
    card = parse_rate_card(CARD)
    assert figures_of(heard, MARCH, by, card).total.exact == figures_of(heard, MARCH, otherwise, card).total.exact


def key_of(each: Play, by: list[By]) -> tuple[str, ...]:
    at = each.played_at.astimezone(UTC)
    parts = {By.TRACK: each.track_id, By.STATION: each.station_id, By.DAY: f"{at:%Y-%m-%d}", By.HOUR: f"{at:%H}:00"}
    return tuple(parts[one] for one in by)


def worth(line: Line) -> Fraction:
    if line.rule is None:
        return Fraction(0)
    return Fraction(line.rule.rate) * (line.plays if line.rule.per == "play" else Fraction(line.seconds))


def test_a_play_that_no_rule_covers_has_a_line_of_its_own() -> None:
    heard = [
        Play("b", "t", datetime(2026, 3, 14, tzinfo=UTC), Decimal(100), confidence=Decimal(score)) for score in (50, 70)
    ]
    lines = figures_of(heard, MARCH, [By.STATION], parse_rate_card(CARD)).lines
    assert [(line.rule and line.rule.name, line.plays, str(line.amount)) for line in lines] == [
        ("sure", 1, "1.25"),
        (None, 1, "0.00"),
    ]


def test_without_a_card_nothing_is_said_of_money() -> None:
    figures = figures_of([play()], MARCH, [By.STATION])
    assert (figures.card, figures.by_rule, figures.lines[0].rule) == (None, [], None)


def test_a_withdrawn_play_is_told_but_not_counted_and_an_archived_one_is_both() -> None:
    figures = figures_of([play(active=False), play(archived=True), play()], MARCH, [By.DAY])
    assert (figures.withdrawn, figures.archived, figures.total.plays) == (1, 1, 2)
    assert figures.charts.by_track == {"t": 2}


def test_the_share_that_is_flagged_is_told_of_each_line() -> None:
    (line,) = figures_of([play(flagged=True), play(), play()], MARCH, [By.DAY]).lines
    assert (line.flagged, line.flagged_share) == (1, Decimal("0.3333"))


def test_a_play_belongs_to_the_day_and_hour_of_the_time_zone_that_was_named() -> None:
    period = Period(date(2026, 3, 14), date(2026, 3, 16), BERLIN)
    (line,) = figures_of([play("2026-03-14T23:30:00+00:00")], period, [By.DAY, By.HOUR]).lines
    assert line.key == ("2026-03-15", "00:00")


def test_hours_that_the_clock_repeats_stand_together() -> None:
    period = Period(date(2026, 10, 25), date(2026, 10, 26), BERLIN)
    heard = [play(f"2026-10-25T{hour}:30:00+00:00") for hour in ("00", "01", "02")]
    assert [(line.key, line.plays) for line in figures_of(heard, period, [By.HOUR]).lines] == [
        (("02:00",), 2),
        (("03:00",), 1),
    ]


def test_lines_are_in_the_order_of_time_and_of_stations_but_tracks_by_their_plays() -> None:
    heard = [
        Play(station, track, datetime(2026, 3, 14, tzinfo=UTC), Decimal(1))
        for station, track in [("b", "x"), ("b", "y"), ("b", "y"), ("a", "z"), ("a", "w")]
    ]
    lines = figures_of(heard, MARCH, [By.STATION, By.TRACK]).lines
    assert [line.key for line in lines] == [("a", "w"), ("a", "z"), ("b", "y"), ("b", "x")]


@pytest.mark.parametrize(
    ("zone", "day", "since"),
    [
        ("UTC", date(2026, 3, 14), "2026-03-14T00:00:00+00:00"),
        ("Europe/Berlin", date(2026, 3, 30), "2026-03-29T22:00:00+00:00"),
        # The clock went from 24:00 to 1:00, so that the day began at 1:00.
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00+00:00"),
    ],
)
def test_a_day_begins_at_midnight_or_where_the_clock_jumps_over_it(zone: str, day: date, since: str) -> None:
    period = Period(day, day + timedelta(days=1), ZoneInfo(zone))
    assert period.since == datetime.fromisoformat(since)
    assert period.since.astimezone(period.zone).date() == day
    assert (period.since - timedelta(microseconds=1)).astimezone(period.zone).date() == day - timedelta(days=1)


def test_a_day_on_which_clocks_change_has_23_or_25_hours() -> None:
    days = [Period(day, day + timedelta(days=1), BERLIN) for day in (date(2026, 3, 29), date(2026, 10, 25))]
    assert [(day.until - day.since) / timedelta(hours=1) for day in days] == [23, 25]


def test_a_card_is_read_as_the_tests_mean_it() -> None:
    card: RateCard = parse_rate_card(CARD)
    assert card.rule_for("a", datetime(2026, 3, 14, 21, tzinfo=UTC), None) == card.rules[0], "6:00 in Tokyo"

"""The forms of a report: each says the same figures, and who reads one with a machine gets what was meant."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from playlog_cli.reporting.figures import By, Period, Play
from playlog_cli.reporting.forms import LINES_ON_A_SCREEN, Report, as_json, notes, render, write_csv
from playlog_cli.reporting.rate_card import RateCard
from playlog_cli.reporting.rate_card_file import parse_rate_card
from rich.console import Console

from tests.support.builders import texts
from tests.support.reporting.figures import figures_of

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1), ZoneInfo("Europe/Berlin"))
CARD = parse_rate_card("""
currency = "EUR"
[[rule]]
name = "unheard of"
stations = ["nowhere"]
rate = 0.1
per = "play"
[[rule]]
name = "=base, \\"x\\""
min_confidence = 50
rate = 0.0125
per = "second"
""")


def play(track: str = "t", *, station: str = "a", seconds: str = "181", confidence: int | None = 60) -> Play:
    at = datetime(2026, 3, 14, 12, tzinfo=UTC)
    return Play(station, track, at, Decimal(seconds), confidence=None if confidence is None else Decimal(confidence))


def report_on(plays: Sequence[Play], by: Sequence[By] = (By.TRACK,), card: RateCard | None = CARD) -> Report:
    figures = figures_of(plays, MARCH, by, card)
    return Report("playlog", "eu-central-1", (), (), figures, {"MISSING_TRACK": 3})


def csv_of(report: Report) -> str:
    file = io.StringIO(newline="")
    write_csv(report, file)
    return file.getvalue()


def screen_of(report: Report, *, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    render(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_csv_is_what_rfc_4180_says_and_states_its_period_on_each_line() -> None:
    text = csv_of(report_on([play('a "b", c'), play('a "b", c', confidence=None)]))
    period = "2026-03-01,2026-04-01,Europe/Berlin"
    assert text == (
        "from,to,time_zone,track,plays,matches,seconds,flagged,flagged_share,rule,rate,per,amount,currency\r\n"
        f'{period},"a ""b"", c",1,1,181,0,0.0000,"\'=base, ""x""",0.0125,second,2.26,EUR\r\n'
        f'{period},"a ""b"", c",1,1,181,0,0.0000,no rule,0,,0.00,EUR\r\n'
    )


@settings(max_examples=15, deadline=None)
@given(st.lists(texts | st.text("=+-@'\t\r\n,\"a", max_size=4), min_size=1, max_size=5, unique=True))
def test_csv_gives_every_id_back_and_starts_no_formula(tracks: list[str]) -> None:
    report = report_on([play(track) for track in tracks], card=None)
    rows = list(csv.DictReader(io.StringIO(csv_of(report), newline=""), strict=True))
    cells = [row["track"] for row in rows]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝")) for cell in cells)  # noqa: RUF001
    assert [cell.removeprefix("'") for cell in cells] == [line.key[0] for line in report.figures.lines]
    assert sorted(cell.removeprefix("'") for cell in cells) == sorted(tracks)


def test_json_has_the_texts_as_they_are_and_decimals_that_no_reader_rounds() -> None:
    report = report_on([play("=1+1", seconds="0.1"), play("=1+1", seconds="180")], [By.TRACK, By.DAY])
    values = json.loads(json.dumps(as_json(report)))
    assert values["lines"] == [
        {
            "track": "=1+1",
            "day": "2026-03-14",
            "plays": 2,
            "matches": 2,
            "seconds": "180.1",
            "flagged": 0,
            "flagged_share": "0",
            "amount": "2.25",
            "exact": "2.25125",
            "rule": '=base, "x"',
            "rate": "0.0125",
            "per": "second",
        }
    ]
    assert values["total"]["amount"] == "2.25"
    assert values["period"] == {
        "from": "2026-03-01",
        "to": "2026-04-01",
        "time_zone": "Europe/Berlin",
        "since": "2026-02-28T23:00:00.000000+0000",
        "until": "2026-03-31T22:00:00.000000+0000",
    }
    assert values["failures"] == {"MISSING_TRACK": 3}
    assert [(each["rule"], each["plays"], each["amount"]) for each in values["rules"]] == [
        ("unheard of", 0, "0.00"),
        ('=base, "x"', 2, "2.25"),
    ]


def test_a_large_sum_is_in_digits_in_every_form() -> None:
    report = report_on([play(seconds="100000000")] * 10)
    assert ",1000000000," in csv_of(report)
    assert as_json(report)["total"]["seconds"] == "1000000000"
    assert "1,000,000,000" in screen_of(report)


def test_the_screen_shows_who_pays_what_and_the_total() -> None:
    shown = screen_of(report_on([play(), play(confidence=None)]))
    assert "plays that began from 2026-03-01 0:00 to before 2026-04-01 0:00, Europe/Berlin" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["t", "1", "181", "0.0", "%", "=base,", '"x"', "2.26"] in lines
    assert ["=base,", '"x"', "every", "station;", "confidence", "50", "or", "more", "0.0125", "per", "second"] in [
        line[:11] for line in lines
    ]
    assert ["t", "1", "181", "0.0", "%", "no", "rule", "0.00"] in lines
    assert ["total", "2", "362", "0.0", "%", "2.26"] in lines
    assert ["MISSING_TRACK", "3"] in lines


def test_no_number_is_cut_on_a_narrow_screen() -> None:
    shown = screen_of(report_on([play("a track with quite a long name", seconds="100000000")] * 10), width=80)
    assert shown.count("1,000,000,000 ") == 3, "line, total, rule"
    assert shown.count("12,500,000.00") == 3
    assert "…" not in shown


def test_lines_that_do_not_fit_on_a_screen_are_told_with_what_they_come_to() -> None:
    shown = screen_of(report_on([play(f"t-{number:03}") for number in range(LINES_ON_A_SCREEN + 2)]))
    assert "t-039" in shown
    assert "t-040" not in shown
    assert shown.split("t-039")[1].splitlines()[1].split()[:7] == ["2", "more", "lines:", "see", "--csv", "2", "362"]
    assert ["total", "42", "7,602", "0.0", "%", "94.92"] in [line.split() for line in shown.splitlines()]


def test_the_notes_say_how_amounts_were_rounded_and_what_rounding_made_of_the_total() -> None:
    said = " ".join(notes(report_on([play(), play("u")])))
    assert "rounded half up to 2 decimal places, and the total is the sum of these amounts" in said
    assert "Before rounding that is 4.525 EUR: rounding took 0.005." in said


def test_the_notes_say_why_a_card_pays_a_stations_own_log_nothing() -> None:
    said = " ".join(notes(report_on([play(confidence=None), play("u", confidence=None), play("u")])))
    assert "No rule covers 2 plays. A rule with min_confidence covers only plays that have a confidence" in said
    assert "No rule covers" not in " ".join(notes(report_on([play()])))


def test_the_notes_say_what_is_left_out_and_what_is_not() -> None:
    put_away = Play("a", "t", datetime(2026, 3, 14, tzinfo=UTC), Decimal(1), archived=True)
    withdrawn = Play("a", "t", datetime(2026, 3, 14, tzinfo=UTC), Decimal(1), active=False)
    said = " ".join(notes(report_on([put_away, withdrawn, withdrawn])))
    assert "Left out: 2 plays that somebody withdrew" in said
    assert "Counted like any other: 1 archived play." in said
    assert "from 2026-02-28 23:00 to before 2026-03-31 22:00 in UTC" in said

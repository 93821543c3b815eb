"""`playlog report`: each play of the period is read once, whichever way, and a mistake is told before any reading."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from playlog.domain import timestamps
from playlog.domain.airing import Airing
from playlog.domain.match import Item
from playlog_cli.commands.report import report_command
from playlog_cli.errors import CommandError
from playlog_cli.reporting.figures import By, Period, Play
from playlog_cli.reporting.plays import failures_of, play_of
from playlog_cli.reporting.sources.tables import Tables
from playlog_cli.reporting.sums.report import report
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.support.actions import decode_airing
from tests.support.aws import Aws
from tests.support.builders import NOW, TABLES, make_match, without

pytest_plugins = ["tests.support.aws_fixture"]

command = typer.Typer()
command.command()(report_command)

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1), ZoneInfo("Europe/Berlin"))
INSTANT = timedelta(microseconds=1)
DATES = ["--from", "2026-03-01", "--to", "2026-04-01", "--time-zone", "Europe/Berlin"]


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("playlog_cli.reporting.sources.finding.find_stack", lambda *_, **__: stack)
    return lambda *arguments: CliRunner().invoke(command, list(map(str, arguments)))


def play_item(track: str, at: datetime, station: str = "s", /, **attributes: dict[str, Any]) -> Item:
    """A play as the pipeline writes it, but for ``attributes``."""
    match = make_match(station_id=station, track_id=track, matched_at=at, seconds=181, score=Decimal(80))
    airing = Airing.creating((match,))
    item: Item = decode_airing(airing, airing.play_with_matches(Decimal(0)), TABLES, NOW)[0]["Put"]["Item"]
    return {**item, **attributes}


def put(aws: Aws, *items: Item) -> None:
    for item in items:
        aws.dynamodb.put_item(TableName=aws.convert_settings.play_log_table, Item=item)


def fail(aws: Aws, code: str, at: datetime, *, station: str = "s", track: str = "t") -> None:
    number = len(aws.failures())
    aws.dynamodb.put_item(
        TableName=aws.store_settings.failed_play_log_table,
        Item={
            "match_id": {"S": f"m-{number}"},
            "attempt": {"N": "1"},
            "reason_code": {"S": code},
            "failed_at": {"S": timestamps.to_text(at)},
            "match": {"M": {"station_id": {"S": station}, "track_id": {"S": track}}},
        },
    )


def read(stack: Stack, *, stations: tuple[str, ...] = (), tracks: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Station and track of each play that a report on March counts."""
    by = [By.STATION, By.TRACK]
    lines = report(Tables(stack), MARCH, by, stations, tracks, None, lambda _more: None).figures.lines
    return sorted((line.key[0], line.key[1]) for line in lines for _ in range(line.plays))


@pytest.fixture
def around_march(aws: Aws) -> None:
    """Plays at the edges of March in Berlin, of two stations and some tracks."""
    put(
        aws,
        play_item("before", MARCH.since - INSTANT),
        play_item("first", MARCH.since),
        play_item("last", MARCH.until - INSTANT),
        play_item("after", MARCH.until),
        play_item("first", MARCH.since + timedelta(days=3), "other"),
    )


@pytest.mark.usefixtures("around_march")
def test_a_period_has_its_first_instant_and_not_its_last_whichever_way_it_is_read(stack: Stack) -> None:
    all_of_them = [("other", "first"), ("s", "first"), ("s", "last")]
    assert read(stack) == all_of_them
    assert read(stack, stations=("s", "other")) == all_of_them
    assert read(stack, stations=("s",)) == all_of_them[1:]
    assert read(stack, tracks=("before", "first", "last", "after")) == all_of_them
    assert read(stack, tracks=("first",)) == all_of_them[:2]
    assert read(stack, tracks=("first", "last"), stations=("other",)) == all_of_them[:1]
    assert read(stack, stations=("nowhere",)) == []


@pytest.mark.usefixtures("around_march")
def test_where_a_station_or_a_track_is_named_no_table_is_scanned(stack: Stack, aws: Aws) -> None:
    read(stack, stations=("s",))
    read(stack, tracks=("first",))
    of_plays = [
        request.arguments for request in aws.sent("Query") if request.arguments["TableName"] == stack.play_log_table
    ]
    assert [arguments.get("IndexName") for arguments in of_plays] == [None, "track-index"]
    assert of_plays[0]["ConsistentRead"]
    assert {request.arguments["TableName"] for request in aws.sent("Scan")} == {stack.failed_play_log_table}


def test_a_play_that_a_late_match_made_begin_in_the_period_is_in_it(stack: Stack, aws: Aws) -> None:
    moved = {"S": timestamps.to_text(MARCH.until - timedelta(minutes=1))}
    put(aws, play_item("moved", MARCH.until + timedelta(minutes=3), played_at=moved, start_time=moved))
    assert read(stack) == read(stack, stations=("s",)) == read(stack, tracks=("moved",)) == [("s", "moved")]


def test_a_station_or_track_that_is_named_twice_is_paid_once(stack: Stack, aws: Aws) -> None:
    put(aws, play_item("t", MARCH.since))
    for stations, tracks in ((["s", "s"], []), ([], ["t", "t"]), (["s", "s"], ["t", "t"])):
        made = report(Tables(stack), MARCH, [By.TRACK], stations, tracks, None, lambda _more: None)
        assert made.figures.total.plays == 1


def test_a_play_is_read_as_the_pipeline_wrote_it() -> None:
    assert play_of(play_item("t", MARCH.since)) == Play(
        "s", "t", MARCH.since, Decimal(181), matches=1, confidence=Decimal(80)
    )
    marked = play_item("t", MARCH.since, flagged={"BOOL": True}, active={"BOOL": False}, is_archived={"BOOL": True})
    found = play_of(without(marked, "avg_confidence_score"))
    assert (found.flagged, found.active, found.archived, found.confidence) == (True, False, True, None)


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"duration_seconds": {"S": "181"}}, "duration_seconds is '181': it must be of type N"),
        ({"duration_seconds": {"N": "-1"}}, "duration_seconds is -1: it must be 0 or more"),
        ({"match_count": {"NULL": True}}, "match_count is None: it must be of type N"),
        ({"flagged": {"S": "no"}}, "flagged is 'no': it must be of type BOOL"),
        ({"avg_confidence_score": {"S": "80"}}, "avg_confidence_score is '80': it must be of type N"),
    ],
)
def test_a_play_that_cannot_be_added_up_is_named_and_never_left_out(
    aws: Aws, invoke: Callable[..., Result], attributes: dict[str, dict[str, object]], says: str
) -> None:
    put(aws, play_item("t", MARCH.since, **attributes))
    result = invoke(*DATES)
    assert isinstance(result.exception, CommandError)
    key = "play '2026-02-28T23:00:00.000000+0000#t' of station 's' cannot be added up: "
    assert str(result.exception).startswith(key + says)


def test_failures_are_counted_by_reason_in_the_period_and_of_what_was_named(stack: Stack, aws: Aws) -> None:
    fail(aws, "MISSING_TRACK", MARCH.since - INSTANT)
    fail(aws, "MISSING_TRACK", MARCH.since)
    fail(aws, "INVALID_SOURCE", MARCH.until - INSTANT)
    fail(aws, "INVALID_SOURCE", MARCH.since, station="other")
    fail(aws, "INVALID_SOURCE", MARCH.until)
    assert list(failures_of(stack, MARCH, [], []).items()) == [("INVALID_SOURCE", 2), ("MISSING_TRACK", 1)]
    assert failures_of(stack, MARCH, ["other"], []) == {"INVALID_SOURCE": 1}
    assert failures_of(stack, MARCH, ["s"], ["t"]) == {"INVALID_SOURCE": 1, "MISSING_TRACK": 1}
    assert failures_of(stack, MARCH, [], ["u"]) == {}


def test_failures_are_counted_also_by_a_reason_code_that_this_version_does_not_know(stack: Stack, aws: Aws) -> None:
    fail(aws, "OUT_OF_TUNE", MARCH.since)
    assert failures_of(stack, MARCH, [], []) == {"OUT_OF_TUNE": 1}
    assert failures_of(stack, MARCH, ["s"], []) == {"OUT_OF_TUNE": 1}


CARD = 'currency = "EUR"\n[[rule]]\nname = "base"\nrate = 0.0125\nper = "second"\n'


@pytest.mark.usefixtures("around_march")
def test_one_reading_gives_all_the_forms_and_they_agree(invoke: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text(CARD)
    table, page = tmp_path / "plays.csv", tmp_path / "plays.html"
    grouped_and_paid = ["--by", "station", "--by", "track", "--rate-card", tmp_path / "card.toml"]
    result = invoke(*DATES, *grouped_and_paid, "--csv", table, "--html", page, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    keys = [("other", "first"), ("s", "first"), ("s", "last")]
    assert [(line["station"], line["track"]) for line in told["lines"]] == keys
    assert [(row["station"], row["track"]) for row in rows] == keys
    assert told["total"]["amount"] == "6.78"
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("6.78")
    assert "<td>Total</td>" in page.read_text()
    assert ">6.78<" in page.read_text()
    names = ["card.toml", "plays.csv", "plays.csv.manifest.json", "plays.html", "plays.html.manifest.json"]
    assert sorted(each.name for each in tmp_path.iterdir()) == names
    assert "6.78" in invoke(*DATES, *grouped_and_paid).stdout


@pytest.mark.usefixtures("around_march")
def test_a_line_is_for_a_station_if_nothing_else_is_said(invoke: Callable[..., Result]) -> None:
    told = json.loads(invoke(*DATES, "--json").stdout)
    assert [(line["station"], line["plays"]) for line in told["lines"]] == [("other", 1), ("s", 2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "March", "--to", "2026-04-01"], "--from is 'March': it must be a date like 2026-03-01"),
        (["--from", "2026-03-01", "--to", "2026-02-30"], "--to is '2026-02-30': it must be a date like 2026-03-01"),
        (["--from", "0001-01-01", "--to", "2026-03-01"], "--from is '0001-01-01': it must be a date like 2026-03-01"),
        (
            ["--from", "2026-03-01", "--to", "2026-03-01"],
            "--to is 2026-03-01, and --from 2026-03-01: it must be a later",
        ),
        (
            [*DATES, "--time-zone", "Sydney"],
            "--time-zone is 'Sydney': it must be a name of the IANA time zone database, ",
        ),
        ([*DATES, "--rate-card", "no-such.toml"], "--rate-card no-such.toml cannot be read: No such file or directory"),
        ([*DATES, "--json", "--csv", "-"], "--csv and --json both go to standard output: name a file for one"),
        ([*DATES, "--html", "no/such/page.html"], "--html no/such/page.html cannot be written: name a file in a"),
        ([*DATES, "--csv", "/"], "--csv / is a directory: name a file in it"),
    ],
)
def test_a_mistake_is_told_before_anything_is_read(
    aws: Aws, invoke: Callable[..., Result], arguments: list[str], message: str
) -> None:
    aws.door.requests.clear()
    result = invoke(*arguments)
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).startswith(message)
    assert aws.door.requests == []


def test_a_reading_that_fails_leaves_the_old_file_as_it_was(
    aws: Aws, invoke: Callable[..., Result], tmp_path: Path
) -> None:
    old = tmp_path / "plays.csv"
    old.write_text("of last month")
    put(aws, play_item("t", MARCH.since, duration_seconds={"NULL": True}))
    assert invoke(*DATES, "--csv", old).exit_code == 1
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("plays.csv", "of last month")]


def test_a_file_that_cannot_be_written_is_no_traceback(invoke: Callable[..., Result], tmp_path: Path) -> None:
    result = invoke(*DATES, "--csv", tmp_path / ("x" * 300))
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).endswith("x cannot be written: File name too long")


def test_a_link_to_a_file_stays_a_link(invoke: Callable[..., Result], tmp_path: Path) -> None:
    link, file = tmp_path / "link.csv", tmp_path / "file.csv"
    link.symlink_to(file)
    invoke(*DATES, "--csv", link)
    assert link.is_symlink()
    assert file.read_text().startswith("from,to,time_zone,station,")


def test_the_period_is_that_of_the_time_zone_that_was_named(invoke: Callable[..., Result]) -> None:
    told = json.loads(invoke(*DATES, "--json").stdout)
    assert (told["period"]["since"], told["period"]["until"]) == (
        "2026-02-28T23:00:00.000000+0000",
        "2026-03-31T22:00:00.000000+0000",
    )
    utc = json.loads(invoke("--from", "2026-03-01", "--to", "2026-04-01", "--json").stdout)
    assert utc["period"]["since"] == timestamps.to_text(datetime(2026, 3, 1, tzinfo=UTC))

"""A person flags and withdraws plays: by name, kept with who and when, and never over another person's edit."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playlog.domain.play import PlayKey
from playlog_cli.commands.plays import plays_app
from playlog_cli.errors import CommandError
from playlog_cli.plays.edits import Edit, edit_play, read_play
from playlog_cli.plays.matches import matches_of_day, matches_of_play
from playlog_cli.plays.reading import plays_of_day, plays_of_track
from playlog_cli.plays.stations import stations_of
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.support.aws import Aws, answered, lost_answer, on
from tests.support.builders import MATCHED_AT, NOW, make_item

pytest_plugins = ["tests.support.aws_fixture"]

WHO = "arn:aws:iam::123456789012:user/ada"
KEY = PlayKey("station-1", "2026-03-14T07:00:00.000000+0000#track-1")
Invoke = Callable[..., Result]


def put_play(
    aws: Aws, *, station: str = "station-1", track: str = "track-1", minute: int = 0, **other: dict[str, Any]
) -> None:
    start = f"2026-03-14T07:{minute:02}:00.000000+0000"
    aws.dynamodb.put_item(
        TableName=aws.convert_settings.play_log_table,
        Item={
            "station_id": {"S": station},
            "play_id": {"S": f"{start}#{track}"},
            "track_id": {"S": track},
            "match_id": {"S": f"m-{station}-{minute}"},
            "match_count": {"N": "1"},
            "played_at": {"S": start},
            "start_time": {"S": start},
            "stop_time": {"S": f"2026-03-14T07:{minute:02}:50.000000+0000"},
            "active": {"BOOL": True},
            "flagged": {"BOOL": False},
            **other,
        },
    )


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setattr("playlog_cli.commands.play_edits.find_stack", lambda *_, **__: stack)
    monkeypatch.setattr("playlog_cli.commands.play_edits.identity", lambda _: WHO)
    return lambda *arguments: CliRunner().invoke(plays_app, arguments)


@pytest.mark.parametrize(
    ("edit", "undone", "attribute", "value"),
    [("flag", "unflag", "flagged", True), ("withdraw", "restore", "active", False)],
)
def test_an_edit_and_its_undoing_are_kept_with_who_and_when(
    aws: Aws, invoke: Invoke, edit: str, undone: str, attribute: str, value: bool
) -> None:
    put_play(aws)
    assert invoke(edit, *KEY, "--yes").exit_code == 0
    (play,) = aws.plays()
    assert play[attribute] == {"BOOL": value}
    assert invoke(undone, *KEY, "--yes").exit_code == 0
    (play,) = aws.plays()
    assert play[attribute] == {"BOOL": not value}
    entries = [entry["M"] for entry in play["edited"]["L"]]
    assert [(each["by"]["S"], each["attribute"]["S"], each["to"]["BOOL"]) for each in entries] == [
        (WHO, attribute, value),
        (WHO, attribute, not value),
    ]


def test_what_is_so_already_is_said_and_changes_nothing(aws: Aws, invoke: Invoke) -> None:
    put_play(aws)
    before = aws.plays()
    result = invoke("restore", *KEY, "--yes", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"edited": [], "left": [{"play_id": KEY.play_id, "why": "it is not withdrawn"}]}
    assert aws.plays() == before


def test_nothing_changes_without_consent_and_an_unknown_play_is_said(aws: Aws, invoke: Invoke) -> None:
    put_play(aws)
    before = aws.plays()
    assert isinstance(invoke("withdraw", *KEY).exception, CommandError)
    assert str(invoke("flag", "station-1", "nope", "--yes").exception) == "station 'station-1' has no play 'nope'"
    assert aws.plays() == before


def test_the_plays_of_a_period_are_withdrawn_and_restored_together(aws: Aws, invoke: Invoke) -> None:
    for minute in (0, 1, 59):
        put_play(aws, minute=minute)
    put_play(aws, station="station-2", track="track-2")
    put_play(aws, track="withdrawn-before", minute=2, active={"BOOL": False})
    # In this zone, the day begins at 07:00 UTC, with the first play.
    days = ("--from", "2026-03-14", "--to", "2026-03-15", "--time-zone", "Etc/GMT+7")

    def active() -> list[tuple[str, bool]]:
        return sorted(
            (play["play_id"]["S"][14:16] + play["track_id"]["S"], play["active"]["BOOL"]) for play in aws.plays()
        )

    before = active()
    shown = invoke("withdraw", "station-1", *days, "--yes")
    assert shown.exit_code == 0, shown.output
    assert shown.output.splitlines()[-1] == "Withdrawn: 3 plays."
    assert active() == [
        ("00track-1", False),
        ("00track-2", True),
        ("01track-1", False),
        ("02withdrawn-before", False),
        ("59track-1", False),
    ]
    earlier = ("--from", "2026-03-13", "--to", "2026-03-14", "--time-zone", "Etc/GMT+7")
    assert invoke("restore", "station-1", *earlier, "--yes").output.splitlines()[-1] == "Restored: 0 plays."
    assert invoke("restore", "station-1", *days, "--yes").output.splitlines()[-1] == "Restored: 4 plays."
    assert [each for each in active() if each[0] != "02withdrawn-before"] == [
        each for each in before if each[0] != "02withdrawn-before"
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "no play is named: give each PLAY_ID, or a period by --from and --to"),
        (
            (KEY.play_id, "--from", "2026-03-14"),
            "plays are named by PLAY_ID or by --from and --to: give one of the two",
        ),
        (("--from", "2026-03-14"), "--to is '': it must be a date like 2026-03-01"),
    ],
)
def test_plays_that_are_not_named_clearly_are_left_alone(
    aws: Aws, invoke: Invoke, arguments: tuple[str, ...], problem: str
) -> None:
    put_play(aws)
    before = aws.plays()
    assert str(invoke("withdraw", "station-1", *arguments, "--yes").exception) == problem
    assert aws.plays() == before


def test_an_edit_does_not_overwrite_that_of_another_person_nor_create_a_play(aws: Aws, stack: Stack) -> None:
    put_play(aws)
    seen = read_play(stack, KEY)
    assert edit_play(stack, seen, Edit.FLAG, who="bob", now=NOW).why_not is None
    assert edit_play(stack, seen, Edit.FLAG, who="ada", now=NOW).why_not == "it was changed meanwhile: look at it again"
    assert len(aws.plays()[0]["edited"]["L"]) == 1
    aws.dynamodb.delete_item(
        TableName=stack.play_log_table, Key={name: seen[name] for name in ("station_id", "play_id")}
    )
    assert edit_play(stack, seen, Edit.WITHDRAW, who="ada", now=NOW).why_not
    assert aws.plays() == []


def test_stations_a_day_and_a_track_are_read_whole(aws: Aws, stack: Stack) -> None:
    for minute in range(5):
        put_play(aws, minute=minute)
        put_play(aws, station="station-2", track="track-2", minute=minute)
    assert stations_of(stack, 10) == ["station-1", "station-2"]
    assert len(stations_of(stack, 1)) == 1
    start, end = MATCHED_AT + timedelta(minutes=1), MATCHED_AT + timedelta(minutes=3)
    assert [play.start.minute for play in plays_of_day(stack, "station-1", start, end)] == [1, 2]
    first, after = plays_of_track(stack, "track-2", None, 3)
    rest, end_of_track = plays_of_track(stack, "track-2", after, 3)
    assert [play.start.minute for play in (*first, *rest)] == [4, 3, 2, 1, 0]
    assert end_of_track is None


@pytest.mark.parametrize("is_large", [False, True])
def test_a_days_matches_are_found_whether_the_table_is_small_or_large(aws: Aws, stack: Stack, is_large: bool) -> None:
    if is_large:  # each answer is full of other stations' matches
        full = {"Items": [], "LastEvaluatedKey": {"match_id": {"S": "m-other"}}}
        aws.door.faults.append(on("Scan", answered(lambda body: body.update(full))))
    put_play(aws)
    played = make_item("m-station-1-0", processed={"BOOL": True}, play_id={"S": KEY.play_id})
    del played["unprocessed_shard"]
    waiting = make_item("m-waiting", unprocessed_shard={"S": "4"})
    aws.put(played, waiting, make_item("m-other", station_id={"S": "station-2"}))
    aws.put(make_item("m-yesterday", matched_at={"S": "2026-03-13T23:00:00+01:00"}))
    start, end = MATCHED_AT, MATCHED_AT + timedelta(hours=1)
    found = matches_of_day(stack, "station-1", start, end, plays_of_day(stack, "station-1", start, end))
    assert [each.match_id for each in found.matches] == ["m-station-1-0", "m-waiting"]
    assert (found.after is None) != is_large


def test_the_matches_of_a_play_are_found_by_searching(aws: Aws, stack: Stack) -> None:
    for number in range(4):
        aws.put(make_item(f"m-{number}", play_id={"S": KEY.play_id if number % 2 else "another"}))
    found = matches_of_play(stack, KEY, None)
    assert ([each.match_id for each in found.matches], found.after) == (["m-1", "m-3"], None)


@pytest.mark.parametrize(
    ("broken", "first"),
    [
        ({"S": "by hand"}, [{"S": "by hand"}]),
        ({"NULL": True}, []),
        ({"M": {"by": {"S": "eve"}}}, [{"M": {"by": {"S": "eve"}}}]),
        ({"L": [{"N": "1"}]}, [{"N": "1"}]),
    ],
    ids=repr,
)
def test_what_somebody_else_wrote_in_edited_is_kept_and_stops_nothing(
    aws: Aws, stack: Stack, broken: dict[str, Any], first: list[Any]
) -> None:
    put_play(aws, edited=broken)
    assert edit_play(stack, read_play(stack, KEY), Edit.FLAG, who=WHO, now=NOW).why_not is None
    *before, entry = aws.plays()[0]["edited"]["L"]
    assert (before, entry["M"]["by"]) == (first, {"S": WHO})


def test_a_lost_answer_to_an_edit_is_no_change_by_somebody_else(aws: Aws, stack: Stack) -> None:
    put_play(aws)
    aws.door.faults.append(on("UpdateItem", lost_answer, times=1))
    assert edit_play(stack, read_play(stack, KEY), Edit.WITHDRAW, who=WHO, now=NOW).why_not is None
    assert len(aws.plays()[0]["edited"]["L"]) == 1

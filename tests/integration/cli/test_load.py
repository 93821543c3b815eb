"""`playlog load`: each row is added, there already, or reported, whatever DynamoDB answers."""

import gzip
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from playlog_cli.errors import CommandError
from playlog_cli.loading.files.row import BadRow
from playlog_cli.loading.load import load_files, take_back_files
from playlog_cli.loading.outcomes import Options
from playlog_cli.loading.results import FileProgress, FileResult
from playlog_cli.loading.taking_back import TakenBack
from playlog_cli.stacks.stack import Stack

from tests.support.aws import Aws, Fault, Request, Send, all_cancelled, lost_answer, on, refused
from tests.support.builders import without

pytest_plugins = ["tests.support.aws_fixture"]

TRANSACT = "TransactWriteItems"


HISTORY = """\
id,track_id,station_id,station_program_id,matched_at,avg_confidence_score,processed,failed_reason
1,12,3,,2024-03-01 12:34:56.789+00,90,t,
2,12,3,7,2024-03-01 12:34:56.789+00,50,t,
3,13,3,,2024-03-01 13:00:00+00,,t,
4,13,3,,2024-03-01 14:00:00+00,70,f,
5,14,3,,2024-03-01 15:00:00+00,70,f,Track matching query does not exist.
6,,3,,2024-03-01 16:00:00+00,70,t,
7,13,3,,2024-03-01 17:00:00+00,70,t,Deadlock found
"""


def load(stack: Stack, path: Path, station: str | None = None) -> FileResult:
    (result,) = load_files(stack, [path], lambda _: None, Options(station)).files
    return result


@pytest.fixture(autouse=True)
def small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moto copies every table for each action: as many transactions as a large file has, of few actions each."""
    monkeypatch.setattr("playlog_cli.loading.batches.TRANSACTION_ACTIONS", 5)


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """A file of 12 matches without ids, two of them the same row twice."""
    rows = [f"2026-03-14T08:00:{n:02}+01:00,s-{n % 3},t" for n in range(11)]
    path = tmp_path / "day.csv"
    path.write_text("\n".join(["matched_at,station_id,track_id", *rows, rows[-1], ""]))
    return path


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export of the old table: a play of two matches and one of one, and one of each that is not played."""
    path = tmp_path / "matchcache.csv"
    path.write_text(HISTORY)
    return path


def test_every_row_is_a_match_that_waits(stack: Stack, aws: Aws, day: Path) -> None:
    assert load(stack, day) == FileResult(str(day), rows=12, added=12, already_there=0, bad_rows=(), error=None)
    matches = aws.matches()
    assert len(matches) == 12
    assert all(match["processed"] == {"BOOL": False} for match in matches)
    assert aws.violations() == []


def test_loading_a_file_again_adds_nothing_and_undoes_nothing_that_was_played(
    stack: Stack, aws: Aws, day: Path
) -> None:
    load(stack, day)
    played = {**aws.matches()[0], "processed": {"BOOL": True}, "play_id": {"S": "p"}}
    del played["unprocessed_shard"]
    aws.put(played)
    before = aws.matches()
    again = load(stack, day)
    assert (again.added, again.already_there) == (0, 12)
    assert aws.matches() == before


def test_a_file_that_grew_adds_what_it_grew_by(stack: Stack, aws: Aws, day: Path) -> None:
    load(stack, day)
    day.write_text(day.read_text() + "2026-03-15T08:00:00+01:00,s-1,t\n")
    again = load(stack, day)
    assert (again.added, again.already_there) == (1, 12)
    assert len(aws.matches()) == 13


def test_bad_rows_are_reported_by_line_and_take_no_other_row_with_them(stack: Stack, aws: Aws, tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    good = {"matched_at": "2026-03-14T08:00:00+01:00", "track_id": "t"}
    rows = [
        {**good, "match_id": "m-1"},
        {**good, "play_id": "p"},
        {**good, "match_id": "m-1"},
        {**good, "match_id": "m-2"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n{\n")
    result = load(stack, path)
    assert (result.rows, result.added, result.already_there) == (5, 2, 1)
    assert [bad.line for bad in result.bad_rows] == [2, 5]
    assert {match["match_id"]["S"] for match in aws.matches()} == {"m-1", "m-2"}


def test_a_match_that_dynamodb_refuses_takes_no_other_with_it(stack: Stack, aws: Aws, day: Path) -> None:
    with day.open("a") as file:
        file.write("2026-03-14T09:00:00+01:00,poison,t\n")
    aws.door.faults.append(on(TRANSACT, refused("ValidationException", "too odd", where="poison")))
    result = load(stack, day)
    assert result.added == 12
    assert result.bad_rows == (BadRow(14, "DynamoDB refuses the match: too odd"),)
    assert len(aws.matches()) == 12


@pytest.mark.parametrize(
    "throttled", [all_cancelled("ThrottlingError"), all_cancelled("TransactionConflict")], ids=["throttled", "conflict"]
)
def test_what_dynamodb_throttles_is_sent_again(stack: Stack, aws: Aws, day: Path, throttled: Fault) -> None:
    aws.door.faults.append(on(TRANSACT, throttled, times=5))
    assert load(stack, day).added == 12
    assert len(aws.matches()) == 12


def test_who_is_throttled_for_good_is_told_that_loading_again_adds_the_rest(stack: Stack, aws: Aws, day: Path) -> None:
    aws.door.faults.append(on(TRANSACT, all_cancelled("ThrottlingError")))
    with pytest.raises(CommandError, match="load the files again later, which adds what is missing"):
        load(stack, day)


def test_large_matches_are_split_into_transactions_that_dynamodb_takes(
    stack: Stack, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playlog_cli.loading.batches.TRANSACTION_BYTES", 4_000)
    path = tmp_path / "large.csv"
    path.write_text("matched_at,title\n" + "".join(f"2026,{n}{'x' * 1_200}\n" for n in range(6)))
    assert load(stack, path).added == 6
    assert [len(request.actions) for request in aws.sent(TRANSACT)] == [3, 3]


def test_a_file_that_is_not_there_stops_the_load_before_it_begins(stack: Stack, aws: Aws, day: Path) -> None:
    empty = day.parent / "empty"
    empty.mkdir()
    for missing, problem in ((day.parent / "dya.csv", "No such file"), (empty, "holds no file")):
        with pytest.raises(CommandError, match=f"{missing}.*{problem}"):
            load_files(stack, [day, missing], lambda _: None)
    assert aws.matches() == []


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_loaded(stack: Stack, aws: Aws, day: Path) -> None:
    cut, headless = day.parent / "cut.csv.gz", day.parent / "headless.csv"
    cut.write_bytes(gzip.compress(day.read_bytes())[:-9])
    headless.write_text("a,b\n1,2\n")
    result = load_files(stack, [cut, headless, day], lambda _: None)
    assert [each.error is None for each in result.files] == [False, False, True]
    assert [each.added for each in result.files] == [0, 0, 12]
    assert not result.ok
    assert len(aws.matches()) == 12


def test_progress_ends_with_every_row_and_byte(stack: Stack, day: Path) -> None:
    told: list[FileProgress] = []
    load_files(stack, [day], told.append)
    size = day.stat().st_size
    assert told[-1] == FileProgress(str(day), number=1, files=1, rows=12, bytes_read=size, bytes_total=size)
    assert len(told) == 3


def test_the_history_of_the_old_system_comes_over_with_its_plays_and_failures(
    stack: Stack, aws: Aws, export: Path
) -> None:
    result = load(stack, export)
    assert (result.rows, result.added, result.already_there) == (7, 6, 0)
    assert (result.played, result.plays, result.failed) == (3, 2, 2)
    assert [(each.line, each.match_id) for each in result.not_played] == [(7, "6")]
    assert [bad.line for bad in result.bad_rows] == [8]
    assert aws.violations() == []
    (of_two,) = (play for play in aws.plays() if play["match_id"] == {"S": "1"})
    assert of_two["play_id"] == {"S": "2024-03-01T12:34:56.789000+0000#12"}
    assert (of_two["match_count"], of_two["avg_confidence_score"]) == ({"N": "2"}, {"N": "70"})
    assert of_two["stop_time"] == {"S": "2024-03-01T12:37:56.789000+0000"}
    assert {each["match_id"]["S"]: each["reason_code"]["S"] for each in aws.failures()} == {
        "5": "UNEXPECTED",
        "6": "MISSING_TRACK",
    }
    again = load(stack, export)
    assert (again.added, again.already_there, len(again.bad_rows)) == (0, 6, 1)
    assert again.not_played == ()
    assert aws.violations() == []


def test_plays_of_the_old_system_are_flagged_as_the_stack_flags_its_own(stack: Stack, aws: Aws, export: Path) -> None:
    load(replace(stack, flag_below_confidence=Decimal(75)), export)
    assert {play["match_id"]["S"]: play["flagged"]["BOOL"] for play in aws.plays()} == {"1": True, "3": False}


def test_a_played_match_that_dynamodb_refuses_takes_no_other_with_it(stack: Stack, aws: Aws, export: Path) -> None:
    aws.door.faults.append(on(TRANSACT, refused("ValidationException", "too odd", where="12:34:56.789000+0000#12")))
    result = load(stack, export)
    assert (result.played, result.failed) == (1, 4)
    assert [each.match_id for each in result.not_played] == ["1", "2", "6"]
    assert "DynamoDB refuses it: too odd; the old system had it as played" in result.not_played[0].reason
    assert {each["match_id"]["S"]: each["reason_code"]["S"] for each in aws.failures()}["1"] == "REJECTED"
    assert aws.violations() == []


@pytest.mark.parametrize(
    "fault",
    [all_cancelled("TransactionConflict"), lost_answer, refused("ThrottlingException")],
    ids=["cancelled", "answer lost", "throttled"],
)
def test_a_history_is_loaded_once_whatever_dynamodb_answers_on_the_way(
    stack: Stack, aws: Aws, export: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    aws.door.faults.append(on(TRANSACT, fault, times=3))
    assert load(stack, export).added == 6
    assert {play["match_count"]["N"] for play in aws.plays()} == {"1", "2"}
    assert aws.violations() == []


def test_who_is_throttled_while_loading_a_history_is_told_that_loading_again_adds_the_rest(
    stack: Stack, aws: Aws, tmp_path: Path
) -> None:
    path = tmp_path / "played.csv"
    path.write_text("".join(HISTORY.splitlines(keepends=True)[:4]))
    for fault in (all_cancelled("ThrottlingError"), refused("ThrottlingException")):
        aws.door.faults[:] = [on(TRANSACT, fault)]
        with pytest.raises(CommandError, match="load the files again later, which adds what is missing"):
            load(stack, path)
    aws.door.faults[:] = [on(TRANSACT, refused("AccessDeniedException", "not you"))]
    with pytest.raises(ClientError, match="not you"):
        load(stack, path)


def test_a_record_whose_match_is_gone_is_not_written_over(stack: Stack, aws: Aws, export: Path) -> None:
    load(stack, export)
    aws.delete("5")
    before = aws.failures()
    again = load(stack, export)
    assert again.bad_rows[0].line == 6
    assert "has a record of this match, and MatchCache does not have the match" in again.bad_rows[0].problem
    assert (again.added, again.already_there) == (0, 5)
    assert aws.failures() == before


def test_what_acrcloud_heard_is_loaded_once_and_its_silence_is_counted(stack: Stack, aws: Aws, tmp_path: Path) -> None:
    def heard(at: str, *acrids: str) -> dict[str, object]:
        music = [{"acrid": acrid, "score": 100 - number} for number, acrid in enumerate(acrids)]
        return {"status": {"code": 0}, "metadata": {"timestamp_utc": at, "played_duration": 73, "music": music}}

    silence = {"status": {"msg": "No result", "code": 1001}}
    day = tmp_path / "day.json"
    results = [heard("2020-07-06 04:38:43", "a", "b"), heard("2020-07-06 04:41:00", "c"), silence, {"status": {}}]
    day.write_text(json.dumps({"data": results}, indent=1))
    posted = tmp_path / "posted.jsonl"
    posted.write_text(json.dumps({"stream_id": "s-1", "status": 1, "data": results[0]}) + "\n" + json.dumps(silence))
    result = load(stack, day, "s-1")
    assert (result.rows, result.added, result.no_detections) == (4, 2, 1)
    assert [bad.problem for bad in result.bad_rows] == ["metadata is missing: a result of ACRCloud's must have it"]
    assert {match["track_id"]["S"] for match in aws.matches()} == {"a", "c"}
    again = load(stack, posted)
    assert (again.rows, again.added, again.already_there, again.no_detections) == (2, 0, 1, 1)
    assert aws.violations() == []


def test_a_document_of_acrclouds_that_is_none_takes_no_other_with_it(stack: Stack, aws: Aws, tmp_path: Path) -> None:
    path = tmp_path / "posted.jsonl"
    path.write_text('{"stream_id": "s-1", "status": 1, "data": "x"}\n{"matched_at": "2026"}\n')
    result = load(stack, path)
    assert (result.rows, result.added, [bad.line for bad in result.bad_rows]) == (2, 1, [1])
    assert len(aws.matches()) == 1


def test_the_matches_of_a_play_are_written_together_in_an_export_by_time(
    stack: Stack, aws: Aws, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playlog_cli.loading.batches.PLAYED_TOGETHER", 1)
    load(stack, export)
    # A play of two matches, a play of one; the match that waits, and two failures with their records.
    assert sorted(len(request.actions) for request in aws.sent(TRANSACT)) == [2, 3, 5]


# --- Taking a load back ---


def take_back(stack: Stack, path: Path) -> TakenBack:
    (done,) = take_back_files(stack, [path])
    return done


def test_a_wrongly_loaded_export_can_be_taken_back_and_loaded_again(aws: Aws, stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    columns = "id,track_id,station_id,matched_at,processed,failed_reason\n"
    path.write_text(f"{columns}1,13,3,2024-03-01 10:00:00+00,f,\n2,14,3,2024-03-01 11:00:00+00,f,no such track\n")
    assert (load(stack, path).added, len(aws.failures())) == (2, 1)

    assert take_back(stack, path) == TakenBack(str(path), removed=2)

    assert (aws.matches(), aws.failures()) == ([], [])
    assert load(stack, path).added == 2
    assert take_back(stack, path).removed == 2
    assert take_back(stack, path) == TakenBack(str(path), absent=2)


def test_what_was_played_or_changed_is_not_taken_back(aws: Aws, stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "matches.csv"
    rows = "".join(f"m-{n},2026-03-14T08:0{n}:00Z,fm-1,t\n" for n in range(3))
    path.write_text(f"match_id,matched_at,station_id,track_id\n{rows}")
    load(stack, path)
    played = {**without(aws.match("m-0"), "unprocessed_shard"), "processed": {"BOOL": True}}
    aws.put(played, {**aws.match("m-1"), "track_id": {"S": "another"}})

    assert take_back(stack, path) == TakenBack(str(path), removed=1, played=1, changed=1)

    assert sorted(match["match_id"]["S"] for match in aws.matches()) == ["m-0", "m-1"]
    assert aws.match("m-0") == played


def test_a_run_that_plays_a_match_at_the_same_moment_wins(aws: Aws, stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "matches.csv"
    path.write_text("match_id,matched_at,station_id,track_id\nm-0,2026-03-14T08:00:00Z,fm-1,t\n")
    load(stack, path)
    played = {**without(aws.match("m-0"), "unprocessed_shard"), "processed": {"BOOL": True}}

    def play(request: Request, _: Send) -> None:
        if any("Key" in action and "Item" not in action for action in request.actions):
            aws.door.faults.clear()
            aws.put(played)

    aws.door.faults.append(play)
    done = take_back(stack, path)

    assert done == TakenBack(str(path), changed=1)
    assert aws.match("m-0") == played

"""`playlog load`: each row is added, there already, or reported, whatever DynamoDB answers."""

import gzip
import json
from pathlib import Path

import pytest
from playlog_cli.errors import CommandError
from playlog_cli.load import FileProgress, FileResult, load_files
from playlog_cli.rows import BadRow
from playlog_cli.stack import Stack

from tests.unit.aws import Aws, Fault, all_cancelled, on, refused

pytest_plugins = ["tests.unit.aws_fixture"]

TRANSACT = "TransactWriteItems"


def load(stack: Stack, path: Path) -> FileResult:
    (result,) = load_files(stack, [path], lambda _: None).files
    return result


@pytest.fixture(autouse=True)
def small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moto copies every table for each action: as many transactions as a large file has, of few actions each."""
    monkeypatch.setattr("playlog_cli.load.TRANSACTION_ACTIONS", 5)


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """A file of 12 matches without ids, two of them the same row twice."""
    rows = [f"2026-03-14T08:00:{n:02}+01:00,s-{n % 3},t" for n in range(11)]
    path = tmp_path / "day.csv"
    path.write_text("\n".join(["matched_at,station_id,track_id", *rows, rows[-1], ""]))
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
    monkeypatch.setattr("playlog_cli.load.TRANSACTION_BYTES", 4_000)
    path = tmp_path / "large.csv"
    path.write_text("matched_at,title\n" + "".join(f"2026,{n}{'x' * 1_200}\n" for n in range(6)))
    assert load(stack, path).added == 6
    assert [len(request.actions) for request in aws.sent(TRANSACT)] == [3, 3]


def test_a_file_that_is_not_there_stops_the_load_before_it_begins(stack: Stack, aws: Aws, day: Path) -> None:
    for missing, problem in ((day.parent / "dya.csv", "No such file"), (day.parent, "is a directory")):
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
    assert told[-1] == FileProgress("day.csv", rows=12, bytes_read=size, bytes_total=size)
    assert len(told) == 3

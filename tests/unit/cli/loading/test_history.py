"""Rows of the old table MatchCache: each is here what it was there, or somebody is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playlog.domain.match import Item, Match
from playlog.domain.shards import shard_of
from playlog_cli.loading.files.row import Number, Row
from playlog_cli.loading.history import Failed, Played, State, Waiting, state_of
from playlog_cli.loading.matches import RowError, Seen

NOW = datetime(2024, 3, 2, tzinfo=UTC)
SHARDS = 8
REASON = "Track matching query does not exist."


@pytest.fixture
def seen() -> Iterator[Seen]:
    with Seen() as seen:
        yield seen


def state(seen: Seen, line: int = 2, /, **values: Any) -> State | None:
    """What a row of the old table is, of a match that waits but for ``values``; those that are None are left out."""
    row = {
        "id": "4711",
        "track_id": "12",
        "station_id": "3",
        "matched_at": "2024-03-01 12:34:56.789+00",
        "avg_confidence_score": Number("87.5"),
        "processed": "f",
        **values,
    }
    return state_of(
        Row(line, {name: value for name, value in row.items() if value is not None}, is_of_old_table=True),
        seen,
        SHARDS,
        timedelta(minutes=3),
        NOW,
    )


ITEM: Item = {
    "match_id": {"S": "4711"},
    "track_id": {"S": "12"},
    "station_id": {"S": "3"},
    "matched_at": {"S": "2024-03-01T12:34:56.789000+0000"},
    "avg_confidence_score": {"N": "87.5"},
    "processed": {"BOOL": False},
}
WAITING_ITEM: Item = {**ITEM, "unprocessed_shard": {"S": shard_of("3", SHARDS)}}


def test_what_waited_waits(seen: Seen) -> None:
    assert state(seen) == Waiting(WAITING_ITEM)


@pytest.mark.parametrize("processed", ["t", "true", "True", True, "1"])
def test_what_was_played_is_played(seen: Seen, processed: object) -> None:
    played = state(seen, processed=processed, station_program_id="7")
    assert isinstance(played, Played)
    assert played.match == Match(
        match_id="4711",
        station_id="3",
        track_id="12",
        matched_at=datetime(2024, 3, 1, 12, 34, 56, 789_000, tzinfo=UTC),
        duration=timedelta(minutes=3),
        source="Radio",
        carried={"station_program_id": "7"},
        avg_confidence_score=played.match.avg_confidence_score,
        item={**WAITING_ITEM, "station_program_id": {"S": "7"}},
    )


def test_what_has_failed_has_failed_with_its_own_reason_and_a_record_of_it(seen: Seen) -> None:
    failed = state(seen, failed_reason=REASON)
    assert isinstance(failed, Failed)
    assert failed.item == {**ITEM, "attempts": {"N": "1"}, "failed_reason": {"S": REASON}}
    assert not failed.was_played
    record = {name: value for name, value in failed.record.items() if name != "match"}
    assert record == {
        "match_id": {"S": "4711"},
        "attempt": {"N": "1"},
        "reason_code": {"S": "UNEXPECTED"},
        "reason": {"S": REASON},
        "will_retry": {"BOOL": False},
        "failed_at": {"S": "2024-03-01T12:34:56.789000+0000"},
        "stored_at": {"S": "2024-03-02T00:00:00.000000+0000"},
    }
    assert failed.record["match"]["M"]["track_id"] == {"S": "12"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"track_id": None}, "MISSING_TRACK"),
        ({"station_id": None}, "MISSING_STATION"),
        ({"matched_at": "infinity"}, "INVALID_TIME"),
        ({"matched_at": "2031-01-01 00:00:00+00"}, "INVALID_TIME"),
        ({"avg_confidence_score": Number("101")}, "INVALID_CONFIDENCE"),
        ({"avg_confidence_score": Number("NaN")}, "MALFORMED"),
    ],
)
def test_a_failure_has_the_code_that_the_converter_would_give_it(seen: Seen, values: dict[str, Any], code: str) -> None:
    failed = state(seen, failed_reason=REASON, **values)
    assert isinstance(failed, Failed)
    assert failed.record["reason_code"] == {"S": code}
    assert failed.reason == failed.record["reason"]["S"] == REASON
    assert failed.record["failed_at"]["S"] <= failed.record["stored_at"]["S"]


def test_what_was_played_and_can_be_no_play_has_failed_and_says_so(seen: Seen) -> None:
    failed = state(seen, processed="t", track_id=None)
    assert isinstance(failed, Failed)
    assert failed.was_played
    assert failed.record["reason_code"] == {"S": "MISSING_TRACK"}
    assert failed.reason == "track_id is absent: it must name one; the old system had it as played"


def test_a_huge_reason_leaves_room_for_the_match_that_it_is_about(seen: Seen) -> None:
    failed = state(seen, failed_reason="x" * 100_000, notes="y" * 300_000)
    assert isinstance(failed, Failed)
    assert failed.record["match"]["M"]["match_id"] == {"S": "4711"}
    assert "cut" in failed.record["match"]["M"]["notes"]["S"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"processed": "t", "failed_reason": REASON}, "processed is 't' and failed_reason 'Track .*: whether it was"),
        ({"processed": None}, "processed is missing: it must be t or f"),
        ({"processed": "y"}, "processed is 'y': it must be t or f"),
        ({"id": None}, "id is missing: it must be the key of the old table"),
        ({"id": " "}, "id is ' '"),
        ({"matched_at": None}, "matched_at is missing"),
        (
            {"matched_at": "2024-03-01 12:34:56"},
            "matched_at is '2024.*', without an offset: export it as .*AT TIME ZONE",
        ),
        ({"play_id": "x"}, "play_id is 'x': playlog writes it"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_row_that_says_two_things_or_too_little_is_told(seen: Seen, values: dict[str, Any], problem: str) -> None:
    with pytest.raises(RowError, match=problem):
        state(seen, **values)


@pytest.mark.parametrize("offset", ["+00", "+00:00", "+0000", "Z"])
def test_times_are_kept_as_the_tables_keep_them(seen: Seen, offset: str) -> None:
    waiting = state(seen, matched_at=f"2024-03-01 12:34:56.789{offset}")
    assert isinstance(waiting, Waiting)
    assert waiting.item["matched_at"] == {"S": "2024-03-01T12:34:56.789000+0000"}


def test_a_row_that_stands_in_the_export_twice_is_one_match_unless_it_says_another_thing(seen: Seen) -> None:
    assert state(seen, 2)
    assert state(seen, 3) is None
    with pytest.raises(RowError, match="match_id is '4711', which line 2 has with other content"):
        state(seen, 4, processed="t")

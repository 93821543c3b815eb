"""StoreFailures' transaction: a failure that is not recorded, or recorded of a match that was played."""

from dataclasses import replace
from typing import Any

import pytest
from playlog.domain.failure import Failure
from playlog.dynamodb import limits
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import FailureTables, RefusedLetterError, store
from playlog.runtime.retry import Retry
from playlog.schema import ReasonCode

from tests.dynamodb.conftest import Database
from tests.dynamodb.made import NOON, WAITING, Conversion, match


def letter(match_id: str, code: ReasonCode = ReasonCode.MISSING_TRACK, **attributes: Any) -> DeadLetter:
    """The letter that a run writes of a match that it found waiting with these attributes."""
    item = {"match_id": {"S": match_id}, **WAITING, **attributes}
    return DeadLetter.of(Failure(item, code, "track_id is absent"), max_attempts=3, now=NOON)


def test_final_failure_is_recorded_and_its_match_rests(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    database.put_match(unique, **WAITING, isrc={"S": "the writer's own"})

    assert store(letter(unique), tables, retry)

    (record,) = database.failures(unique)
    assert (record["attempt"], record["reason_code"]) == ({"N": "1"}, {"S": "MISSING_TRACK"})
    failed = database.match(unique)
    assert failed is not None
    assert failed == {
        "match_id": {"S": unique},
        "matched_at": WAITING["matched_at"],
        "processed": {"BOOL": False},
        "isrc": {"S": "the writer's own"},
        "attempts": {"N": "1"},
        "failed_reason": {"S": "track_id is absent"},
    }


def test_failure_that_will_be_tried_again_leaves_its_match_waiting(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    before = database.put_match(unique, **WAITING)

    assert store(letter(unique, ReasonCode.UNEXPECTED), tables, retry)

    assert database.match(unique) == {**before, "attempts": {"N": "1"}}
    assert len(database.failures(unique)) == 1


def test_letter_that_comes_twice_is_recorded_once(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    database.put_match(unique, **WAITING)
    assert store(letter(unique, ReasonCode.UNEXPECTED), tables, retry)
    after = (database.match(unique), database.failures(unique))

    assert not store(letter(unique, ReasonCode.UNEXPECTED), tables, retry)

    assert (database.match(unique), database.failures(unique)) == after


def test_match_that_was_played_meanwhile_does_not_fail(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    database.put_match(unique, **WAITING)
    assert database.transact(*Conversion.of(database.tables, match(unique)).actions) == []
    played = database.match(unique)

    assert not store(letter(unique), tables, retry)

    assert (database.match(unique), database.failures(unique)) == (played, [])


def test_match_that_was_deleted_meanwhile_is_not_brought_back_as_a_failed_one(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    assert not store(letter(unique), tables, retry)

    assert (database.match(unique), database.failures(unique)) == (None, [])


def test_letter_from_before_a_retry_does_not_fail_the_match_again(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    database.put_match(unique, **WAITING)
    assert store(letter(unique), tables, retry)
    waits_again = database.put_match(unique, **WAITING, attempts={"N": "1"})

    assert not store(letter(unique), tables, retry)

    assert database.match(unique) == waits_again


def test_history_of_a_match_that_was_written_anew_goes_on(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    for attempt in range(1, 12):  # past 9, where the order of texts would be another than that of numbers
        database.put_match(unique, **WAITING)
        assert store(letter(unique), tables, retry)
        assert [record["attempt"] for record in database.failures(unique)] == [
            {"N": str(number)} for number in range(1, attempt + 1)
        ]


@pytest.mark.differs("moto", how="cancels with TypeError where a condition compares a text with a number")
def test_counter_of_attempts_that_is_no_number_does_not_keep_a_match_from_failing(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    database.put_match(unique, **WAITING, attempts={"S": "two"})

    assert store(letter(unique, ReasonCode.MALFORMED, attempts={"S": "two"}), tables, retry)

    failed = database.match(unique)
    assert failed is not None
    assert failed["attempts"] == {"N": "1"}
    assert "unprocessed_shard" not in failed


def test_match_stands_in_its_record_as_it_was_whatever_it_held(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    held: dict[str, Any] = {
        "empty": {"S": ""},
        "nothing": {"NULL": True},
        "numbers": {"L": [{"N": "1"}, {"N": "0.1"}, {"N": "123456789012345678901234567890.12345678"}]},
        "set": {"NS": ["3"]},
        "binary": {"B": b"\x00\xff"},
        "map": {"M": {"nested": {"L": [{"M": {"deep": {"BOOL": False}}}]}}},
    }
    database.put_match(unique, **WAITING, **held)

    assert store(letter(unique, **held), tables, retry)

    (record,) = database.failures(unique)
    recorded = record["match"]["M"]
    assert recorded["match_id"] == {"S": unique}
    assert recorded["empty"] == {"S": ""}
    assert recorded["nothing"] == {"NULL": True}
    assert recorded["numbers"] == {"L": [{"N": "1"}, {"N": "0.1"}, {"S": "123456789012345678901234567890.12345678"}]}
    assert recorded["set"] == {"L": [{"N": "3"}]}
    assert recorded["binary"] == {"S": "AP8="}
    assert recorded["map"] == {"M": {"nested": {"L": [{"M": {"deep": {"BOOL": False}}}]}}}


def test_largest_match_that_a_writer_may_write_can_fail(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    lyrics = {"S": "ж" * (349 * 512)}
    database.put_match(unique, **WAITING, lyrics=lyrics)
    sent = DeadLetter.from_json(letter(unique, lyrics=lyrics).to_json())

    assert store(sent, tables, retry)

    (record,) = database.failures(unique)
    assert "[cut: " in record["match"]["M"]["lyrics"]["S"]


@pytest.mark.differs("memory", how="takes a put of an item larger than 400 KB in a transaction")
def test_letter_that_no_record_can_hold_is_parked_and_not_tried_for_ever(
    database: Database, unique: str, tables: FailureTables, retry: Retry
) -> None:
    before = database.put_match(unique, **WAITING)
    huge = replace(letter(unique), match={"lyrics": "x" * limits.ITEM_BYTES})

    with pytest.raises(RefusedLetterError, match=unique):
        store(huge, tables, retry)

    assert (database.match(unique), database.failures(unique)) == (before, [])

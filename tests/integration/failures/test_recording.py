"""Dead letters into FailedPlayLog: who looks there finds each match that failed, and no match that was played."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.dynamodb.models import MatchCache
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import RefusedLetterError, connect, store
from playlog.runtime.retry import RequestError, Retry, UnavailableError
from playlog.schema import ReasonCode

from tests.support.aws import (
    Aws,
    Fault,
    Request,
    Send,
    all_cancelled,
    cancelled,
    lost_answer,
    on,
    refused,
    slow,
    unreachable,
)
from tests.support.builders import NOW, make_item, without

pytest_plugins = ["tests.support.aws_fixture"]

SENTENCE = "source is 'Cinema': it must be Radio or Streaming"


def make_letter(item: Item, code: ReasonCode = ReasonCode.INVALID_SOURCE, *, max_attempts: int = 3) -> DeadLetter:
    """The letter that a run writes about a match as it is in the index."""
    return DeadLetter.of(Failure(item, code, SENTENCE), max_attempts=max_attempts, now=NOW)


def store_letter(aws: Aws, letter: DeadLetter, *, retry: Retry | None = None) -> bool:
    """Stores a letter, as the function does."""
    settings = aws.store_settings
    tables = connect(settings.match_cache_table, settings.failed_play_log_table)
    return store(letter, tables, retry or aws.retry_budget())


def retried_by_a_person(aws: Aws) -> Item:
    """Gives the match its shard back, as docs/contract.md, The invariants, says."""
    item = {**without(aws.match("m-1"), "failed_reason"), "unprocessed_shard": {"S": "0"}}
    aws.put(item)
    return item


def attempts(aws: Aws) -> list[tuple[int, str]]:
    """The history of the failures: number and code of each."""
    return [(int(failure["attempt"]["N"]), failure["reason_code"]["S"]) for failure in aws.failures()]


def test_a_failure_is_recorded_together_with_the_state_of_its_match(aws: Aws) -> None:
    item = make_item(source={"S": "Cinema"}, artist={"S": "Wren"}, score={"N": "87.5"}, played={"BOOL": False})
    aws.put(item)
    aws.door.requests.clear()

    assert store_letter(aws, make_letter(item))

    (request,) = aws.door.requests
    assert [action["TableName"] for action in request.actions] == ["FailedPlayLogTable", "MatchCacheTable"]
    assert aws.matches() == [
        {**without(item, "unprocessed_shard"), "attempts": {"N": "1"}, "failed_reason": {"S": SENTENCE}}
    ]
    (failure,) = aws.failures()
    assert without(failure, "stored_at") == {
        "match_id": {"S": "m-1"},
        "attempt": {"N": "1"},
        "reason_code": {"S": "INVALID_SOURCE"},
        "reason": {"S": SENTENCE},
        "will_retry": {"BOOL": False},
        "failed_at": {"S": "2026-03-14T12:00:00.000000+0000"},
        "match": {"M": item},
    }
    assert aws.violations() == []


def test_a_letter_that_comes_again_changes_nothing_and_is_done_with(aws: Aws) -> None:
    aws.put(make_item())
    letter = make_letter(make_item())
    store_letter(aws, letter)
    before = aws.matches(), aws.failures()

    assert not store_letter(aws, letter)

    assert (aws.matches(), aws.failures()) == before


def test_a_letter_of_a_match_that_is_gone_is_done_with(aws: Aws) -> None:
    assert not store_letter(aws, make_letter(make_item()))

    assert (aws.matches(), aws.failures()) == ([], [])


@pytest.mark.parametrize(
    "state",
    [
        {"processed": {"BOOL": True}, "processed_at": {"S": "now"}, "play_id": {"S": "play"}},
        {"processed": {"BOOL": True}, "unprocessed_shard": {"S": "0"}},
        {"failed_reason": {"S": "as before"}, "attempts": {"N": "3"}},
    ],
    ids=["played", "marked played with its shard", "failed"],
)
def test_a_letter_of_a_match_that_no_longer_waits_is_done_with(aws: Aws, state: Any) -> None:
    """A match that was played did not fail, whatever an earlier run thought of it."""
    item = {**without(make_item(), "unprocessed_shard"), **state}
    aws.put(item)

    assert not store_letter(aws, make_letter(make_item()))

    assert (aws.matches(), aws.failures()) == ([item], [])


def test_a_match_that_will_be_tried_again_waits_until_its_attempts_are_used_up(aws: Aws) -> None:
    aws.put(make_item())
    for attempt in (1, 2):
        assert store_letter(aws, make_letter(aws.match("m-1"), ReasonCode.UNEXPECTED))
        assert aws.match("m-1") == {**make_item(), "attempts": {"N": str(attempt)}}
        assert aws.violations() == []

    assert store_letter(aws, make_letter(aws.match("m-1"), ReasonCode.UNEXPECTED))

    assert "unprocessed_shard" not in aws.match("m-1")
    assert [failure["will_retry"]["BOOL"] for failure in aws.failures()] == [True, True, False]
    assert attempts(aws) == [(1, "UNEXPECTED"), (2, "UNEXPECTED"), (3, "UNEXPECTED")]
    assert aws.violations() == []


def test_two_letters_of_one_attempt_count_as_one(aws: Aws) -> None:
    """Two runs read the match before the first letter was stored."""
    aws.put(make_item())
    letter = make_letter(make_item(), ReasonCode.UNEXPECTED)
    store_letter(aws, letter)

    assert not store_letter(aws, replace(letter, reason="as the other run saw it"))

    assert aws.match("m-1")["attempts"] == {"N": "1"}
    assert len(aws.failures()) == 1


def test_a_late_letter_does_not_fail_a_match_that_a_person_retried(aws: Aws) -> None:
    aws.put(make_item())
    late = make_letter(make_item())
    store_letter(aws, late)
    retried = retried_by_a_person(aws)

    assert not store_letter(aws, late)

    assert aws.match("m-1") == retried
    assert len(aws.failures()) == 1
    assert aws.violations() == []


def test_a_retry_by_a_person_that_fails_is_one_more_attempt(aws: Aws) -> None:
    aws.put(make_item())
    store_letter(aws, make_letter(make_item()))
    retried = retried_by_a_person(aws)

    assert store_letter(aws, make_letter(retried, ReasonCode.REJECTED))

    assert attempts(aws) == [(1, "INVALID_SOURCE"), (2, "REJECTED")]
    assert aws.match("m-1")["attempts"] == {"N": "2"}
    assert aws.violations() == []


def test_the_history_of_a_match_that_was_written_anew_goes_on(aws: Aws) -> None:
    aws.put(make_item())
    store_letter(aws, make_letter(make_item()))
    aws.put(make_item())  # with no attempts: its letter says that it is the first
    letter = make_letter(make_item(), ReasonCode.REJECTED)

    assert store_letter(aws, letter)

    assert attempts(aws) == [(1, "INVALID_SOURCE"), (2, "REJECTED")]
    assert aws.match("m-1")["attempts"] == {"N": "2"}
    assert aws.violations() == []
    assert not store_letter(aws, letter)
    assert len(aws.failures()) == 2


def test_a_match_whose_attempts_are_below_zero_fails_as_well(aws: Aws) -> None:
    item = make_item(attempts={"N": "-1"}, source={"S": "Cinema"})
    aws.put(item)

    assert store_letter(aws, DeadLetter.from_json(make_letter(item).to_json()))

    assert aws.violations() == []


@pytest.mark.parametrize(
    "value",
    [
        {"L": [{"NULL": True}, {"N": "1E-20"}, {"M": {"a": {"SS": ["x"]}}}]},
        {"N": "99999999999999999999999999999999999999"},
        {"N": "1E+125"},
        {"B": b"\x00\xff"},
        {"S": ""},
    ],
    ids=["nested", "38 digits", "huge", "binary", "empty"],
)
def test_a_match_is_recorded_whatever_its_writer_put_in_it(aws: Aws, value: Any) -> None:
    item = make_item(own=value)
    aws.put(item)

    assert store_letter(aws, DeadLetter.from_json(make_letter(item).to_json()))

    assert aws.violations() == []


# --- What AWS answers ---


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_letter_that_met_another_write_is_stored_in_the_end(aws: Aws, code: str) -> None:
    aws.put(make_item())
    aws.door.faults.append(on("TransactWriteItems", cancelled({"m-1": code}), times=3))

    assert store_letter(aws, make_letter(make_item()))

    assert len(aws.sent("TransactWriteItems")) == 4
    assert attempts(aws) == [(1, "INVALID_SOURCE")]


@pytest.mark.parametrize(
    "fault",
    [
        refused("ThrottlingException"),
        refused("InternalServerError", status=500),
        refused("Whatever", status=503),
        unreachable,
    ],
    ids=["throttled", "broken", "a gateway's", "unreachable"],
)
def test_a_letter_that_was_not_stored_at_once_is_stored_in_the_end(aws: Aws, fault: Fault) -> None:
    aws.put(make_item())
    aws.door.faults.append(on("TransactWriteItems", fault, times=3))

    assert store_letter(aws, make_letter(make_item()))

    assert len({request.token for request in aws.sent("TransactWriteItems")}) == 1
    assert attempts(aws) == [(1, "INVALID_SOURCE")]


@pytest.mark.parametrize("remembers_tokens", [True, False])
def test_a_letter_whose_answer_was_lost_is_recorded_once(aws: Aws, remembers_tokens: bool) -> None:
    aws.put(make_item())
    aws.door.remembers_tokens = remembers_tokens
    aws.door.faults.append(on("TransactWriteItems", lost_answer, times=1))

    stored = store_letter(aws, make_letter(make_item()))

    assert stored == remembers_tokens
    assert attempts(aws) == [(1, "INVALID_SOURCE")]
    assert aws.match("m-1")["attempts"] == {"N": "1"}
    assert aws.violations() == []


@pytest.mark.parametrize("fault", [all_cancelled("TransactionConflict"), refused("ThrottlingException"), unreachable])
def test_a_letter_that_cannot_be_stored_now_goes_back_to_the_queue(aws: Aws, fault: Fault) -> None:
    aws.put(make_item())
    aws.door.faults.append(on("TransactWriteItems", fault))

    with pytest.raises(UnavailableError):
        store_letter(aws, make_letter(make_item()))

    assert aws.matches() == [make_item()]
    assert aws.failures() == []


def test_no_request_begins_once_the_time_is_up(aws: Aws) -> None:
    aws.put(make_item())
    aws.door.faults += [on("TransactWriteItems", slow(aws.clock, 2)), all_cancelled("TransactionConflict")]
    aws.door.requests.clear()
    retry = aws.retry_budget(seconds=5)

    with pytest.raises(UnavailableError):
        store_letter(aws, make_letter(make_item()), retry=retry)

    assert 2 <= len(aws.door.requests) <= 3
    assert all(request.at < retry.deadline for request in aws.door.requests)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_who_may_not_store_is_told_which_tables_and_at_once(aws: Aws, code: str) -> None:
    aws.door.faults.append(on("TransactWriteItems", refused(code, "it is so")))

    with pytest.raises(RequestError, match=f"FailedPlayLogTable and MatchCacheTable.*{code}.*it is so"):
        store_letter(aws, make_letter(make_item()))

    assert len(aws.sent("TransactWriteItems")) == 1


@pytest.mark.parametrize(
    "fault",
    [cancelled({"m-1": "ValidationError"}), refused("ValidationException", "too large")],
    ids=["by its action", "as a whole"],
)
def test_a_letter_that_dynamodb_never_takes_says_whose_it_is(aws: Aws, fault: Fault) -> None:
    aws.door.faults.append(on("TransactWriteItems", fault))

    with pytest.raises(RefusedLetterError, match="m-1"):
        store_letter(aws, make_letter(make_item()))

    assert len(aws.sent("TransactWriteItems")) == 1


def test_a_conversion_between_two_tries_is_not_undone(aws: Aws) -> None:
    """The match is played while its letter is being stored."""
    aws.put(make_item())
    played = {**without(make_item(), "unprocessed_shard"), "processed": {"BOOL": True}}

    def play_first(_request: Request, send: Send) -> AWSResponse:
        aws.put(played)
        return send()

    aws.door.faults.append(on("TransactWriteItems", play_first, times=1))

    assert not store_letter(aws, make_letter(make_item()))

    assert aws.matches() == [played]
    assert aws.failures() == []


def test_each_connection_keeps_its_own_tables() -> None:
    first, second, again = connect("A", "FA"), connect("B", "FB"), connect("A", "FA")

    assert [tables.names for tables in (first, second, again)] == [
        "tables FA and A",
        "tables FB and B",
        "tables FA and A",
    ]
    assert not hasattr(MatchCache.Meta, "table_name")

"""A run: what waits becomes plays and dead letters, and what does not become them still waits."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from playlog.converting.run import EventError, Run, RunError, convert, shards_of
from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.runtime.retry import RequestError, Retry

from tests.support.aws import (
    Aws,
    Fault,
    all_cancelled,
    answered,
    cancelled,
    lost_answer,
    on,
    refused,
    slow,
    taken_but_for,
    unreachable,
)
from tests.support.builders import MATCHED_AT, make_item, without

pytest_plugins = ["tests.support.aws_fixture"]


def run(aws: Aws, *, shards: Sequence[str] = ("0",), batch_size: int = 100, retry: Retry | None = None) -> Run:
    """Converts what waits."""
    settings = replace(aws.convert_settings, batch_size=batch_size)
    return convert(shards, settings, aws.client, aws.sqs, retry or aws.retry_budget())


def make_items(count: int, **attributes: dict[str, Any]) -> list[Item]:
    """Matches of one play each, ``m-0`` the oldest, but for ``attributes``."""
    return [
        make_item(
            f"m-{n}",
            **{"matched_at": {"S": timestamps.to_text(MATCHED_AT + timedelta(minutes=n))}, **attributes},
        )
        for n in range(count)
    ]


def letters(aws: Aws) -> dict[str, str]:
    """What the dead letters say: reason codes by match."""
    found = [json.loads(text) for text in aws.take_letters()]
    return {letter["match_id"]: letter["reason_code"] for letter in found}


def waiting(aws: Aws) -> list[str]:
    """The ids of the matches that wait."""
    return sorted(match["match_id"]["S"] for match in aws.matches() if "unprocessed_shard" in match)


def test_a_run_says_what_it_did_in_the_words_of_the_contract(aws: Aws) -> None:
    good = make_items(3)
    aws.put(*good, make_item("m-again"), make_item("silent", track_id={"S": " "}))

    answer = run(aws).as_answer()

    assert answer == {
        "success": True,
        "message": "4 matches processed, 3 plays created, 1 failed",
        "processed": 4,
        "plays": 3,
        "failed": 1,
        "waiting": False,
    }
    assert letters(aws) == {"silent": "MISSING_TRACK"}
    assert waiting(aws) == ["silent"]
    assert aws.violations() == []


def test_with_nothing_to_do_it_says_so(aws: Aws) -> None:
    assert run(aws, shards=["0", "1", "2"]).as_answer() == {
        "success": True,
        "message": "No unprocessed matches found",
        "processed": 0,
        "plays": 0,
        "failed": 0,
        "waiting": False,
    }


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_repeats_are_one_play_however_the_pages_fall(aws: Aws, batch_size: int) -> None:
    aws.put(*(make_item(f"m-{n}", avg_confidence_score={"N": str(n)}) for n in range(5)))

    result = run(aws, batch_size=batch_size)

    (play,) = aws.plays()
    assert (play["match_count"], play["avg_confidence_score"]) == ({"N": "5"}, {"N": "2"})
    assert (result.processed, result.plays) == (5, 1)
    assert aws.violations() == []


def test_repeats_of_another_run_are_the_same_play(aws: Aws) -> None:
    aws.put(make_item("m-1"))
    run(aws)
    aws.put(make_item("m-2", matched_at={"S": "2026-03-14T07:00:00Z"}))

    result = run(aws)

    assert [play["match_count"] for play in aws.plays()] == [{"N": "2"}]
    assert (result.processed, result.plays) == (1, 0)
    assert aws.violations() == []


def test_all_shards_are_worked_on_and_no_other(aws: Aws) -> None:
    shards = [str(number) for number in range(12)]
    aws.put(*(make_item(f"m-{shard}", station_id={"S": shard}, unprocessed_shard={"S": shard}) for shard in shards))

    result = run(aws, shards=shards[:-1])

    assert result.plays == 11
    assert waiting(aws) == ["m-11"]
    assert len(aws.sent("Query")) == 11


def test_matches_that_fail_in_every_run_hold_up_none_behind_them(aws: Aws) -> None:
    aws.put(*make_items(6, source={"S": "Cinema"}))
    aws.put(make_item("last", matched_at={"S": "2026-03-14T11:00:00Z"}))

    for _ in range(2):
        run(aws, batch_size=2)

    assert [play["match_id"]["S"] for play in aws.plays()] == ["last"]
    assert len(aws.take_letters()) == 12


@pytest.mark.parametrize(
    "poison",
    [
        {"track_id": {"M": {"a": {"L": [{"NULL": True}]}}}},
        {"duration_seconds": {"N": "9.9E+125"}},
        {"attempts": {"N": "9.9E+125"}},
        {"avg_confidence_score": {"SS": ["90"]}},
        {"processed": {"S": "false"}},
        {"matched_at": {"S": "\U0001f4fb"}},
        {"matched_at": {"S": "0001-01-01T00:00:00+14:00"}},
        {"own": {"B": b"\xff"}, "station_id": {"NULL": True}},
    ],
    ids=lambda poison: next(iter(poison)),
)
def test_one_poisoned_match_takes_no_other_of_its_page_with_it(aws: Aws, poison: dict[str, Any]) -> None:
    aws.put(*make_items(3), {**make_item("poison", track_id={"S": "track-2"}, source={"S": "Cinema"}), **poison})

    result = run(aws)

    assert (result.plays, result.failed, result.waiting) == (3, 1, False)
    assert list(letters(aws)) == ["poison"]


def test_a_page_that_is_behind_the_table_pays_nothing_twice(aws: Aws) -> None:
    items = make_items(5)
    aws.put(*items)
    run(aws)
    wire = json.loads(json.dumps(items[:2]))
    aws.put(make_item("new", track_id={"S": "track-2"}))
    aws.door.faults.append(on("Query", answered(lambda page: page["Items"].extend(wire))))

    result = run(aws)

    assert (result.processed, result.plays, result.failed, result.waiting) == (1, 1, 0, False)
    assert aws.violations() == []


def test_the_age_of_the_oldest_match_that_a_run_leaves_is_told_whatever_its_offset(aws: Aws) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    two_hours_ago = (an_hour_ago - timedelta(hours=1)).astimezone(timezone(timedelta(hours=5)))
    aws.put(
        make_item("m-1", matched_at={"S": an_hour_ago.isoformat()}),
        make_item("m-2", matched_at={"S": two_hours_ago.isoformat()}),
        make_item("m-3", matched_at={"S": "around noon"}, unprocessed_shard={"S": "1"}),
        make_item("m-4", station_id={"S": "other"}, unprocessed_shard={"S": "2"}),
    )
    aws.door.faults.append(cancelled({"m-1": "ThrottlingError"}))

    assert run(aws, shards=["0", "1", "2"]).oldest_waiting_seconds == pytest.approx(7_200, abs=60)


def test_matches_that_come_late_and_are_played_at_once_are_no_backlog(aws: Aws) -> None:
    """A match is reported when the audio has ended, and days later from a file: an alarm on that would cry wolf."""
    aws.put(make_item("late"), make_item("fails", source={"S": "Cinema"}))

    assert run(aws).oldest_waiting_seconds == 0


# --- The dead-letter queue is down ---

QUEUE_DOWN = [
    pytest.param(unreachable, id="unreachable"),
    pytest.param(refused("InternalError", status=500), id="broken"),
    pytest.param(taken_but_for(lambda _message: True), id="takes no letter"),
]


@pytest.mark.parametrize("fault", QUEUE_DOWN)
def test_plays_are_written_while_the_queue_is_down(aws: Aws, fault: Fault) -> None:
    aws.put(*make_items(3), make_item("silent", track_id={"S": " "}))
    aws.door.faults.append(on("SendMessageBatch", fault))

    result = run(aws)

    assert (result.processed, result.plays, result.failed, result.waiting) == (3, 3, 0, True)
    assert result.message.endswith("more are waiting")
    assert waiting(aws) == ["silent"]
    assert aws.violations() == []


@pytest.mark.parametrize("fault", QUEUE_DOWN)
def test_a_run_that_could_do_nothing_for_the_queue_is_no_success(aws: Aws, fault: Fault) -> None:
    aws.put(make_item("silent", track_id={"S": " "}))
    aws.door.faults.append(on("SendMessageBatch", fault))

    with pytest.raises(RunError, match="what waited still waits"):
        run(aws)

    assert waiting(aws) == ["silent"]


def test_a_queue_that_may_not_be_written_is_an_error_though_plays_are_written(aws: Aws) -> None:
    aws.put(*make_items(3), make_item("silent", track_id={"S": " "}))
    aws.door.faults.append(on("SendMessageBatch", refused("AccessDenied", "sqs:SendMessage")))

    with pytest.raises(RequestError, match=r"DeadLetterQueue.*sqs:SendMessage"):
        run(aws)

    assert len(aws.plays()) == 3
    assert waiting(aws) == ["silent"]


# --- The tables are down ---


@pytest.mark.parametrize(
    "fault",
    [refused("ThrottlingException"), all_cancelled("ThrottlingError"), unreachable],
    ids=["as a whole", "by action", "unreachable"],
)
def test_a_run_that_could_write_nothing_is_no_success(aws: Aws, fault: Fault) -> None:
    aws.put(*make_items(3))
    aws.door.faults.append(on("TransactWriteItems", fault))

    with pytest.raises(RunError, match="what waited still waits"):
        run(aws)

    assert aws.matches() == make_items(3)


def test_matches_throttled_to_the_end_wait_and_the_run_says_so(aws: Aws) -> None:
    aws.put(*make_items(5))
    aws.door.faults.append(cancelled({"m-1": "ThrottlingError", "m-3": "TransactionConflict"}))

    result = run(aws)

    assert (result.processed, result.plays, result.failed, result.waiting) == (3, 3, 0, True)
    assert waiting(aws) == ["m-1", "m-3"]
    assert letters(aws) == {}
    assert aws.violations() == []


def test_nothing_fails_and_the_run_is_no_success_where_dynamodb_refuses_everything(aws: Aws) -> None:
    aws.put(*make_items(10))
    aws.door.faults.append(on("TransactWriteItems", refused("ValidationException", "the table has another key")))

    with pytest.raises(RunError, match="the table has another key"):
        run(aws)

    assert letters(aws) == {}
    assert aws.matches() == make_items(10)


def test_a_lost_answer_is_counted_once(aws: Aws) -> None:
    aws.put(*make_items(3), make_item("m-again"))
    aws.door.faults.append(on("TransactWriteItems", lost_answer, times=1))

    result = run(aws)

    assert (result.processed, result.plays, result.failed, result.waiting) == (4, 3, 0, False)
    assert aws.violations() == []


@pytest.mark.parametrize("fault", [unreachable, refused("ThrottlingException")], ids=["unreachable", "throttled"])
def test_a_shard_that_cannot_be_read_holds_up_no_other(aws: Aws, fault: Fault) -> None:
    aws.put(make_item("m-0"), make_item("m-1", station_id={"S": "2"}, unprocessed_shard={"S": "1"}))

    def in_shard_0(request: Any, send: Any) -> Any:
        values = request.arguments.get("ExpressionAttributeValues", {})
        return fault(request, send) if values == {":shard": {"S": "0"}} else None

    aws.door.faults.append(on("Query", in_shard_0))

    result = run(aws, shards=["0", "1"])

    assert (result.plays, result.waiting) == (1, True)
    assert waiting(aws) == ["m-0"]


@pytest.mark.parametrize(
    ("operation", "names"),
    [("Query", "unprocessed-index of table MatchCacheTable"), ("TransactWriteItems", "PlayLogTable")],
)
@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_what_only_a_person_can_mend_ends_the_run_with_its_name(
    aws: Aws, operation: str, names: str, code: str
) -> None:
    aws.put(*make_items(3))
    aws.door.faults.append(on(operation, refused(code, "it is so")))

    with pytest.raises(RequestError, match=f"{names}.*{code}.*it is so"):
        run(aws, shards=["0", "1"])

    assert len(waiting(aws)) == 3


# --- The time ---


def test_out_of_time_a_run_says_what_it_did_and_that_more_waits(aws: Aws) -> None:
    """And nothing begins after the deadline, so that the function is not ended in the middle of something."""
    aws.put(*make_items(12))
    aws.put(make_item("silent", track_id={"S": " "}, matched_at={"S": "2026-03-14T06:00:00Z"}))
    aws.door.faults += [on(each, slow(aws.clock, 3)) for each in ("Query", "TransactWriteItems", "SendMessageBatch")]
    aws.door.requests.clear()
    retry = aws.retry_budget(seconds=20)

    result = run(aws, batch_size=2, retry=retry)

    assert all(request.at < retry.deadline for request in aws.door.requests)
    assert result.waiting
    assert 0 < result.plays < 12
    assert len(aws.plays()) == result.plays == result.processed
    assert len(waiting(aws)) == 13 - result.processed
    assert aws.violations() == []


def test_a_run_without_time_begins_nothing_and_is_no_success(aws: Aws) -> None:
    aws.put(*make_items(3))
    aws.door.requests.clear()

    with pytest.raises(RunError, match="no time is left"):
        run(aws, retry=aws.retry_budget(seconds=0))

    assert aws.door.requests == []


# --- What the event asks for ---


@pytest.mark.parametrize("event", [{}, {"source": "aws.events", "detail": {}}], ids=["a person's", "the schedule's"])
def test_an_event_without_shards_asks_for_all(event: dict[str, Any]) -> None:
    assert shards_of(event, 3) == ["0", "1", "2"]


def test_an_event_may_ask_for_some_each_once() -> None:
    assert shards_of({"shards": ["2", "0", "2"]}, 3) == ["2", "0"]


NO_LIST = ': it must be a list of at least one shard, like ["0", "3"]'
NO_SHARD = ': it must hold texts from "0" to "2"'


@pytest.mark.parametrize(
    ("shards", "says"),
    [
        ([], f"shards is []{NO_LIST}"),
        (None, f"shards is None{NO_LIST}"),
        ("0", f"shards is '0'{NO_LIST}"),
        ({"0": True}, f"shards is {{'0': True}}{NO_LIST}"),
        (["3"], f"shards holds '3'{NO_SHARD}"),
        (["0", "-1"], f"shards holds '-1'{NO_SHARD}"),
        ([0], f"shards holds 0{NO_SHARD}"),
        (["00"], f"shards holds '00'{NO_SHARD}"),
        ([["0"]], f"shards holds ['0']{NO_SHARD}"),
    ],
)
def test_an_event_that_asks_for_what_is_no_shard_is_told_what_would_be_right(shards: object, says: str) -> None:
    with pytest.raises(EventError) as error:
        shards_of({"shards": shards}, 3)

    assert str(error.value) == says


def test_the_item_of_a_dead_letter_is_the_match_as_it_was(aws: Aws) -> None:
    item = make_item(source={"S": "Cinema"}, artist={"S": "Wren"}, score={"N": "87.5"})
    aws.put(item)

    run(aws)

    (letter,) = [json.loads(text) for text in aws.take_letters()]
    assert letter["match"] == {
        **{name: value["S"] for name, value in without(item, "score").items()},
        "score": 87.5,
    }
    assert {name: letter[name] for name in ("version", "match_id", "attempt", "reason_code", "will_retry")} == {
        "version": 1,
        "match_id": "m-1",
        "attempt": 1,
        "reason_code": "INVALID_SOURCE",
        "will_retry": False,
    }

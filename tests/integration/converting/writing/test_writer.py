"""Plays into PlayLog: each is paid once, for all of its matches, whatever AWS answers."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from playlog.converting.writing.actions import Tables
from playlog.converting.writing.writer import Writer
from playlog.converting.writing.written import Written
from playlog.domain.duplicates import rule_for
from playlog.domain.match import Item, Match
from playlog.runtime.retry import RequestError, Retry, UnavailableError

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
from tests.support.builders import MATCHED_AT, make_match

pytest_plugins = ["tests.support.aws_fixture"]

TOO_LONG = "track-" + "x" * 1_024  # with the time before it, no sort key takes it


def make_matches(count: int) -> list[Match]:
    """Matches of one play each: ``m-0``, ``m-1`` and so on."""
    return [make_match(f"m-{n}", matched_at=MATCHED_AT + timedelta(minutes=n)) for n in range(count)]


def write(
    aws: Aws, matches: Iterable[Match], *, gap: int = 0, flag_below: int = 0, retry: Retry | None = None
) -> Written:
    """Writes matches as one page of the index, whether they are in the table or not."""
    settings = aws.convert_settings
    tables = Tables(settings.match_cache_table, settings.play_log_table, settings.station_guard_table)
    written = Written()
    writer = Writer(
        aws.client, tables, rule_for(timedelta(seconds=gap)), Decimal(flag_below), retry or aws.retry_budget(), Event()
    )
    writer.write(list(matches), written)
    writer.finish(written)
    return written


def put_and_write(aws: Aws, matches: list[Match]) -> Written:
    """Writes matches that wait."""
    aws.put(*(match.item for match in matches))
    return write(aws, matches)


def played(aws: Aws) -> set[str]:
    """The ids of the matches that are played."""
    return {match["match_id"]["S"] for match in aws.matches() if match.get("processed") == {"BOOL": True}}


def waiting(aws: Aws) -> set[str]:
    """The ids of the matches that wait."""
    return {match["match_id"]["S"] for match in aws.matches() if "unprocessed_shard" in match}


def numbers(item: Item, *names: str) -> list[Decimal]:
    """The values of attributes."""
    return [Decimal(item[name]["N"]) for name in names]


def test_a_play_is_written_together_with_the_state_of_its_match(aws: Aws) -> None:
    match = make_match(score=Decimal("87.5"), station_program_id="breakfast")

    written = put_and_write(aws, [match])

    (request,) = aws.sent("TransactWriteItems")
    assert [action["TableName"] for action in request.actions] == ["PlayLogTable", "MatchCacheTable"]
    (play,) = aws.plays()
    assert {name: play[name] for name in play.keys() - {"created_at", "updated_at"}} == {
        "station_id": {"S": "station-1"},
        "play_id": {"S": "2026-03-14T07:00:00.000000+0000#track-1"},
        "track_id": {"S": "track-1"},
        "station_program_id": {"S": "breakfast"},
        "source": {"S": "Radio"},
        "match_id": {"S": "m-1"},
        "match_count": {"N": "1"},
        "played_at": {"S": "2026-03-14T07:00:00.000000+0000"},
        "start_time": {"S": "2026-03-14T07:00:00.000000+0000"},
        "stop_time": {"S": "2026-03-14T07:03:00.000000+0000"},
        "duration_seconds": {"N": "180"},
        "avg_confidence_score": {"N": "87.5"},
        "confidence_sum": {"N": "87.5"},
        "confidence_count": {"N": "1"},
        "active": {"BOOL": True},
        "claimed": {"BOOL": False},
        "flagged": {"BOOL": False},
        "is_archived": {"BOOL": False},
    }
    assert (written.matches, written.plays, written.left, written.failures) == (1, 1, 0, [])
    assert aws.violations() == []


def test_what_the_writer_of_a_match_put_beside_the_contract_stays(aws: Aws) -> None:
    match = replace(make_match(), item={**make_match().item, "artist": {"S": "Wren Alderly"}, "attempts": {"N": "2"}})

    put_and_write(aws, [match])

    stored = aws.match("m-1")
    assert stored["artist"] == {"S": "Wren Alderly"}
    assert stored["attempts"] == {"N": "2"}
    assert stored["processed"] == {"BOOL": True}
    assert stored["play_id"] == aws.plays()[0]["play_id"]


def test_fifty_plays_cost_one_request(aws: Aws) -> None:
    written = put_and_write(aws, make_matches(50))

    assert len(aws.sent("TransactWriteItems")) == 1
    assert (written.matches, written.plays, len(aws.plays())) == (50, 50, 50)


def test_repeats_in_a_page_are_paid_once(aws: Aws) -> None:
    scores = [Decimal(90), None, Decimal(60)]
    matches = [
        make_match(f"m-{n}", seconds=100 + n, score=score, station_program_id=f"programme-{n}")
        for n, score in enumerate(scores)
    ]

    written = put_and_write(aws, matches)

    (play,) = aws.plays()
    assert numbers(play, "match_count", "avg_confidence_score", "duration_seconds") == [3, 75, 102]
    assert play["station_program_id"] == {"S": "programme-0"}
    assert (written.matches, written.plays) == (3, 1)
    assert len(aws.sent("TransactWriteItems")) == 1
    assert aws.violations() == []


def test_repeats_of_later_runs_join_the_play_that_is_there(aws: Aws) -> None:
    first = make_match("m-1", seconds=100, score=Decimal(90), station_program_id="breakfast")
    second = make_match("m-2", seconds=140, score=Decimal(61), station_program_id="drive")
    third = make_match("m-3", seconds=120)

    outcomes = [put_and_write(aws, [match]) for match in (first, second, third)]

    (play,) = aws.plays()
    assert numbers(play, "match_count", "avg_confidence_score", "duration_seconds") == [3, Decimal("75.5"), 140]
    assert play["stop_time"] == {"S": "2026-03-14T07:02:20.000000+0000"}
    assert play["match_id"] == {"S": "m-1"}
    assert play["station_program_id"] == {"S": "breakfast"}
    assert [(written.matches, written.plays) for written in outcomes] == [(1, 1), (1, 0), (1, 0)]
    assert aws.violations() == []


def test_a_play_that_somebody_claimed_keeps_that_when_a_match_joins_it(aws: Aws) -> None:
    put_and_write(aws, [make_match("m-1")])
    (play,) = aws.plays()
    aws.dynamodb.put_item(TableName="PlayLogTable", Item={**play, "claimed": {"BOOL": True}, "note": {"S": "ours"}})

    put_and_write(aws, [make_match("m-2")])

    (after,) = aws.plays()
    assert (after["claimed"], after["note"], after["match_count"]) == ({"BOOL": True}, {"S": "ours"}, {"N": "2"})


def test_more_repeats_than_a_transaction_takes_are_one_play(aws: Aws) -> None:
    matches = [make_match(f"m-{n:03}", score=Decimal(n)) for n in range(150)]

    written = put_and_write(aws, matches)

    (play,) = aws.plays()
    assert numbers(play, "match_count", "avg_confidence_score") == [150, Decimal("74.5")]
    assert (written.matches, written.plays) == (150, 1)
    assert aws.violations() == []


def test_a_play_of_low_confidence_is_flagged_for_a_person(aws: Aws) -> None:
    low, high = make_match("low", score=Decimal(59)), make_match("high", track_id="track-2", score=Decimal(60))
    aws.put(low.item, high.item)

    write(aws, [low, high], flag_below=60)

    assert {play["match_id"]["S"]: play["flagged"]["BOOL"] for play in aws.plays()} == {"low": True, "high": False}


# --- A page of the index that is behind the table ---


def gone(aws: Aws, match: Match) -> None:
    aws.delete(match.match_id)


def played_before(aws: Aws, match: Match) -> None:
    write(aws, [match])


def failed_before(aws: Aws, match: Match) -> None:
    item = {name: value for name, value in match.item.items() if name != "unprocessed_shard"}
    aws.put({**item, "attempts": {"N": "1"}, "failed_reason": {"S": "it had no track"}})


@pytest.mark.parametrize("happened", [gone, played_before, failed_before])
def test_a_match_that_no_longer_waits_is_not_paid_again_and_holds_up_no_other(aws: Aws, happened: Any) -> None:
    matches = make_matches(10)
    stale = matches[4]
    aws.put(*(match.item for match in matches))
    happened(aws, stale)
    before = [match for match in aws.matches() if match["match_id"]["S"] == stale.match_id]
    plays_before = len(aws.plays())
    aws.door.requests.clear()

    written = write(aws, matches)

    assert len(aws.sent("TransactWriteItems")) == 2
    assert (written.matches, written.plays, written.left, written.failures) == (9, 9, 0, [])
    assert len(aws.plays()) == plays_before + 9
    assert [match for match in aws.matches() if match["match_id"]["S"] == stale.match_id] == before


def test_a_stale_match_takes_none_of_its_own_play_with_it(aws: Aws) -> None:
    matches = [make_match(f"m-{n}") for n in range(3)]
    aws.put(*(match.item for match in matches))
    write(aws, [matches[1]])

    written = write(aws, matches)

    (play,) = aws.plays()
    assert play["match_count"] == {"N": "3"}
    assert (written.matches, written.plays) == (2, 0)
    assert aws.violations() == []


def test_a_match_that_is_marked_played_but_still_in_the_index_creates_no_play(aws: Aws) -> None:
    match = make_match()
    aws.put({**match.item, "processed": {"BOOL": True}})

    written = write(aws, [match])

    assert aws.plays() == []
    assert (written.matches, written.plays, written.left) == (0, 0, 0)


# --- Cancelled transactions ---

TRANSIENT = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]


@pytest.mark.parametrize("code", TRANSIENT)
def test_a_cancelled_transaction_costs_the_innocent_one_more_request(aws: Aws, code: str) -> None:
    aws.door.faults.append(cancelled({"m-3": code, "m-7": code}))

    put_and_write(aws, make_matches(10))

    first, second, *others = aws.sent("TransactWriteItems")
    assert len(first.matches) == 10
    assert second.matches == first.matches - {"m-3", "m-7"}
    assert all(request.matches == {"m-3", "m-7"} for request in others)
    assert played(aws) == second.matches
    assert second.at == first.at, "the innocent need not wait"


@pytest.mark.parametrize("code", TRANSIENT)
def test_a_match_that_was_in_the_way_of_others_is_played_in_the_end_and_once(aws: Aws, code: str) -> None:
    aws.door.faults.append(on("TransactWriteItems", cancelled({"m-3": code}), times=3))

    written = put_and_write(aws, make_matches(5))

    assert (written.matches, written.plays, written.left, written.failures) == (5, 5, 0, [])
    assert len(aws.plays()) == 5
    assert aws.violations() == []


@pytest.mark.parametrize("code", TRANSIENT)
def test_a_match_that_is_throttled_to_the_end_waits_and_has_not_failed(aws: Aws, code: str) -> None:
    aws.door.faults.append(cancelled({"m-3": code}))

    written = put_and_write(aws, make_matches(5))

    assert (written.matches, written.plays, written.left, written.failures) == (4, 4, 1, [])
    assert waiting(aws) == {"m-3"}
    assert aws.match("m-3") == make_matches(4)[3].item
    assert aws.violations() == []


def test_a_throttled_table_is_asked_again_after_growing_pauses_and_not_for_ever(aws: Aws) -> None:
    aws.door.faults.append(on("TransactWriteItems", all_cancelled("ThrottlingError")))
    retry = aws.retry_budget(seconds=30)

    aws.put(make_match().item)
    written = write(aws, [make_match()], retry=retry)

    times = [request.at for request in aws.sent("TransactWriteItems")]
    assert 1 < len(times) <= 10
    assert len(set(times)) == len(times), "each but the first after a pause"
    assert times[-1] <= retry.deadline
    assert written.left == 1


def test_a_transaction_cancelled_for_no_reason_is_asked_again_and_not_without_a_pause(aws: Aws) -> None:
    aws.door.faults.append(on("TransactWriteItems", all_cancelled("None"), times=2))

    written = put_and_write(aws, make_matches(3))

    times = [request.at for request in aws.sent("TransactWriteItems")]
    assert len(set(times)) == len(times) == 3
    assert (written.matches, written.plays) == (3, 3)


def test_a_play_that_is_there_already_is_joined_without_being_read(aws: Aws) -> None:
    first, second = make_match("m-1"), make_match("m-2")
    aws.put(first.item, second.item)
    write(aws, [first])
    aws.door.requests.clear()

    write(aws, [second])

    assert [request.operation for request in aws.door.requests] == ["TransactWriteItems"] * 2


def before_joining(happens: Callable[[], object]) -> Fault:
    """Once, when a match is about to join a play, something else happens to that play."""

    def interrupt(request: Request, send: Send) -> AWSResponse | None:
        if "UpdateExpression" not in request.actions[0]:
            return None
        happens()
        return send()

    return on("TransactWriteItems", interrupt, times=1)


def test_two_runs_that_join_a_play_at_once_both_count(aws: Aws) -> None:
    first, second, third = (make_match(f"m-{n}", score=Decimal(n)) for n in (10, 20, 60))
    aws.put(first.item, second.item, third.item)
    write(aws, [first])
    aws.door.faults.append(before_joining(lambda: write(aws, [third])))

    write(aws, [second])

    (play,) = aws.plays()
    assert numbers(play, "match_count", "avg_confidence_score") == [3, 30]
    assert aws.violations() == []


def test_a_play_that_was_taken_away_before_a_match_joined_it_is_created_anew(aws: Aws) -> None:
    first, second = make_match("m-1"), make_match("m-2")
    aws.put(first.item, second.item)
    write(aws, [first])
    (play,) = aws.plays()
    key = {name: play[name] for name in ("station_id", "play_id")}
    aws.door.faults.append(before_joining(lambda: aws.dynamodb.delete_item(TableName="PlayLogTable", Key=key)))

    written = write(aws, [second])

    assert [(each["match_id"]["S"], each["match_count"]["N"]) for each in aws.plays()] == [("m-2", "1")]
    assert (written.matches, written.plays) == (1, 1)


# --- Answers that do not come ---


def test_a_play_whose_answer_was_lost_is_paid_once_and_counted_once(aws: Aws) -> None:
    aws.door.faults.append(on("TransactWriteItems", lost_answer, times=1))

    written = put_and_write(aws, make_matches(5))

    first, second = aws.sent("TransactWriteItems")
    assert first.token is not None
    assert first.arguments == second.arguments, "the same token, for the same actions"
    assert (written.matches, written.plays, written.left, written.failures) == (5, 5, 0, [])
    assert aws.violations() == []


def test_a_play_whose_answer_was_lost_is_paid_once_even_where_its_token_is_forgotten(aws: Aws) -> None:
    aws.door.remembers_tokens = False
    aws.door.faults.append(on("TransactWriteItems", lost_answer, times=1))

    written = put_and_write(aws, [make_match("m-1"), make_match("m-2"), *make_matches(1)])

    assert [play["match_count"]["N"] for play in aws.plays()] == ["3"]
    assert (written.left, written.failures) == (0, [])
    assert aws.violations() == []


def test_two_transactions_never_share_a_token(aws: Aws) -> None:
    """The second would be answered as the first was, and nothing of it be written."""
    aws.door.faults.append(on("TransactWriteItems", cancelled({"m-3": "TransactionConflict"}), times=2))

    put_and_write(aws, make_matches(10))

    tokens = [request.token for request in aws.sent("TransactWriteItems")]
    assert len(set(tokens)) == len(tokens) == 4


@pytest.mark.parametrize(
    "fault",
    [
        refused("ThrottlingException"),
        refused("ProvisionedThroughputExceededException"),
        refused("TransactionInProgressException"),
        refused("InternalServerError", status=500),
        refused("Whatever", status=503),
        unreachable,
    ],
    ids=["throttled", "too much", "in progress", "broken", "a gateway's", "unreachable"],
)
def test_what_aws_did_not_do_at_once_is_done_in_the_end(aws: Aws, fault: Fault) -> None:
    aws.door.faults.append(on("TransactWriteItems", fault, times=4))

    written = put_and_write(aws, make_matches(5))

    requests = aws.sent("TransactWriteItems")
    assert len(requests) == 5
    assert len({request.token for request in requests}) == 1
    assert (written.matches, written.plays, written.left, written.failures) == (5, 5, 0, [])


def test_matches_wait_while_the_tables_do_not_answer(aws: Aws) -> None:
    aws.door.faults.append(on("TransactWriteItems", refused("ThrottlingException")))

    with pytest.raises(UnavailableError, match=r"PlayLogTable and MatchCacheTable.*ThrottlingException"):
        put_and_write(aws, make_matches(5))

    assert len(waiting(aws)) == 5
    assert aws.violations() == []


def test_no_write_begins_once_the_time_is_up(aws: Aws) -> None:
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 4)))
    retry = aws.retry_budget(seconds=10)
    # So large that a transaction takes six.
    matches = [make_match(f"m-{n}", track_id=f"track-{n}", padding=340_000) for n in range(19)]
    aws.put(*(match.item for match in matches))

    written = write(aws, matches, retry=retry)

    assert written.left == 1
    assert "no time is left" in (written.obstacle or "")
    assert [request.at < retry.deadline for request in aws.sent("TransactWriteItems")] == [True] * 3
    assert len(played(aws)) == 3 * 6
    assert aws.violations() == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_who_may_not_write_is_told_which_tables_and_at_once(aws: Aws, code: str) -> None:
    aws.door.faults.append(on("TransactWriteItems", refused(code, "it is so")))

    with pytest.raises(RequestError, match=f"PlayLogTable and MatchCacheTable.*{code}.*it is so"):
        put_and_write(aws, make_matches(5))

    assert len(aws.sent("TransactWriteItems")) == 1
    assert len(waiting(aws)) == 5


# --- Matches that DynamoDB refuses ---


def test_a_key_that_is_too_long_fails_alone_and_says_which(aws: Aws) -> None:
    matches = make_matches(20)
    bad = make_match("bad", track_id=TOO_LONG)

    written = put_and_write(aws, [*matches[:9], bad, *matches[9:]])

    (failure,) = written.failures
    assert (failure.match_id, failure.reason_code, failure.attempt) == ("bad", "REJECTED", 1)
    assert "track_id is 1,030 bytes long" in failure.reason
    assert played(aws) == {match.match_id for match in matches}
    assert waiting(aws) == {"bad"}, "only StoreFailures marks a match as failed"
    assert written.left == 0
    assert len(aws.sent("TransactWriteItems")) <= 3


def test_a_key_that_is_too_long_fails_even_where_nothing_else_is_written(aws: Aws) -> None:
    written = put_and_write(aws, [make_match("bad", track_id=TOO_LONG)])

    assert [failure.reason_code for failure in written.failures] == ["REJECTED"]


@pytest.mark.parametrize(
    "fault",
    [cancelled({"m-7": "ValidationError"}), refused("ValidationException", "no", where='"m-7"')],
    ids=["by its action", "as a whole"],
)
def test_a_match_that_dynamodb_refuses_fails_only_once_it_was_sent_alone(aws: Aws, fault: Fault) -> None:
    aws.door.faults.append(on("TransactWriteItems", fault))

    written = put_and_write(aws, make_matches(20))

    assert [(failure.match_id, failure.reason_code) for failure in written.failures] == [("m-7", "REJECTED")]
    assert {"m-7"} in [request.matches for request in aws.sent("TransactWriteItems")]
    assert played(aws) == {f"m-{n}" for n in range(20)} - {"m-7"}
    assert aws.violations() == []


def test_of_the_matches_of_a_play_only_the_refused_one_fails(aws: Aws) -> None:
    aws.door.faults.append(on("TransactWriteItems", cancelled({"m-1": "ValidationError"})))

    written = put_and_write(aws, [make_match(f"m-{n}") for n in range(3)])

    assert [(failure.match_id, failure.reason_code) for failure in written.failures] == [("m-1", "REJECTED")]
    (play,) = aws.plays()
    assert play["match_count"] == {"N": "2"}
    assert played(aws) == {"m-0", "m-2"}
    assert aws.violations() == []


def test_nothing_fails_where_dynamodb_refuses_everything(aws: Aws) -> None:
    """Then it is the tables that are at fault, say a key that was renamed, and thousands of matches are not."""
    aws.door.faults.append(on("TransactWriteItems", refused("ValidationException", "the table has another key")))

    written = put_and_write(aws, make_matches(20))

    assert written.failures == []
    assert (written.matches, written.left) == (0, 20)
    assert "the table has another key" in (written.obstacle or "")
    assert len(waiting(aws)) == 20


def test_a_play_that_cannot_be_read_fails_its_own_matches_alone(aws: Aws) -> None:
    key = {"station_id": {"S": "station-1"}, "play_id": {"S": "2026-03-14T07:00:00.000000+0000#track-1"}}
    aws.dynamodb.put_item(TableName="PlayLogTable", Item={**key, "match_count": {"S": "two"}})

    written = put_and_write(aws, [*make_matches(5), make_match("m-again")])

    assert sorted((failure.match_id, failure.reason_code) for failure in written.failures) == [
        ("m-0", "UNEXPECTED"),
        ("m-again", "UNEXPECTED"),
    ]
    assert (written.matches, written.plays) == (4, 4)

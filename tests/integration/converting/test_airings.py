"""Airings with a gap, across pages, runs and time: one airing is one play, and is paid once, whatever happens."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from playlog.converting.run import Run, RunError, convert
from playlog.converting.writing.actions import Tables
from playlog.converting.writing.writer import Writer
from playlog.converting.writing.written import Written
from playlog.domain import timestamps
from playlog.domain.duplicates import WithinGap
from playlog.domain.match import Item, Match

from tests.support.aws import Aws, Fault, Request, Send, answered, lost_answer, on, refused
from tests.support.builders import MATCHED_AT, make_match

pytest_plugins = ["tests.support.aws_fixture"]


def heard(
    number: int, second: int, *, seconds: int = 10, score: int | None = None, station: str = "station-1"
) -> Match:
    """A match that begins so many seconds after the hour."""
    return make_match(
        f"m-{number:03}",
        station_id=station,
        matched_at=MATCHED_AT + timedelta(seconds=second),
        seconds=seconds,
        score=None if score is None else Decimal(score),
    )


def put(aws: Aws, matches: Iterable[Match]) -> None:
    """Lets matches wait, as the detection system writes them."""
    for match in matches:
        duration = match.duration.total_seconds()
        item = {**match.item, "duration_seconds": {"N": f"{duration:g}"}}
        if match.avg_confidence_score is not None:
            item["avg_confidence_score"] = {"N": str(match.avg_confidence_score)}
        aws.put(item)


def run(aws: Aws, *, gap: int = 30, batch_size: int = 100, flag_below: int = 0, shards: Sequence[str] = ("0",)) -> Run:
    """A run over a shard."""
    settings = replace(
        aws.convert_settings,
        airing_gap=timedelta(seconds=gap),
        batch_size=batch_size,
        flag_below_confidence=Decimal(flag_below),
    )
    return convert(shards, settings, aws.client, aws.sqs, aws.retry_budget())


def shown(play: Item) -> tuple[int, int, int]:
    """When a play starts and stops, in seconds after the hour, and its count."""
    start, stop = (timestamps.from_text(play[name]["S"]) - MATCHED_AT for name in ("start_time", "stop_time"))
    assert play["played_at"] == play["start_time"]
    assert Decimal(play["duration_seconds"]["N"]) == int((stop - start).total_seconds())
    return int(start.total_seconds()), int(stop.total_seconds()), int(play["match_count"]["N"])


def plays(aws: Aws) -> list[tuple[int, int, int]]:
    """What the plays show, in the order of time."""
    return sorted(map(shown, aws.plays()))


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_a_song_that_is_detected_every_ten_seconds_is_paid_once(aws: Aws, batch_size: int) -> None:
    put(aws, [heard(number, number * 10, score=number) for number in range(19)])

    result = run(aws, batch_size=batch_size)

    assert plays(aws) == [(0, 190, 19)]
    assert [play["avg_confidence_score"] for play in aws.plays()] == [{"N": "9"}]
    assert (result.processed, result.plays) == (19, 1)
    assert aws.violations() == []


def test_an_airing_goes_on_in_the_next_run(aws: Aws) -> None:
    put(aws, [heard(1, 0)])
    run(aws)
    put(aws, [heard(2, 40)])

    result = run(aws)

    assert plays(aws) == [(0, 50, 2)]
    assert (result.processed, result.plays) == (1, 0)


def test_a_late_match_moves_the_start_back_and_the_id_stays(aws: Aws) -> None:
    put(aws, [heard(1, 40)])
    run(aws)
    (before,) = aws.plays()
    put(aws, [heard(2, 0)])

    run(aws)

    (after,) = aws.plays()
    assert shown(after) == (0, 50, 2)
    assert (after["play_id"], after["match_id"]) == (before["play_id"], before["match_id"])


def test_a_match_that_bridges_two_plays_joins_the_earlier_and_the_later_is_flagged(aws: Aws) -> None:
    put(aws, [heard(1, 0), heard(2, 70)])
    run(aws)
    put(aws, [heard(3, 35)])

    run(aws)

    first, second = sorted(aws.plays(), key=shown)
    assert (shown(first), first["flagged"]) == ((0, 45, 2), {"BOOL": False})
    assert (shown(second), second["flagged"]) == ((70, 80, 1), {"BOOL": True})
    assert aws.violations() == []


def test_a_bridged_play_stays_flagged_when_a_match_of_high_confidence_joins_it(aws: Aws) -> None:
    put(aws, [heard(1, 0, score=90), heard(2, 70, score=10)])
    run(aws, flag_below=50)
    put(aws, [heard(3, 35, score=90)])
    run(aws, flag_below=50)
    put(aws, [heard(number, 110, score=100) for number in (4, 5, 6)])

    run(aws, flag_below=50)

    second = max(aws.plays(), key=shown)
    assert (second["match_count"], second["flagged"]) == ({"N": "4"}, {"BOOL": True})


def test_a_play_that_is_bridged_and_joined_in_one_run_stays_flagged(aws: Aws) -> None:
    put(aws, [heard(1, 0, score=90), heard(2, 70, score=10)])
    run(aws, flag_below=50)
    put(aws, [heard(3, 35, score=90), *(heard(number, 110, score=100) for number in (4, 5, 6))])

    run(aws, flag_below=50)

    second = max(aws.plays(), key=shown)
    assert (second["match_count"], second["flagged"]) == ({"N": "4"}, {"BOOL": True})


def test_the_flag_follows_the_mean_of_the_whole_play(aws: Aws) -> None:
    flags = []
    for number, score in enumerate((40, 90, 10, 10)):
        put(aws, [heard(number, number * 10, score=score)])
        run(aws, flag_below=50)
        flags += [play["flagged"]["BOOL"] for play in aws.plays()]

    assert flags == [True, False, True, True]


def test_a_long_mix_is_one_play_with_the_right_count(aws: Aws) -> None:
    put(aws, [heard(number, number * 10) for number in range(180)])

    run(aws)

    assert plays(aws) == [(0, 1800, 180)]
    assert aws.violations() == []


@pytest.mark.parametrize("fails", [1, 2])
def test_a_run_that_ends_between_the_transactions_of_an_airing_leaves_the_rest_to_the_next(
    aws: Aws, fails: int
) -> None:
    put(aws, [heard(number, number * 10) for number in range(180)])
    aws.door.faults.append(_after_some(fails - 1, refused("AccessDeniedException")))

    with pytest.raises(Exception, match="AccessDenied"):
        run(aws)
    aws.door.faults.clear()

    assert aws.violations() == []
    run(aws)
    assert plays(aws) == [(0, 1800, 180)]


def _after_some(times: int, fault: Fault) -> Fault:
    """The fault, of all transactions but the first few."""
    seen = 0

    def later(request: Request, send: Send) -> AWSResponse | None:
        nonlocal seen
        if request.operation != "TransactWriteItems":
            return None
        seen += 1
        return fault(request, send) if seen > times else None

    return later


def test_matches_of_a_time_without_a_gap_are_joined_once_there_is_one(aws: Aws) -> None:
    put(aws, [heard(1, 0, seconds=3_000)])
    run(aws, gap=0)
    put(aws, [heard(2, 3_030)])

    run(aws)

    assert plays(aws) == [(0, 3_040, 2)]


def test_without_a_gap_each_match_is_its_own_play_and_nothing_is_looked_up(aws: Aws) -> None:
    put(aws, [heard(number, number * 10) for number in range(10)])

    run(aws, gap=0)

    assert len(aws.plays()) == 10
    assert [request.operation for request in aws.door.requests if request.operation != "PutItem"][:2] == [
        "Query",
        "TransactWriteItems",
    ]
    assert not aws.sent("BatchGetItem")
    assert len(aws.sent("Query")) == 1


# --- What a look-up costs, and how far it sees ---


def test_a_page_costs_one_look_up_a_station_and_not_one_a_match(aws: Aws) -> None:
    put(aws, [heard(number, number * 10, station=f"station-{number % 4}") for number in range(60)])

    run(aws)

    looked_up = [request.arguments for request in aws.sent("Query") if "PlayLog" in request.arguments["TableName"]]
    assert len(looked_up) == 4
    assert all(arguments["ConsistentRead"] for arguments in looked_up)
    assert len(aws.sent("BatchGetItem")) == 1


def test_guards_are_read_once_a_run_however_many_pages_it_has(aws: Aws) -> None:
    put(aws, [heard(number, number * 10) for number in range(30)])

    run(aws, batch_size=10)

    assert len(aws.sent("BatchGetItem")) == 1


def test_an_airing_of_days_goes_on_however_long_ago_it_began(aws: Aws) -> None:
    for day in range(4):
        put(aws, [heard(day, day * 86_400, seconds=86_400)])
        run(aws)

    assert plays(aws) == [(0, 4 * 86_400, 4)]


def test_an_airing_whose_start_moved_far_back_is_found_at_its_start(aws: Aws) -> None:
    for number, second in enumerate((3 * 86_400, 2 * 86_400, 86_400, 0)):
        put(aws, [heard(number, second, seconds=86_400)])
        run(aws)
    put(aws, [heard(9, -20)])

    run(aws)

    assert plays(aws) == [(-20, 4 * 86_400, 5)]


def test_once_a_station_is_known_its_look_up_reads_an_hour_and_not_a_day(aws: Aws) -> None:
    put(aws, [heard(1, 0)])
    run(aws)
    put(aws, [heard(2, 3_600)])

    run(aws)

    look_up = next(
        request.arguments for request in reversed(aws.sent("Query")) if "PlayLog" in request.arguments["TableName"]
    )
    begin = timestamps.from_text(look_up["ExpressionAttributeValues"][":begin"]["S"])
    assert begin == MATCHED_AT + timedelta(seconds=3_600 - 30 - 3_600)


def test_matches_years_apart_do_not_make_a_look_up_read_the_years_between(aws: Aws) -> None:
    put(aws, [heard(1, 0), heard(2, -400 * 86_400)])

    run(aws)

    spans = [
        [timestamps.from_text(request.arguments["ExpressionAttributeValues"][name]["S"].rstrip("$")) for name in ends]
        for request in aws.sent("Query")
        if "PlayLog" in request.arguments["TableName"]
        for ends in [(":begin", ":end")]
    ]
    assert spans
    assert all(end - begin < timedelta(days=3) for begin, end in spans)


# --- Two runs at once ---


def meanwhile(happens: Callable[[], object]) -> Fault:
    """Once, something happens after a run has read what it needs and before it writes."""

    def first(_request: Request, send: Send) -> AWSResponse:
        happens()
        return send()

    return on("TransactWriteItems", first, times=1)


def write_in_this_thread(aws: Aws, matches: list[Match]) -> None:
    """What another run writes: a door that is open lets no other thread pass."""
    settings = aws.convert_settings
    tables = Tables(settings.match_cache_table, settings.play_log_table, settings.station_guard_table)
    writer = Writer(aws.client, tables, WithinGap(timedelta(seconds=30)), Decimal(0), aws.retry_budget(), Event())
    writer.write(matches, Written())
    writer.finish(Written())


def the_index_shows(aws: Aws, match_id: str) -> None:
    """The index is behind: of the matches that wait it shows one."""

    def change(answer: dict[str, Any]) -> None:
        answer["Items"] = [item for item in answer["Items"] if item.get("match_id") == {"S": match_id}]

    def first_page(request: Request, send: Send) -> AWSResponse | None:
        return answered(change)(request, send) if "IndexName" in request.arguments else None

    aws.door.faults.append(on("Query", first_page, times=1))


@pytest.mark.parametrize(("mine", "theirs"), [(0, 20), (20, 0)])
def test_two_runs_that_each_know_other_matches_of_an_airing_write_one_play(aws: Aws, mine: int, theirs: int) -> None:
    """As when the index is behind: their plays have other ids, so that for DynamoDB alone there is no conflict."""
    put(aws, [heard(1, mine), heard(2, theirs)])
    the_index_shows(aws, "m-001")

    def another_run() -> None:
        write_in_this_thread(aws, [heard(2, theirs)])

    aws.door.faults.append(meanwhile(another_run))
    run(aws)

    assert plays(aws) == [(0, 30, 2)]
    assert aws.violations() == []


def test_two_runs_that_extend_a_play_at_once_both_count(aws: Aws) -> None:
    put(aws, [heard(1, 0)])
    run(aws)
    put(aws, [heard(2, 10), heard(3, 20)])
    aws.door.faults.append(meanwhile(lambda: write_in_this_thread(aws, [heard(3, 20)])))

    run(aws)

    assert plays(aws) == [(0, 30, 3)]
    assert aws.violations() == []


def test_a_run_that_was_overtaken_looks_again_at_that_station_alone(aws: Aws) -> None:
    put(aws, [heard(1, 0), heard(2, 10, station="station-2")])

    def somebody_else_writes() -> None:
        key = {"station_id": {"S": "station-1"}}
        aws.dynamodb.put_item(
            TableName="StationGuardTable", Item={**key, "version": {"N": "7"}, "reach_seconds": {"N": "5"}}
        )

    aws.door.faults.append(meanwhile(somebody_else_writes))
    run(aws)

    looked_up = [
        request.arguments["ExpressionAttributeValues"][":station"]["S"]
        for request in aws.sent("Query")
        if "PlayLog" in request.arguments["TableName"]
    ]
    assert looked_up == ["station-1", "station-2", "station-1"]
    assert len(aws.plays()) == 2


def test_a_play_whose_answer_was_lost_is_counted_once(aws: Aws) -> None:
    put(aws, [heard(number, number * 10) for number in range(5)])
    aws.door.faults.append(on("TransactWriteItems", lost_answer, times=1))

    run(aws)

    assert plays(aws) == [(0, 50, 5)]
    assert aws.violations() == []


# --- What AWS may do to a look-up ---


@pytest.mark.parametrize("operation", ["BatchGetItem", "Query"])
def test_where_plays_cannot_be_looked_up_none_is_written(aws: Aws, operation: str) -> None:
    put(aws, [heard(1, 0)])
    of_plays = refused("ThrottlingException", where="StationGuard" if operation == "BatchGetItem" else "PlayLog")
    aws.door.faults.append(on(operation, of_plays))

    with pytest.raises(RunError, match="ThrottlingException"):
        run(aws)

    assert aws.plays() == []
    assert aws.violations() == []


def test_a_guard_that_dynamodb_leaves_out_for_now_is_asked_for_again(aws: Aws) -> None:
    put(aws, [heard(1, 0)])
    run(aws)
    put(aws, [heard(2, 10)])
    asked = {"Keys": [{"station_id": {"S": "station-1"}}], "ConsistentRead": True}

    def in_part(answer: Item) -> None:
        answer.update(Responses={}, UnprocessedKeys={"StationGuardTable": asked})

    aws.door.faults.append(on("BatchGetItem", answered(in_part), times=2))
    run(aws)

    assert plays(aws) == [(0, 20, 2)]
    assert len(aws.sent("TransactWriteItems")) == 2, "a guard that was read in time is right"


# --- Matches that are in the way of others ---


def test_a_station_whose_id_no_key_holds_fails_alone(aws: Aws) -> None:
    put(aws, [heard(1, 0), heard(2, 0, station="s" * 2_049), heard(3, 10)])

    result = run(aws)

    assert plays(aws) == [(0, 20, 2)]
    assert result.failures == {"REJECTED": 1}


def test_a_play_that_cannot_be_read_fails_the_matches_that_would_join_it_and_no_other(aws: Aws) -> None:
    play_id = f"{timestamps.to_text(MATCHED_AT)}#track-1"
    aws.dynamodb.put_item(TableName="PlayLogTable", Item={"station_id": {"S": "station-1"}, "play_id": {"S": play_id}})
    put(aws, [heard(1, 20), heard(2, 100)])

    result = run(aws)

    assert result.failures == {"UNEXPECTED": 1}
    assert [play["match_id"]["S"] for play in aws.plays() if "match_id" in play] == ["m-002"]


def test_an_item_that_is_no_play_of_the_contract_is_passed_over(aws: Aws) -> None:
    aws.dynamodb.put_item(
        TableName="PlayLogTable", Item={"station_id": {"S": "station-1"}, "play_id": {"S": "2026-03-14T07 a note"}}
    )
    put(aws, [heard(1, 0)])

    assert run(aws).plays == 1

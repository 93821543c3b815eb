"""`playlog status`: an operator sees what waits and where, and is not shown a guess as a count."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from playlog_cli.stacks import status as status_module
from playlog_cli.stacks.runs import LastRun
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.status import Count, ShardStatus, status

from tests.support.aws import Aws
from tests.support.builders import make_item

pytest_plugins = ["tests.support.aws_fixture"]

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
LINE = {"level": "INFO", "success": True, "processed": 97, "plays": 95, "failed": 3, "waiting": False, "seconds": 4.1}


def event(age: timedelta, message: str) -> dict[str, Any]:
    return {"timestamp": int((NOW - age).timestamp() * 1000), "message": message}


@pytest.fixture
def logs(stack: Stack) -> Iterator[Stubber]:
    """What the converter logged: to be told by each test, as ``filter_log_events`` answers."""
    with Stubber(stack.functions) as functions, Stubber(stack.logs) as logs:
        configuration = {"LoggingConfig": {"LogGroup": "converter"}}
        functions.add_response("get_function_configuration", configuration, {"FunctionName": ANY})
        yield logs


@pytest.fixture
def quiet(logs: Stubber) -> None:
    """The converter logged nothing."""
    logs.add_response("filter_log_events", {"events": []})
    logs.add_response("filter_log_events", {"events": []})


@pytest.mark.usefixtures("quiet")
def test_a_new_stack_has_nothing_and_says_so(stack: Stack) -> None:
    new = status(stack, NOW)
    assert (new.waiting, new.oldest_age_seconds, new.last_run) == (0, None, None)
    assert new.shards == tuple(ShardStatus(shard, 0, None, None) for shard in range(8))
    assert (new.plays, new.failures) == (Count(0, exact=True), Count(0, exact=True))
    assert (new.dead_letters, new.dead_letters_in_flight, new.parking_lot) == (0, 0, 0)


@pytest.mark.usefixtures("quiet")
def test_what_waits_is_counted_by_shard_with_the_oldest_whatever_its_offset(stack: Stack, aws: Aws) -> None:
    # As text, 08:00+09:00 comes after 03:00+01:00, and "yesterday" after both.
    times = ("2026-03-14T08:00:00+09:00", "2026-03-14T03:00:00+01:00", "yesterday")
    aws.put(*(make_item(f"m-{n}", matched_at={"S": time}) for n, time in enumerate(times)))
    aws.put(make_item("m-9", unprocessed_shard={"S": "7"}, matched_at={"S": "soon"}))
    now = status(stack, NOW)
    assert now.waiting == 4
    assert now.shards[0] == ShardStatus(0, 3, "2026-03-13T23:00:00.000000+0000", 13 * 3_600)
    assert now.shards[7] == ShardStatus(7, 1, None, None)
    assert now.oldest_age_seconds == 13 * 3_600


@pytest.mark.usefixtures("quiet")
def test_letters_are_told_by_where_they_are(stack: Stack, aws: Aws) -> None:
    for queue, letters in ((stack.dead_letter_queue_url, 3), (stack.parking_lot_queue_url, 2)):
        for _ in range(letters):
            aws.sqs.send_message(QueueUrl=queue, MessageBody="{}")
        aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1)
    now = status(stack, NOW)
    assert (now.dead_letters, now.dead_letters_in_flight, now.parking_lot) == (2, 1, 2)


@pytest.mark.usefixtures("quiet")
def test_a_count_that_is_not_exact_says_so(stack: Stack, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_module, "COUNTED_PAGES", 2)
    large = {"large": {"S": "x" * 350_000}}
    for play in range(9):  # three pages of 1 MB
        key = {"station_id": {"S": "s"}, "play_id": {"S": str(play)}}
        aws.dynamodb.put_item(TableName=stack.play_log_table, Item={**key, **large})
    assert status(stack, NOW).plays == Count(9, exact=False)
    monkeypatch.setattr(status_module, "COUNTED_PAGES", 100)
    assert status_module.count_items(stack, stack.play_log_table) == Count(9, exact=True)


def test_the_last_run_is_the_newest_line_of_a_run(stack: Stack, logs: Stubber) -> None:
    others = ["START RequestId: 1", "[]", '"processed"', json.dumps({"level": "INFO", "message": "m-1 failed"})]
    events = [
        event(timedelta(minutes=6), json.dumps({**LINE, "plays": 1})),
        event(timedelta(minutes=4), json.dumps(LINE)),
        *(event(timedelta(minutes=1), other) for other in others),
    ]
    logs.add_response("filter_log_events", {"events": events})
    assert status(stack, NOW).last_run == LastRun(
        at="2026-03-14T11:56:00.000000+0000",
        age_seconds=240,
        success=True,
        processed=97,
        plays=95,
        failed=3,
        waiting=False,
        seconds=4.1,
    )


def test_a_run_of_hours_ago_is_still_found(stack: Stack, logs: Stubber) -> None:
    for look_back, events in (
        (timedelta(minutes=30), []),
        (timedelta(days=1), [event(timedelta(hours=5), json.dumps(LINE))]),
    ):
        wanted = {"logGroupName": "converter", "filterPattern": ANY}
        since = int((NOW - look_back).timestamp() * 1000)
        logs.add_response("filter_log_events", {"events": events}, {**wanted, "startTime": since})
    run = status(stack, NOW).last_run
    assert run
    assert run.age_seconds == 5 * 3_600


@pytest.mark.usefixtures("quiet")
def test_failures_are_counted_whatever_their_reason_code(stack: Stack, aws: Aws) -> None:
    for number, code in enumerate(("MISSING_TRACK", "OUT_OF_TUNE")):
        record = {"match_id": {"S": f"m-{number}"}, "attempt": {"N": "1"}, "reason_code": {"S": code}}
        aws.dynamodb.put_item(TableName=stack.failed_play_log_table, Item={**record, "failed_at": {"S": "2026"}})
    assert status(stack, NOW).failures == Count(2, exact=True)

"""The last runs, from logs as AWS writes them: also a run that was too broken to say how it ended."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.stub import ANY, Stubber
from playlog_cli.stacks.runs import RunFacts, last_runs

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
LINE = {"message": "97 matches processed, 95 plays created, 3 failed", "success": True, "function_request_id": "r-1"}


@cache
def client() -> "CloudWatchLogsClient":
    return boto3.client("logs", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def read(*pages: Iterable[dict[str, Any]], most: int = 5) -> list[RunFacts]:
    """What is read off a log that answers with these, one for each look back."""
    with Stubber(client()) as logs:
        for page in pages:
            wanted = {"logGroupName": "converter", "startTime": ANY, "filterPattern": '-"will_retry"'}
            logs.add_response("filter_log_events", {"events": list(page)}, wanted)
        return last_runs(client(), "converter", NOW, most)


def invocation(age: float, *lines: str, request: str = "r-1", stream: str = "a", ends: bool = True) -> Any:
    """An invocation as Lambda logs it."""
    end = [
        f"END RequestId: {request}\n",
        f"REPORT RequestId: {request}\tDuration: 4321.09 ms\tBilled Duration: 4322 ms\t",
    ]
    messages = [f"START RequestId: {request} Version: $LATEST\n", *lines, *(end if ends else [])]
    at = int((NOW - timedelta(seconds=age)).timestamp() * 1000)
    return [{"logStreamName": stream, "timestamp": at + n, "message": each} for n, each in enumerate(messages)]


def test_a_run_is_known_by_its_own_line() -> None:
    metrics = json.dumps({"_aws": {"Timestamp": 1}, "SuccessfulRuns": [1.0]})

    assert read(invocation(60, json.dumps(LINE), metrics)) == [
        RunFacts("2026-03-14T11:59:00.000000+0000", 60, 4.32109, "succeeded", str(LINE["message"]))
    ]


def test_a_run_without_log_lines_is_known_by_its_metrics() -> None:
    """As with the parameter LogLevel WARNING."""
    metrics = json.dumps(
        {"_aws": {"Timestamp": 1}, "SuccessfulRuns": [1.0], "MatchesProcessed": [97.0], "Plays": [95.0]}
    )

    (run,) = read(invocation(60, metrics))

    assert (run.outcome, run.message) == ("succeeded", "97 matches processed, 95 plays created")


def test_a_run_that_ended_badly_has_the_message_of_lambda() -> None:
    raised = "[ERROR] RunError: nothing could be converted: throttled\nTraceback (most recent call last):\n  File ..."
    timeout = "2026-03-14T11:58:50.000Z r-1 Task timed out after 110.00 seconds\n\n"
    by_line = ["Traceback (most recent call last):", "    raise error", "playlog.converting.run.RunError: nothing\n"]

    found = read(invocation(60, raised) + invocation(180, timeout) + invocation(300, *by_line))

    assert [(run.outcome, run.message) for run in found] == [
        ("failed", "RunError: nothing could be converted: throttled"),
        ("failed", "Task timed out after 110.00 seconds"),
        ("failed", "playlog.converting.run.RunError: nothing"),
    ]


def test_a_late_line_belongs_to_the_run_that_wrote_it() -> None:
    """As in the embedded AWS, where it may stand in the log of the next run."""
    log = invocation(180, request="r-1") + invocation(60, json.dumps(LINE), request="r-2")

    assert [(run.age_seconds, run.outcome) for run in read(log)] == [(60, "unknown"), (180, "succeeded")]


def test_a_run_that_says_nothing_is_neither_a_success_nor_a_failure() -> None:
    under_way = invocation(30, ends=False, stream="a")
    log = under_way + invocation(300, ends=False, stream="b") + invocation(400, stream="c")

    assert [(run.outcome, run.seconds) for run in read(log)] == [
        ("under way", None),
        ("unknown", None),
        ("unknown", 4.32109),
    ]


def test_runs_come_newest_first_whatever_stream_they_stand_in_and_no_more_than_are_wanted() -> None:
    log = invocation(300, stream="a") + invocation(60, stream="b") + invocation(180, stream="a")

    assert [run.age_seconds for run in read(log)] == [60, 180, 300]
    assert [run.age_seconds for run in read(log, most=2)] == [60, 180]


def test_without_recent_runs_those_of_the_day_are_read() -> None:
    assert [run.age_seconds for run in read([], invocation(7_200, json.dumps(LINE)))] == [7_200]
    assert read([], []) == []

"""A backlog that one run cannot get through: others take it over, by AWS's own means, and none is one too many."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.runtime.settings import LIVE
from playlog_cli.draining.drain import drain
from playlog_cli.stacks.stack import Stack

from tests.e2e import tables
from tests.support.builders import MATCHED_AT, make_item

# A run has a minute here, and the runs that it hands over to must begin within it.
pytestmark = [pytest.mark.usefixtures("no_schedule"), pytest.mark.alone]

SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
SHARDS = ("2", "4")
# With a page for each match, a run needs more than a fifth of this time for so many, and the rest of it is enough for
# the others to begin in time, on a busy machine too.
A_SHARD = 3_500
SECONDS = 60


def make_backlog(name: str) -> Iterator[Item]:
    """Clean matches in two shards, each a play, and one that fails."""
    for shard in SHARDS:
        for number in range(A_SHARD):
            yield make_item(
                f"{name}-{shard}-{number}",
                unprocessed_shard={"S": shard},
                station_id={"S": f"{name}-{shard}"},
                matched_at={"S": timestamps.to_text(MATCHED_AT + timedelta(seconds=number))},
            )
    yield make_item(f"{name}-silent", unprocessed_shard={"S": "7"}, track_id={"S": " "})


@contextmanager
def slowed(stack: Stack) -> Iterator[None]:
    """A live version with little time, and with a page for each match."""
    name = stack.convert_matches_function
    live = stack.functions.get_alias(FunctionName=name, Name=LIVE)["FunctionVersion"]
    before: Any = stack.functions.get_function_configuration(FunctionName=name)
    variables = {**before["Environment"]["Variables"], "BATCH_SIZE": "1"}
    stack.functions.update_function_configuration(
        FunctionName=name, Timeout=SECONDS, Environment={"Variables": variables}
    )
    stack.functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    slow = stack.functions.publish_version(FunctionName=name)["Version"]
    stack.functions.update_alias(FunctionName=name, Name=LIVE, FunctionVersion=slow)
    try:
        yield
    finally:
        stack.functions.update_alias(FunctionName=name, Name=LIVE, FunctionVersion=live)
        stack.functions.update_function_configuration(
            FunctionName=name, Timeout=before["Timeout"], Environment={"Variables": before["Environment"]["Variables"]}
        )


@dataclass(frozen=True)
class Logged:
    """A run as its log line tells of it."""

    at: datetime
    processed: int
    handed_over: int


def runs_since(stack: Stack, begin: datetime) -> list[Logged]:
    """The converter's runs that have ended since."""
    configuration = stack.functions.get_function_configuration(FunctionName=stack.convert_matches_function)
    pages = stack.logs.get_paginator("filter_log_events").paginate(
        logGroupName=configuration["LoggingConfig"]["LogGroup"], startTime=int(begin.timestamp() * 1_000)
    )
    lines = [event["message"] for page in pages for event in page["events"] if '"processed"' in event["message"]]
    told = [json.loads(line) for line in lines]
    return [
        Logged(
            datetime.strptime(line["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z"),
            line["processed"],
            line.get("handed_over", 0),
        )
        for line in told
    ]


def scheduled_run(stack: Stack) -> dict[str, Any]:
    """What a run answers that the schedule would ask for."""
    answer = stack.functions.invoke(
        FunctionName=stack.convert_matches_function, Qualifier=LIVE, Payload=json.dumps(SCHEDULED)
    )
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def test_a_backlog_is_handed_over_once_and_drained_to_its_end(stack: Stack) -> None:
    these = tables.of(stack)
    these.put(make_backlog("beyond"))
    with slowed(stack):
        begin = datetime.now(UTC)
        answer = scheduled_run(stack)
        assert (answer["waiting"], answer["handed_over"]) == (True, len(SHARDS))
        runs = tables.wait_for(
            lambda: found if len(found := runs_since(stack, begin)) > len(SHARDS) else None,
            within=3 * SECONDS,
            what="the runs handed over",
        )
    of_schedule, *handed_over = sorted(runs, key=lambda run: -run.handed_over)
    assert of_schedule.processed == answer["processed"]
    assert [run.handed_over for run in handed_over] == [0, 0]
    assert all(run.processed > 0 for run in handed_over)
    assert all(run.at < begin + timedelta(seconds=SECONDS) for run in runs)

    begin = datetime.now(UTC)
    drained = drain(stack, None, lambda _: None, pytest.fail)

    assert (drained.shards, drained.left) == (stack.shards, ())
    assert sum(run.processed for run in runs) + drained.processed == len(SHARDS) * A_SHARD
    found = these.items()
    assert not [match for match in found.matches if "unprocessed_shard" in match]
    # Their log lines may come late; and so may those of runs that nobody asked for.
    tables.wait_for(
        lambda: len(runs_since(stack, begin)) >= drained.runs, within=SECONDS, what="the log lines of the drain's runs"
    )
    time.sleep(3)
    assert len(runs_since(stack, begin)) == drained.runs

"""hand over: what a scheduled run cannot get through alone goes on side by side, in a run for each shard.

It cannot pile up. Only a scheduled run hands over, once, and at most one run for each shard; they have ended before the
next scheduled run begins; and none is tried again. What they leave waits for that run, like everything else.
"""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from playlog.converting.run import SECONDS_KEPT, EventError, Run, convert, shards_of
from playlog.domain import timestamps
from playlog.runtime.retry import Retry
from playlog.runtime.settings import ConvertSettings
from playlog.runtime.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

# Of its time, that a scheduled run works alone: 22 s of 110 s. Most runs need less, and what is left is worth a start.
SHARE_ALONE = 0.2
# A run that could begin requests for less than this is not worth its start.
LEAST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Invocation:
    """What Lambda tells of an invocation.

    Attributes:
        function: the function's name.
        milliseconds_left: of its time.
    """

    function: str
    milliseconds_left: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an event asks of a run.

    Attributes:
        shards: to work on.
        until: when the run, and every run that it hands over to, has ended.
        was_handed_over: whether another run asked for this one.
        seconds_alone: after which it hands over; infinite if it never does.
    """

    shards: list[str]
    until: datetime
    was_handed_over: bool
    seconds_alone: float


def plan(event: dict[str, Any], unprocessed_shards: int, now: datetime, milliseconds_left: int) -> Plan:
    """Reads an event.

    Args:
        event: the scheduled event, ``{}``, or ``{"shards": ["0", "3"]}``. A run that hands over adds ``until``: an ISO
            8601 time with an offset, when the other has to have ended.
        unprocessed_shards: how many shards there are.
        now: with an offset.
        milliseconds_left: of the function's time.

    Raises:
        EventError: it asks for what is no shard, or ``until`` is no such time.
    """
    end = now + timedelta(milliseconds=milliseconds_left)
    shards = shards_of(event, unprocessed_shards)
    if "until" in event:
        return Plan(shards, min(end, _time(event["until"])), was_handed_over=True, seconds_alone=math.inf)
    # A person, or `playlog drain`, is told that matches are left and asks again.
    scheduled = event.get("source") == "aws.events"
    alone = SHARE_ALONE * milliseconds_left / 1000 if scheduled else math.inf
    return Plan(shards, end, was_handed_over=False, seconds_alone=alone)


def run(
    event: dict[str, Any],
    settings: ConvertSettings,
    dynamodb: "DynamoDBClient",
    sqs: "SQSClient",
    functions: Callable[[], "LambdaClient"],
    invocation: Invocation,
) -> Run:
    """Converts what waits in the shards that the event names, and hands over what it may and does not get through.

    Args:
        event: as ``plan`` reads it.
        settings: of the function.
        dynamodb: client.
        sqs: client.
        functions: makes a client for Lambda, which few runs need.
        invocation: the run's.

    Returns:
        What was done: nothing, where the run was handed over and comes too late.

    Raises:
        EventError: the event asks for what there is not.
        RunError, RequestError: as ``convert`` raises them.
    """
    now = datetime.now(UTC)
    asked = plan(event, settings.unprocessed_shards, now, invocation.milliseconds_left)
    if asked.was_handed_over and not is_worth_a_start(asked.until, now):
        logger.warning("handed over too late: the next scheduled run has it", extra={"shards": asked.shards})
        return Run(0, 0, Counter(), waiting=True, oldest_waiting_seconds=0)
    milliseconds = (asked.until - now) // timedelta(milliseconds=1)
    retry = Retry.within(milliseconds, seconds_kept=SECONDS_KEPT)
    hand_over_at = time.monotonic() + asked.seconds_alone
    done = convert(asked.shards, settings, dynamodb, sqs, retry, hand_over_at)
    if not done.cut:
        return done
    return replace(done, handed_over=hand_over(done.cut, asked.until, functions, invocation.function))


def is_worth_a_start(until: datetime, now: datetime) -> bool:
    """Whether a run that begins now and has to have ended by then gets something done."""
    return (until - now).total_seconds() >= SECONDS_KEPT + LEAST_SECONDS


def hand_over(shards: Sequence[str], until: datetime, functions: Callable[[], "LambdaClient"], function: str) -> int:
    """Asks for a run of each shard, and waits for none.

    Lambda stops a function that invokes itself about 16 times in one chain (AWS Lambda Developer Guide, "Use Lambda
    recursive loop detection to prevent infinite loops"). Here the second is the last, since its event has ``until``.

    Args:
        shards: in which matches are left.
        until: when those runs have to have ended, with an offset.
        functions: makes a client.
        function: the name of the one to invoke.

    Returns:
        How many Lambda took on. The first that it does not take is the last: it would not take the others either, and
        their matches wait for the next scheduled run.
    """
    taken = 0
    try:
        client = functions()
        for shard in shards:
            if is_worth_a_start(until, datetime.now(UTC)):
                event = {"shards": [shard], "until": timestamps.to_text(until)}
                client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))
                taken += 1
    except (ClientError, BotoCoreError) as error:
        logger.warning("not handed over", extra={"shards": shards[taken:], "error": str(error)})
    return taken


def _time(value: object) -> datetime:
    with suppress(ValueError):
        if isinstance(value, str):
            return timestamps.from_text(value)
    right = 'it must be an ISO 8601 time with an offset, like "2026-03-14T08:01:50Z"'
    raise EventError(f"until is {value!r}: {right}")

"""Hand over: a scheduled run with a large backlog starts one more run for each unfinished shard.

Runs cannot pile up. Only a scheduled run hands over, once, and to at most one run per shard. These runs end before the
next scheduled run begins, and Lambda does not retry them. The matches that they leave wait for the next run.
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
from playlog.dynamodb.client import Client
from playlog.runtime.retry import Retry
from playlog.runtime.settings import LIVE, ConvertSettings
from playlog.runtime.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

# A scheduled run works alone for this share of its time, 22 s of 110 s. Most runs end before; a larger backlog is
# worth the start of more runs.
SHARE_ALONE = 0.2
# A run that has less time than this to begin requests is not worth its start.
LEAST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Invocation:
    """What Lambda says about an invocation.

    Attributes:
        function: the function's name.
        milliseconds_left: time until Lambda stops it.
    """

    function: str
    milliseconds_left: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an event asks of a run.

    Attributes:
        shards: the shards to convert.
        until: when the run, and every run that it hands over to, must have ended.
        was_handed_over: whether another run started this one.
        seconds_alone: seconds after which it hands over; infinite if it never does.
    """

    shards: list[str]
    until: datetime
    was_handed_over: bool
    seconds_alone: float


def plan(event: dict[str, Any], unprocessed_shards: int, now: datetime, milliseconds_left: int) -> Plan:
    """Reads an event.

    Args:
        event: the scheduled event, ``{}``, or ``{"shards": ["0", "3"]}``. A run that hands over adds ``until``: an ISO
            8601 time with an offset, when the other run must have ended.
        unprocessed_shards: the stack's ``UnprocessedShards``, 1 to 64.
        now: with an offset.
        milliseconds_left: time until Lambda stops the function.

    Raises:
        EventError: it names an unknown shard, or ``until`` is not such a time.
    """
    end = now + timedelta(milliseconds=milliseconds_left)
    shards = shards_of(event, unprocessed_shards)
    if "until" in event:
        return Plan(shards, min(end, _parse_until(event["until"])), was_handed_over=True, seconds_alone=math.inf)
    # A person, or `playlog drain`, reads in the answer that matches are left, and starts the next run.
    scheduled = event.get("source") == "aws.events"
    alone = SHARE_ALONE * milliseconds_left / 1000 if scheduled else math.inf
    return Plan(shards, end, was_handed_over=False, seconds_alone=alone)


def run(
    event: dict[str, Any],
    settings: ConvertSettings,
    dynamodb: Client,
    sqs: "SQSClient",
    functions: Callable[[], "LambdaClient"],
    invocation: Invocation,
) -> Run:
    """Converts the waiting matches of the shards that the event names, and hands over what it cannot finish.

    Args:
        event: as ``plan`` reads it.
        settings: of the function.
        dynamodb: client.
        sqs: client.
        functions: makes a client for Lambda. Few runs need one.
        invocation: of the run.

    Returns:
        What was done. Nothing, if another run started this one too late.

    Raises:
        EventError: the event names an unknown shard.
        RunError, RequestError: as ``convert`` raises them.
    """
    now = datetime.now(UTC)
    planned = plan(event, settings.unprocessed_shards, now, invocation.milliseconds_left)
    if planned.was_handed_over and not is_worth_a_start(planned.until, now):
        logger.warning("handed over too late: the next scheduled run has it", extra={"shards": planned.shards})
        return Run(0, 0, Counter(), waiting=True, oldest_waiting_seconds=0)
    milliseconds = (planned.until - now) // timedelta(milliseconds=1)
    retry = Retry.within(milliseconds, seconds_kept=SECONDS_KEPT)
    hand_over_at = time.monotonic() + planned.seconds_alone
    done = convert(planned.shards, settings, dynamodb, sqs, retry, hand_over_at)
    if not done.cut:
        return done
    return replace(done, handed_over=hand_over(done.cut, planned.until, functions, invocation.function))


def is_worth_a_start(until: datetime, now: datetime) -> bool:
    """Whether a run that begins now has enough time until it must have ended."""
    return (until - now).total_seconds() >= SECONDS_KEPT + LEAST_SECONDS


def hand_over(shards: Sequence[str], until: datetime, functions: Callable[[], "LambdaClient"], function: str) -> int:
    """Starts a run for each shard, and does not wait for it.

    Lambda stops a function that invokes itself about 16 times in one chain (AWS Lambda Developer Guide, "Use Lambda
    recursive loop detection to prevent infinite loops"). Here the second is the last, since its event has ``until``.

    Args:
        shards: in which matches are left.
        until: when these runs must have ended, with an offset.
        functions: makes a client for Lambda.
        function: name of the function to invoke.

    Returns:
        The number of runs that Lambda accepted. After the first rejection no more are started: Lambda would reject them
        too, and their matches wait for the next scheduled run.
    """
    taken = 0
    try:
        client = functions()
        for shard in shards:
            if is_worth_a_start(until, datetime.now(UTC)):
                event = {"shards": [shard], "until": timestamps.to_text(until)}
                client.invoke(FunctionName=f"{function}:{LIVE}", InvocationType="Event", Payload=json.dumps(event))
                taken += 1
    except (ClientError, BotoCoreError) as error:
        logger.warning("not handed over", extra={"shards": shards[taken:], "error": str(error)})
    return taken


def _parse_until(value: object) -> datetime:
    with suppress(ValueError):
        if isinstance(value, str):
            return timestamps.from_text(value)
    right = 'it must be an ISO 8601 time with an offset, like "2026-03-14T08:01:50Z"'
    raise EventError(f"until is {value!r}: {right}")

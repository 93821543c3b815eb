"""ConvertMatches: turns the matches that wait into plays. Every two minutes, or for a person."""

import gc
import os
import time
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from playlog.convert import SECONDS_KEPT, convert, shards_of
from playlog.retry import CLIENT_CONFIG, Retry
from playlog.settings import ConvertSettings
from playlog.telemetry import logger, report

dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
sqs = boto3.client("sqs", config=CLIENT_CONFIG)
# What was imported stays, and a run holds some ten thousand small objects for a moment and leaves hardly a cycle: the
# garbage collector need not go through all that again and again.
gc.freeze()
gc.set_threshold(50_000)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Converts what waits in the shards that the event names, or in all.

    Args:
        event: the scheduled event, ``{}``, or ``{"shards": ["0", "3"]}``.
        context: Lambda's; the run ends 15 s before the function's time does.

    Returns:
        The counts of the run (CONTRACT, The messages).
    """
    started = time.monotonic()
    settings = ConvertSettings.from_environment(os.environ)
    shards = shards_of(event, settings.unprocessed_shards)
    retry = Retry.within(context.get_remaining_time_in_millis(), seconds_kept=SECONDS_KEPT)
    run = convert(shards, settings, dynamodb, sqs, retry)
    report(run, time.monotonic() - started)
    return run.as_answer()

"""ConvertMatches: turns the matches that wait into plays. Every two minutes, or for a person."""

import gc
import os
import time
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from playlog.converting import hand_over
from playlog.runtime.retry import CLIENT_CONFIG
from playlog.runtime.settings import ConvertSettings
from playlog.runtime.telemetry import logger, report

dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
sqs = boto3.client("sqs", config=CLIENT_CONFIG)
# What was imported stays, and a run holds some ten thousand small objects for a moment and leaves hardly a cycle: the
# garbage collector need not go through all that again and again.
gc.freeze()
gc.set_threshold(50_000)


def functions() -> Any:
    """Makes the client that hands over: few runs need one, and every cold start would pay for it."""
    return boto3.client("lambda", config=CLIENT_CONFIG)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Converts what waits in the shards that the event names, or in all.

    Args:
        event: the scheduled event, ``{}``, or ``{"shards": ["0", "3"]}``, with ``until`` if a run handed it over.
        context: Lambda's; the run ends 15 s before the function's time does.

    Returns:
        The counts of the run (CONTRACT, The messages).
    """
    started = time.monotonic()
    settings = ConvertSettings.from_environment(os.environ)
    invocation = hand_over.Invocation(context.function_name, context.get_remaining_time_in_millis())
    run = hand_over.run(event, settings, dynamodb, sqs, functions, invocation)
    report(run, time.monotonic() - started)
    return run.as_answer()

"""ConvertMatches: turns waiting matches into plays, every two minutes or when a person invokes it."""

import gc
import os
import time
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from playlog.checking.check import check_convert, is_check
from playlog.converting import hand_over
from playlog.converting.report import report
from playlog.dynamodb.client import Client
from playlog.runtime.retry import CLIENT_CONFIG
from playlog.runtime.settings import ConvertSettings
from playlog.runtime.telemetry import logger

session = boto3.Session()
dynamodb = Client(session.client("dynamodb", config=CLIENT_CONFIG), session.get_credentials())
sqs = session.client("sqs", config=CLIENT_CONFIG)
# Imported objects stay, and a run makes many short-lived ones with hardly a cycle: collect garbage less often.
gc.freeze()
gc.set_threshold(50_000)


def functions() -> Any:
    """Makes the client that hands over. Few runs need it, and every cold start would pay for it."""
    return session.client("lambda", config=CLIENT_CONFIG)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Converts the waiting matches of the shards that the event names, or of all shards.

    Args:
        event: see docs/contract.md, The messages. A run that hands over adds ``until``.
        context: Lambda's. The run ends 15 s before the function's time does.

    Returns:
        The counts of the run (docs/contract.md, The messages).
    """
    if is_check(event):
        return check_convert(os.environ, partial(boto3.client, config=CLIENT_CONFIG), context.function_name)
    started = time.monotonic()
    settings = ConvertSettings.from_environment(os.environ)
    invocation = hand_over.Invocation(context.function_name, context.get_remaining_time_in_millis())
    run = hand_over.run(event, settings, dynamodb, sqs, functions, invocation)
    report(run, time.monotonic() - started)
    return run.as_answer()

"""Invokes the converter once, and reads its answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playlog.runtime.settings import LIVE

from playlog_cli.errors import CommandError, shown
from playlog_cli.stacks.stack import Stack


@dataclass(frozen=True)
class ConvertResult:
    """The answer of a run (docs/contract.md, The messages).

    Attributes:
        success: whether the run did its work.
        message: the run in a sentence.
        processed: matches that it moved to played.
        plays: PlayLog items that it created.
        failed: failures that it sent as dead letters.
        waiting: whether it stopped, out of time, with matches left.
    """

    success: bool
    message: str
    processed: int
    plays: int
    failed: int
    waiting: bool


def convert(stack: Stack, shards: Sequence[int] = ()) -> ConvertResult:
    """Invokes the converter once and waits until the run has ended.

    Args:
        stack: the stack.
        shards: the partitions to work on; empty for all.

    Raises:
        CommandError: there is no such shard, the run failed, or the answer is not that of a converter.
        BotoCoreError, ClientError: the function cannot be invoked.
    """
    for shard in shards:
        if shard not in range(stack.shards):
            raise CommandError(f"there is no shard {shard}: stack `{stack.name}` has 0 to {stack.shards - 1}")
    event = {"shards": [str(shard) for shard in shards]} if shards else {}
    answer = stack.functions.invoke(
        FunctionName=stack.convert_matches_function, Qualifier=LIVE, Payload=json.dumps(event)
    )
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CommandError(f"the run failed: {_function_error(payload)}; `sam logs` shows what it logged")
    return _result(payload)


def _function_error(payload: Any) -> str:
    """Error type and message, in a line. There is no type if Lambda ended the function, for example at its timeout."""
    message = " ".join(str(payload.get("errorMessage", "it said nothing")).split())
    return f"{payload['errorType']}: {message}" if "errorType" in payload else message


def _result(payload: Any) -> ConvertResult:
    try:
        return ConvertResult(**{name: payload[name] for name in ConvertResult.__dataclass_fields__})
    except (KeyError, TypeError):
        raise CommandError(
            f"ConvertMatchesFunction answered {shown(payload)}, which is not the result of a run: "
            "deploy the stack and install this command from the same version"
        ) from None

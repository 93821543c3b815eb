"""The deployed function as a person invokes it."""

import json
from typing import Any

import pytest
from playlog_cli.stacks.stack import Stack


def invoke(stack: Stack, event: Any) -> tuple[str | None, Any]:
    """Invokes ConvertMatchesFunction.

    Returns:
        Lambda's kind of error, if it was one, and what was answered.
    """
    answer = stack.functions.invoke(FunctionName=stack.convert_matches_function, Payload=json.dumps(event))
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


@pytest.mark.parametrize(("shards", "says"), [([], "shards is []: it must be"), (["8"], "shards holds '8': it must")])
def test_an_event_that_names_no_shard_is_an_error_that_says_what_would_be_right(
    stack: Stack, shards: list[str], says: str
) -> None:
    error, answer = invoke(stack, {"shards": shards})

    assert error == "Unhandled"
    assert says in answer["errorMessage"]


def test_a_run_with_nothing_to_do_says_so(stack: Stack) -> None:
    error, answer = invoke(stack, {"shards": ["7"]})

    assert error is None
    assert answer == {
        "success": True,
        "message": "No unprocessed matches found",
        "processed": 0,
        "plays": 0,
        "failed": 0,
        "waiting": False,
    }

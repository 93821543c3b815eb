"""`playlog convert`: what a run answers is shown as it is, and a run that failed never as one that did its work."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from playlog_cli.errors import CommandError
from playlog_cli.stacks.convert import ConvertResult, convert
from playlog_cli.stacks.stack import Stack

pytest_plugins = ["tests.support.aws_fixture"]

RUN = {
    "success": True,
    "message": "97 matches processed",
    "processed": 97,
    "plays": 95,
    "failed": 3,
    "waiting": False,
}


@pytest.fixture
def function(stack: Stack) -> Iterator[Stubber]:
    with Stubber(stack.functions) as stubber:
        yield stubber


def answers(function: Stubber, payload: Any, event: dict[str, Any], **facts: str) -> None:
    """The function takes this event and answers with this payload."""
    body = json.dumps(payload).encode()
    response = {"StatusCode": 200, "Payload": StreamingBody(BytesIO(body), len(body)), **facts}
    wanted = {"FunctionName": "ConvertMatchesFunction", "Qualifier": "live", "Payload": json.dumps(event)}
    function.add_response("invoke", response, wanted)


def test_a_run_works_on_all_shards_and_says_what_it_did(stack: Stack, function: Stubber) -> None:
    answers(function, RUN, {})
    assert convert(stack) == ConvertResult(True, "97 matches processed", 97, 95, 3, False)


def test_a_run_works_on_the_named_shards_alone(stack: Stack, function: Stubber) -> None:
    answers(function, {**RUN, "oldest_waiting_seconds": 3}, {"shards": ["0", "7"]})
    assert convert(stack, [0, 7]).processed == 97


@pytest.mark.parametrize("shard", [-1, 8])
def test_a_shard_that_the_stack_has_not_is_told_before_anything_runs(
    stack: Stack, function: Stubber, shard: int
) -> None:
    with pytest.raises(CommandError, match=f"there is no shard {shard}: stack `playlog` has 0 to 7"):
        convert(stack, [0, shard])
    function.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (
            {"errorType": "UnavailableError", "errorMessage": "table X:\n throttled"},
            "UnavailableError: table X: throttled",
        ),
        ({"errorMessage": "Task timed out after 110.00 seconds"}, "Task timed out after 110.00 seconds"),
        ({}, "it said nothing"),
    ],
)
def test_a_run_that_failed_is_an_error_with_its_cause(stack: Stack, function: Stubber, payload: Any, told: str) -> None:
    answers(function, payload, {}, FunctionError="Unhandled")
    with pytest.raises(CommandError, match=f"^the run failed: {told}; "):
        convert(stack)


@pytest.mark.parametrize("payload", [{"ok": 1}, None, "fine"], ids=str)
def test_an_answer_that_is_no_result_of_a_run_is_not_shown_as_one(
    stack: Stack, function: Stubber, payload: Any
) -> None:
    answers(function, payload, {})
    with pytest.raises(CommandError, match="which is not the result of a run"):
        convert(stack)


def test_a_run_that_takes_its_time_is_waited_for_and_never_asked_for_twice(stack: Stack) -> None:
    config: Any = stack.functions.meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.read_timeout > 110  # the function's Timeout

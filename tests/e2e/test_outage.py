"""A run that cannot work says so: an error that names what is in the way, within the function's time; matches wait."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from playlog_cli.stacks.stack import Stack

from tests.e2e import tables
from tests.support.builders import make_item

# Where these tests work: a shard that the others leave alone.
SHARD = "5"
NOBODY_THERE = "http://127.0.0.1:9"
BY_MISTAKE = "by-mistake"

# What is wrong with the environment of the function, and what its error has to say. None takes a variable away.
OUTAGES: dict[str, tuple[dict[str, str | None], list[str]]] = {
    "DynamoDB is unreachable": (
        {"AWS_ENDPOINT_URL_DYNAMODB": NOBODY_THERE},
        ["index unprocessed-index of table", NOBODY_THERE, "what waited still waits"],
    ),
    "SQS is unreachable": ({"AWS_ENDPOINT_URL_SQS": NOBODY_THERE}, ["queue http", "what waited still waits"]),
    "the table of matches is not there": ({"MATCH_CACHE_TABLE": BY_MISTAKE}, [f"of table {BY_MISTAKE}"]),
    "the table of plays is not there": ({"PLAY_LOG_TABLE": BY_MISTAKE}, [f"tables {BY_MISTAKE}"]),
    "the queue is not there": ({"DEAD_LETTER_QUEUE_URL": f"{NOBODY_THERE}/{BY_MISTAKE}"}, [f"/{BY_MISTAKE}"]),
    "a variable is missing": ({"PLAY_LOG_TABLE": None}, ["the environment variable PLAY_LOG_TABLE is missing"]),
}


@pytest.mark.parametrize(("wrong", "says"), OUTAGES.values(), ids=OUTAGES)
def test_a_run_that_cannot_work_is_an_error_that_names_what_is_in_the_way_and_matches_wait(
    stack: Stack, request: pytest.FixtureRequest, wrong: dict[str, str | None], says: list[str]
) -> None:
    one = request.node.callspec.id
    these = tables.of(stack)
    fails = {"source": {"S": "Cinema"}} if "SQS" in one or "queue" in one else {}

    with changed(stack, stack.convert_matches_function, wrong):
        # Not before: a run that the schedule had begun would play it.
        these.put([make_item(one, unprocessed_shard={"S": SHARD}, track_id={"S": one}, **fails)])
        before = these.match(one)
        started = time.monotonic()
        error, answer = invoke(stack)

    assert error == "Unhandled", answer
    assert all(text in answer["errorMessage"] for text in says), answer["errorMessage"]
    assert time.monotonic() - started < timeout_of(stack), "Lambda ended it"
    assert these.match(one) == before
    assert invoke(stack)[0] is None, "and once it is mended, the next run does the work"


@contextmanager
def changed(stack: Stack, function: str, wrong: Mapping[str, str | None]) -> Iterator[None]:
    """The environment of a function is another one while the block lasts, and no schedule invokes it."""
    events = stack.session.client("events")
    rules = [rule["Name"] for rule in events.list_rules()["Rules"]]
    for rule in rules:
        events.disable_rule(Name=rule)
    variables = stack.functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    other = {**variables, **{name: value for name, value in wrong.items() if value is not None}}
    kept = {name: value for name, value in other.items() if name not in wrong or wrong[name] is not None}
    try:
        stack.functions.update_function_configuration(FunctionName=function, Environment={"Variables": kept})
        yield
    finally:
        stack.functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        for rule in rules:
            events.enable_rule(Name=rule)


def timeout_of(stack: Stack) -> int:
    """Seconds that the converter has."""
    return stack.functions.get_function_configuration(FunctionName=stack.convert_matches_function)["Timeout"]


def invoke(stack: Stack) -> tuple[str | None, Any]:
    """A run over the shard of these tests.

    Returns:
        Lambda's kind of error, if it was one, and what was answered.
    """
    answer = stack.functions.invoke(
        FunctionName=stack.convert_matches_function, Payload=json.dumps({"shards": [SHARD]})
    )
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())

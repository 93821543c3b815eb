"""What the functions may do: nothing that they do not need, and each thing that they need."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from playlog.domain.match import Item
from playlog_cli.stacks.stack import Stack

from tests.e2e import tables
from tests.support.builders import make_item

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

pytestmark = pytest.mark.usefixtures("no_schedule")

# Where these tests work: a shard that the others leave alone.
SHARD = "6"


@pytest.fixture
def iam(stack: Stack) -> "IAMClient":
    return stack.session.client("iam")


def role_of(stack: Stack, function: str) -> str:
    """The name of the role that a function works as."""
    return stack.functions.get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]


def policies(iam: "IAMClient", role: str) -> dict[str, Any]:
    """What a role may do: its policies by name."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}


@contextmanager
def without(iam: "IAMClient", role: str, sid: str, action: str) -> Iterator[None]:
    """Takes one action out of one statement of a role's policies, for a while."""
    ((name, document),) = [
        (name, document)
        for name, document in policies(iam, role).items()
        if sid in [each["Sid"] for each in document["Statement"]]
    ]
    reduced = deepcopy(document)
    (statement,) = [each for each in reduced["Statement"] if each["Sid"] == sid]
    actions = as_list(statement["Action"])
    assert action in actions
    # A statement without any action is none.
    statement["Action"] = [each for each in actions if each != action] or ["iam:GetUser"]
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(reduced))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def as_list(value: str | list[str]) -> list[str]:
    """One or several, as IAM has it."""
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("function", ["convert_matches_function", "store_failures_function"])
def test_no_function_may_do_anything_to_what_is_not_named(stack: Stack, iam: "IAMClient", function: str) -> None:
    role = role_of(stack, getattr(stack, function))
    tables_of_stack = (stack.match_cache_table, stack.play_log_table, stack.failed_play_log_table)
    own = (*tables_of_stack, "StationGuardTable", stack.convert_matches_function, "DeadLetterQueue", "LogGroup")

    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    for statement in (each for document in policies(iam, role).values() for each in document["Statement"]):
        assert not any("*" in action for action in as_list(statement["Action"])), statement
        for resource in as_list(statement["Resource"]):
            assert any(name in resource for name in own), resource
            # A log group's ARN ends in `:*`, which stands for its streams.
            assert "*" not in resource.removesuffix(":*"), resource


@pytest.mark.parametrize(
    ("sid", "action"),
    [
        ("ReadWaitingMatches", "dynamodb:Query"),
        ("MarkMatchesPlayed", "dynamodb:UpdateItem"),
        ("WritePlays", "dynamodb:PutItem"),
        ("WritePlays", "dynamodb:UpdateItem"),
        ("PushDeadLetters", "sqs:SendMessageBatch"),
    ],
)
def test_the_converter_needs_each_thing_that_it_may_do(stack: Stack, iam: "IAMClient", sid: str, action: str) -> None:
    these = tables.of(stack)
    one = f"{sid}-{action.rpartition(':')[2]}"
    waits: dict[str, Any] = {"unprocessed_shard": {"S": SHARD}, "track_id": {"S": one}}
    these.put([make_item(f"{one}-creates", **waits)])
    assert invoke_converter(stack) == (None, 1)
    these.put(
        [
            make_item(f"{one}-joins", **waits),
            make_item(f"{one}-creates-another", **waits, matched_at={"S": "2026-03-14T09:00:00Z"}),
            make_item(f"{one}-fails", **waits, source={"S": "Cinema"}),
        ]
    )

    with without(iam, role_of(stack, stack.convert_matches_function), sid, action):
        error, _ = invoke_converter(stack)

    assert error
    assert "AccessDenied" in error
    assert invoke_converter(stack)[0] is None
    assert not [match for match in these.items().matches if is_played_of(match, one) is False]


def is_played_of(match: Item, track: str) -> bool | None:
    """Whether a valid match of the track is played; None of any other match."""
    if match.get("track_id") != {"S": track} or "source" in match:
        return None
    return match.get("processed") == {"BOOL": True}


def invoke_converter(stack: Stack) -> tuple[str | None, int]:
    """A run over the shard of these tests.

    Returns:
        What went wrong, if anything did, and how many plays it created.
    """
    answer = stack.functions.invoke(
        FunctionName=stack.convert_matches_function, Payload=json.dumps({"shards": [SHARD]})
    )
    payload = json.loads(answer["Payload"].read())
    return (payload["errorMessage"], 0) if "FunctionError" in answer else (None, payload["plays"])


@pytest.mark.parametrize(
    ("sid", "action"),
    [
        ("RecordFailures", "dynamodb:PutItem"),
        ("RecordFailures", "dynamodb:Query"),
        ("SetStateOfMatch", "dynamodb:UpdateItem"),
    ],
)
def test_the_other_function_needs_each_thing_that_it_may_do(
    stack: Stack, iam: "IAMClient", sid: str, action: str
) -> None:
    these = tables.of(stack)
    one = f"{sid}-{action.rpartition(':')[2]}"
    write: Callable[[], None] = lambda: these.put([make_item(one, unprocessed_shard={"S": SHARD})])  # noqa: E731
    write()
    assert store(stack, one) == []
    write()  # anew: its history has to be looked up

    with without(iam, role_of(stack, stack.store_failures_function), sid, action):
        assert store(stack, one) == [one]

    assert store(stack, one) == []
    assert these.match(one)["attempts"] == {"N": "2"}


def store(stack: Stack, match_id: str) -> list[str]:
    """Has a letter stored, with no queue between.

    Returns:
        The messages that would go back to the queue.
    """
    letter = {
        "version": 1,
        "match_id": match_id,
        "attempt": 1,
        "reason_code": "INVALID_SOURCE",
        "reason": "source is 'Cinema': it must be Radio or Streaming",
        "will_retry": False,
        "failed_at": "2026-03-14T12:00:00.000000+0000",
        "match": {"match_id": match_id},
    }
    record = {"messageId": match_id, "body": json.dumps(letter), "eventSource": "aws:sqs", "attributes": {}}
    answer = stack.functions.invoke(
        FunctionName=stack.store_failures_function, Payload=json.dumps({"Records": [record]})
    )
    payload = json.loads(answer["Payload"].read())
    return [failure["itemIdentifier"] for failure in payload["batchItemFailures"]]

"""The stack that the end-to-end tests use: the template, deployed into an embedded AWS for each process of tests."""

from collections.abc import Iterator

import pytest
from playlog_cli.embedded.ministack import deployed
from playlog_cli.stacks.stack import Stack, find_stack

# The shortest that EventBridge takes, so that a test of the schedule waits a minute at most.
# No mail leaves the machine.
PARAMETERS = {"ScheduleExpression": "rate(1 minute)", "AlarmEmail": "operators@example.com"}


@pytest.fixture(scope="session")
def stack(worker_id: str) -> Iterator[Stack]:
    """The deployed stack, empty at first. What a test writes stays: each uses ids of its own."""
    with deployed(f"e2e-{worker_id}", PARAMETERS):
        yield find_stack()


@pytest.fixture
def no_schedule(stack: Stack) -> Iterator[None]:
    """No run but those that a test asks for."""
    events = stack.session.client("events")
    rules = [rule["Name"] for rule in events.list_rules()["Rules"]]
    for rule in rules:
        events.disable_rule(Name=rule)
    yield
    for rule in rules:
        events.enable_rule(Name=rule)

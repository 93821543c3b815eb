"""The stack that the end-to-end tests use: the template, deployed into an embedded AWS of their own."""

from collections.abc import Iterator

import pytest
from playlog_cli.embedded import deployed
from playlog_cli.stack import Stack, find_stack

# The shortest that EventBridge takes, so that a test of the schedule waits a minute at most.
# No mail leaves the machine.
PARAMETERS = {"ScheduleExpression": "rate(1 minute)", "AlarmEmail": "operators@example.com"}


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The deployed stack, empty at first. What a test writes stays: each uses ids of its own."""
    with deployed("e2e", PARAMETERS):
        yield find_stack()

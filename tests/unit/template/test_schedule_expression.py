"""CloudFormation refuses a schedule that EventBridge would refuse, and takes each one that EventBridge takes."""

import re

import pytest
from playlog_cli.schedules import problem_of

from tests.support.aws import TEMPLATE

PARAMETER = TEMPLATE.parameters["ScheduleExpression"]


def allowed(expression: str) -> bool:
    """As CloudFormation matches ``AllowedPattern``: the whole value."""
    return re.fullmatch(PARAMETER["AllowedPattern"], expression) is not None


@pytest.mark.parametrize(
    "expression",
    [
        "rate(2 minutes)",
        "rate(1 minute)",
        "rate(1 hour)",
        "rate(10 days)",
        "cron(0 10 * * ? *)",
        "cron(0/5 8-17 ? * MON-FRI *)",
        "cron(0 9 ? * 2#1 *)",
        "cron(0 0 LW MAY ? 2027-2030)",
    ],
)
def test_a_valid_schedule_is_deployed(expression: str) -> None:
    assert problem_of(expression) is None
    assert allowed(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(0 minutes)",
        "rate(2 weeks)",
        "rate(2 minutes) ",
        "every 2 minutes",
        "cron(*/2 * * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(0 10 * * ? * *)",
        "",
    ],
)
def test_an_invalid_schedule_is_refused_before_anything_is_deployed(expression: str) -> None:
    assert problem_of(expression) is not None
    assert not allowed(expression)

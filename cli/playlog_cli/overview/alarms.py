"""The alarms of a stack, and their states."""

from dataclasses import dataclass
from datetime import datetime

from playlog_cli.stacks.stack import CLIENT_CONFIG, Stack
from playlog_cli.stacks.tables import batched

NAMES_PER_REQUEST = 100  # quota of DescribeAlarms
ALARM_TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
ORDER = {"ALARM": 0, "INSUFFICIENT_DATA": 1, "OK": 2}


@dataclass(frozen=True)
class Alarm:
    """An alarm.

    Attributes:
        name: its name.
        state: ``ALARM``, ``OK`` or ``INSUFFICIENT_DATA``.
        since: when it came into this state, with an offset; None if CloudWatch does not say.
        description: what it means, and what to do.
    """

    name: str
    state: str
    since: datetime | None
    description: str


def alarms_of(stack: Stack) -> list[Alarm]:
    """Asks for the alarms of a stack: those that are on come first."""
    cloudformation = stack.session.client("cloudformation", config=CLIENT_CONFIG)
    cloudwatch = stack.session.client("cloudwatch", config=CLIENT_CONFIG)
    names = [
        each["PhysicalResourceId"]
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.name)
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] in ALARM_TYPES and "PhysicalResourceId" in each
    ]
    found = []
    for chunk in batched(names, NAMES_PER_REQUEST):
        answer = cloudwatch.describe_alarms(AlarmNames=chunk, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        for each in (*answer["MetricAlarms"], *answer.get("CompositeAlarms", [])):
            since = each.get("StateUpdatedTimestamp")
            found.append(Alarm(each["AlarmName"], each["StateValue"], since, each.get("AlarmDescription", "")))
    return sorted(found, key=lambda alarm: (ORDER.get(alarm.state, 0), alarm.name))

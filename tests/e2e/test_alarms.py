"""The deployed alarms: what they watch is what the deployed function emits, and who is told is told.

The embedded AWS evaluates an alarm when data come, by its statistic and threshold alone: it knows nothing of missing
data, dimensions and expressions. Those are held in tests/unit/template/test_alarms.py.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playlog_cli.stacks.stack import Stack

from tests.e2e.conftest import PARAMETERS
from tests.support.cloudwatch import Metric, from_emf

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# By their names in the stack. Of expressions the embedded AWS takes none: failure-share and the two on
# throttling are not there.
ALARMS = (
    "no-successful-run",
    "convert-matches-errors",
    "store-failures-errors",
    "oldest-waiting",
    "dead-letters-waiting",
    "parking-lot",
    "run-time",
)


@pytest.fixture(scope="module")
def cloudwatch(stack: Stack) -> "CloudWatchClient":
    return stack.session.client("cloudwatch")


@pytest.fixture(scope="module")
def topic(stack: Stack) -> str:
    """The topic, as the stack's outputs name it."""
    (description,) = stack.session.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
    return next(each["OutputValue"] for each in description["Outputs"] if each["OutputKey"] == "AlarmTopic")


@pytest.fixture(scope="module")
def told(stack: Stack, topic: str) -> Iterator[str]:
    """A queue that is told of alarms."""
    url = stack.sqs.create_queue(QueueName="told-of-alarms")["QueueUrl"]
    arn = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stack.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns = stack.session.client("sns")
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    yield url
    sns.unsubscribe(SubscriptionArn=subscription)
    stack.sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize("name", ALARMS)
def test_what_sets_an_alarm_off_reaches_those_who_are_told_with_what_it_means(
    stack: Stack, cloudwatch: "CloudWatchClient", told: str, name: str
) -> None:
    alarm_name = f"{stack.name}-{name}"
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[alarm_name])["MetricAlarms"]
    cloudwatch.set_alarm_state(AlarmName=alarm_name, StateValue="OK", StateReason="the test begins")
    beyond = 0 if alarm["ComparisonOperator"] == "LessThanThreshold" else alarm["Threshold"] + 1

    datum: Any = {"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": beyond}
    cloudwatch.put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum] * 3)

    assert cloudwatch.describe_alarms(AlarmNames=[alarm_name])["MetricAlarms"][0]["StateValue"] == "ALARM"
    notices = [notice for notice in take(stack, told) if notice["AlarmName"] == alarm_name]
    assert notices[-1]["NewStateValue"] == "ALARM"
    assert notices[-1]["AlarmDescription"].endswith(f"What to do: docs/operations.md#{name}")


def take(stack: Stack, url: str) -> list[dict[str, Any]]:
    """Takes what a queue was told."""
    batches = iter(lambda: stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []), [])
    notices = []
    for batch in batches:
        for message in batch:
            notices.append(json.loads(json.loads(message["Body"])["Message"]))
            stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return notices


def test_the_address_that_was_given_is_told(stack: Stack, topic: str) -> None:
    subscriptions = stack.session.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]

    assert [each["Endpoint"] for each in subscriptions if each["Protocol"] == "email"] == [PARAMETERS["AlarmEmail"]]


def test_what_the_alarms_watch_is_what_the_deployed_function_emits(
    stack: Stack, cloudwatch: "CloudWatchClient"
) -> None:
    stack.functions.invoke(FunctionName=stack.convert_matches_function, Payload=b"{}")
    configuration = stack.functions.get_function_configuration(FunctionName=stack.convert_matches_function)
    pages = stack.logs.get_paginator("filter_log_events").paginate(
        logGroupName=configuration["LoggingConfig"]["LogGroup"]
    )
    messages = (event["message"] for page in pages for event in page["events"])
    emitted = {point.metric for point in from_emf((json.loads(each) for each in messages if each.startswith("{")), 0)}

    alarms = cloudwatch.describe_alarms(AlarmNamePrefix=f"{stack.name}-")["MetricAlarms"]
    watched = {Metric.of(alarm) for alarm in alarms if alarm["Namespace"] == "playlog"}

    assert len(alarms) == len(ALARMS)
    assert watched
    assert watched <= emitted


def test_the_dashboard_is_there_and_names_the_deployed_resources(stack: Stack, cloudwatch: "CloudWatchClient") -> None:
    body = cloudwatch.get_dashboard(DashboardName=stack.name)["DashboardBody"]

    assert json.loads(body)["widgets"]
    for name in (stack.convert_matches_function, stack.store_failures_function, stack.match_cache_table):
        assert f'"{name}"' in body
    assert "${" not in body

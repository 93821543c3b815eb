"""The dashboard of template.yaml: a graph of a metric that nobody publishes is empty, and looks like peace."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playlog.converting.run import Run

from tests.support.aws import TEMPLATE
from tests.support.cloudwatch import Metric, from_emf, metrics_of

pytest_plugins = ["tests.support.telemetry_fixture"]

(DASHBOARD,) = TEMPLATE.of_type("AWS::CloudWatch::Dashboard")
WIDGETS: list[dict[str, Any]] = json.loads(TEMPLATE.value(DASHBOARD.properties["DashboardBody"]))["widgets"]

RUN = Run(processed=97, plays=95, failures=Counter(INVALID_SOURCE=1), waiting=True, oldest_waiting_seconds=1.0)

# What AWS publishes, by its developer guides: Lambda, "Types of metrics for Lambda functions"; Amazon SQS, "Available
# CloudWatch metrics for Amazon SQS"; Amazon DynamoDB, "DynamoDB Metrics and dimensions".
OF_AWS = {
    "AWS/Lambda": (
        {"Duration", "Errors", "Invocations", "Throttles"},
        [{"FunctionName"}, {"FunctionName", "Resource"}],
    ),
    "AWS/SQS": (
        {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible", "NumberOfMessagesSent"},
        [{"QueueName"}],
    ),
    "AWS/DynamoDB": (
        {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"},
        [{"TableName"}, {"TableName", "GlobalSecondaryIndexName"}],
    ),
}
# What such a dimension names.
NAMED = {
    "FunctionName": "AWS::Serverless::Function",
    "QueueName": "AWS::SQS::Queue",
    "TableName": "AWS::DynamoDB::Table",
}
# A name as a resource's dimension has it, by the kind of resource.
RESOURCES = {
    (
        kind,
        TEMPLATE.value(
            {"Fn::GetAtt": f"{each.logical_id}.QueueName"} if kind == "AWS::SQS::Queue" else {"Ref": each.logical_id}
        ),
    ): each
    for kind in NAMED.values()
    for each in TEMPLATE.of_type(kind)
}


def rows() -> Iterator[list[Any]]:
    """The rows of all graphs: a metric or an expression each."""
    for widget in WIDGETS:
        yield from widget["properties"].get("metrics", [])


def metrics() -> set[Metric]:
    """Those of the graphs."""
    found = set()
    for row in rows():
        namespace, name, *pairs = [each for each in row if isinstance(each, str)] or ["", ""]
        if namespace:
            found.add(Metric(namespace, name, frozenset(zip(pairs[::2], pairs[1::2], strict=True))))
    return found


def watched() -> set[Metric]:
    """Those of the alarms."""
    alarms = TEMPLATE.of_type("AWS::CloudWatch::Alarm")
    return {metric for alarm in alarms for metric in metrics_of(TEMPLATE.value(alarm.properties))}


EVERY = metrics() | watched()
OF_AWS_NAMESPACES = {metric for metric in EVERY if metric.namespace.startswith("AWS/")}


def test_each_metric_of_ours_is_emitted_by_a_run(emit: Callable[[Run], list[dict[str, Any]]]) -> None:
    emitted = {point.metric for point in from_emf(emit(RUN), 0)}

    ours = EVERY - OF_AWS_NAMESPACES

    assert ours
    assert ours - emitted == set()


@pytest.mark.parametrize("metric", sorted(OF_AWS_NAMESPACES, key=str), ids=str)
def test_each_metric_of_awss_own_is_one_that_aws_publishes_of_a_resource_of_the_stack(metric: Metric) -> None:
    names, dimensions = OF_AWS[metric.namespace]
    values = dict(metric.dimensions)

    assert metric.name in names
    assert values.keys() in dimensions
    of = next((kind, values[name]) for name, kind in NAMED.items() if name in values)
    assert of in RESOURCES
    if index := values.get("GlobalSecondaryIndexName"):
        assert index in [each["IndexName"] for each in RESOURCES[of].properties["GlobalSecondaryIndexes"]]


def test_the_graph_of_failures_looks_for_what_a_run_emits(emit: Callable[[Run], list[dict[str, Any]]]) -> None:
    (search,) = [row[0]["expression"] for row in rows() if "SEARCH" in str(row)]
    found = re.fullmatch(
        r"SEARCH\('\{(\w+),([\w,]+)\} MetricName=\"(\w+)\" service=\"([\w-]+)\"', 'Sum', \d+\)", search
    )
    assert found
    namespace, dimensions, name, service = found.groups()

    of_failures = [point.metric for point in from_emf(emit(RUN), 0) if "reason_code" in dict(point.metric.dimensions)]

    assert {(metric.namespace, metric.name, dict(metric.dimensions)["service"]) for metric in of_failures} == {
        (namespace, name, service)
    }
    assert all(dict(metric.dimensions).keys() == set(dimensions.split(",")) for metric in of_failures)


def test_each_expression_reckons_with_metrics_of_its_graph() -> None:
    for widget in WIDGETS:
        rows = widget["properties"].get("metrics", [])
        ids = {row[-1]["id"] for row in rows if isinstance(row[-1], dict) and "id" in row[-1]}
        for expression in (row[0]["expression"] for row in rows if isinstance(row[0], dict)):
            if not expression.startswith("SEARCH"):
                assert set(re.findall(r"[a-z]+", expression)) <= ids, expression


def test_the_gigabyte_seconds_are_reckoned_with_the_memory_that_the_functions_have() -> None:
    memory = {
        name: TEMPLATE.resources[name].properties["MemorySize"]
        for name in ("ConvertMatchesFunction", "StoreFailuresFunction")
    }
    labels = [str(row[0].get("label")) for row in rows() if isinstance(row[0], dict)]

    assert memory == {"ConvertMatchesFunction": 1024, "StoreFailuresFunction": 256}
    assert {"ConvertMatches (1 GB)", "StoreFailures (256 MB)"} <= set(labels)


def test_all_alarms_are_on_it() -> None:
    (widget,) = [widget for widget in WIDGETS if widget["type"] == "alarm"]

    shown = [arn.rpartition(":")[2] for arn in widget["properties"]["alarms"]]

    assert sorted(shown) == sorted(
        TEMPLATE.value(alarm.properties["AlarmName"]) for alarm in TEMPLATE.of_type("AWS::CloudWatch::Alarm")
    )


def test_no_graph_lies_upon_another() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in WIDGETS:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells

"""The alarms of template.yaml: what sets each off, what does not, and that it ends.

The metrics of runs are those that the code emits; of AWS's own, what AWS says that it publishes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from playlog.converting.run import Run

from tests.support.aws import TEMPLATE
from tests.support.cloudwatch import Metric, Point, by_metric, from_emf, metrics_of, state

pytest_plugins = ["tests.support.telemetry_fixture"]

ALARMS = {
    str(TEMPLATE.value(resource.properties["AlarmName"])).removeprefix("playlog-"): TEMPLATE.value(resource.properties)
    for resource in TEMPLATE.of_type("AWS::CloudWatch::Alarm")
}
MINUTE = 60.0
EVERY = 2 * MINUTE
HOUR = 60 * MINUTE

ORDINARY = Run(processed=97, plays=95, failures=Counter(INVALID_SOURCE=1), waiting=False, oldest_waiting_seconds=0.0)


@dataclass(frozen=True)
class Invocation:
    """An invocation of ConvertMatches: the run that it was, or none if it ended in an error."""

    run: Run | None = ORDINARY
    seconds: float = 4.1


def value(expression: Any) -> str:
    return str(TEMPLATE.value(expression))


def of_function(name: str, function: str) -> Metric:
    return Metric("AWS/Lambda", name, frozenset({("FunctionName", value({"Ref": function}))}))


def errors_of(function: str) -> Metric:
    """Errors of the live version (AWS Lambda Developer Guide, "Metrics for Lambda functions": dimension Resource)."""
    name = value({"Ref": function})
    return Metric("AWS/Lambda", "Errors", frozenset({("FunctionName", name), ("Resource", f"{name}:live")}))


def of_queue(name: str, queue: str) -> Metric:
    return Metric("AWS/SQS", name, frozenset({("QueueName", value({"Fn::GetAtt": f"{queue}.QueueName"}))}))


def throttled(table: str, index: str | None = None, *, name: str = "WriteThrottleEvents") -> Metric:
    dimensions = {("TableName", value({"Ref": table}))} | ({("GlobalSecondaryIndexName", index)} if index else set())
    return Metric("AWS/DynamoDB", name, frozenset(dimensions))


def every_minute(metric: Metric, amount: float, *, since: float = 0, until: float = HOUR) -> list[Point]:
    """A value of AWS's own, published once a minute."""
    return [Point(metric, at, amount) for at in range(int(since), int(until) + 1, int(MINUTE))]


@dataclass
class Hour:
    """What an hour brings: runs every two minutes, and what else AWS publishes.

    The hour ends with the minute in which the alarms are looked at. Its runs are ordinary where it says nothing else.
    """

    emit: Callable[[Run], list[dict[str, Any]]]
    invocations: dict[float, Invocation | None]
    points: list[Point]

    def last(self, minutes: float, invocation: Invocation | None) -> "Hour":
        """The invocations of the last minutes are like this, or there are none."""
        for at in self.invocations:
            if at > HOUR - minutes * MINUTE:
                self.invocations[at] = invocation
        return self

    def with_points(self, *points: Point) -> "Hour":
        """AWS publishes these as well."""
        self.points += points
        return self

    def alarms(self) -> set[str]:
        """The alarms that are set off at its end, looked at minute by minute as CloudWatch does."""
        data = by_metric([*self.points, *self.published_points()])
        states = dict.fromkeys(ALARMS, "INSUFFICIENT_DATA")
        for minute in range(30, 61):  # from when there are data for the longest period
            now = minute * MINUTE
            states = {name: state(alarm, data, now, states[name]) for name, alarm in ALARMS.items()}
        return {name for name, found in states.items() if found == "ALARM"}

    def published_points(self) -> Iterator[Point]:
        lines: dict[int, list[dict[str, Any]]] = {}
        for at, invocation in self.invocations.items():
            if invocation is None:
                continue
            yield Point(errors_of("ConvertMatchesFunction"), at, float(invocation.run is None))
            yield Point(of_function("Duration", "ConvertMatchesFunction"), at, invocation.seconds * 1_000)
            if invocation.run:
                key = id(invocation.run)
                lines[key] = lines.get(key) or self.emit(invocation.run)
                yield from from_emf(lines[key], at)


@pytest.fixture
def hour(emit: Callable[[Run], list[dict[str, Any]]]) -> Hour:
    ordinary: dict[float, Invocation | None] = {EVERY * number: Invocation() for number in range(1, 31)}
    return Hour(emit, ordinary, [])


def test_an_ordinary_hour_sets_nothing_off(hour: Hour) -> None:
    quiet = [of_queue("ApproximateAgeOfOldestMessage", "DeadLetterQueue")]
    quiet += [of_queue("ApproximateNumberOfMessagesVisible", "ParkingLotQueue")]
    quiet += [errors_of("StoreFailuresFunction")]
    for metric in quiet:
        hour.with_points(*every_minute(metric, 0))

    assert hour.alarms() == set()


# --- The heartbeat. ---


def test_ten_minutes_in_which_nothing_runs_set_off_the_heartbeat_and_nothing_else(hour: Hour) -> None:
    """Whatever the reason: the schedule is disabled, its target is wrong, or nothing may invoke the function."""
    assert hour.last(10, None).alarms() == {"no-successful-run"}


def test_a_run_that_is_late_is_no_reason(hour: Hour) -> None:
    assert hour.last(8, None).alarms() == set()


def test_a_stack_in_which_nothing_ever_ran_sets_off_the_heartbeat(hour: Hour) -> None:
    assert hour.last(60, None).alarms() == {"no-successful-run"}


def test_the_heartbeat_does_without_an_expression_where_there_are_none() -> None:
    """As in the embedded AWS: later, but it goes off where there are no data at all."""
    never = {"Fn::Equals": ["this", "that"]}
    embedded = replace(TEMPLATE, conditions={**TEMPLATE.conditions, "IsOnAws": never})
    alarm = embedded.value(TEMPLATE.resources["NoSuccessfulRunAlarm"].properties)

    assert "Metrics" not in alarm
    assert metrics_of(alarm) == metrics_of(ALARMS["no-successful-run"])
    assert state(alarm, {}, HOUR, "OK") == "ALARM"


def test_runs_that_all_fail_set_off_the_heartbeat_and_the_alarm_on_errors(hour: Hour) -> None:
    assert hour.last(10, Invocation(run=None)).alarms() == {"no-successful-run", "convert-matches-errors"}


# --- Errors. ---


def test_a_single_run_that_fails_is_told(hour: Hour) -> None:
    assert hour.last(2, Invocation(run=None)).alarms() == {"convert-matches-errors"}


def test_an_error_of_the_other_function_is_told(hour: Hour) -> None:
    error = Point(errors_of("StoreFailuresFunction"), HOUR - MINUTE, 1)

    assert hour.with_points(error).alarms() == {"store-failures-errors"}


# --- A backlog. ---


def leaves(age: float) -> Invocation:
    return Invocation(replace(ORDINARY, waiting=True, oldest_waiting_seconds=age))


def test_matches_that_each_run_leaves_waiting_for_more_than_ten_minutes_are_told(hour: Hour) -> None:
    assert hour.last(6, leaves(601)).alarms() == {"oldest-waiting"}


@pytest.mark.parametrize(("minutes", "age"), [(6, 600), (2, 86_400)], ids=["not that old", "left by one run alone"])
def test_matches_that_wait_a_little_are_no_reason(hour: Hour, minutes: float, age: float) -> None:
    assert hour.last(minutes, leaves(age)).alarms() == set()


def test_a_backlog_does_not_end_with_the_runs(hour: Hour) -> None:
    assert hour.last(40, leaves(7_200)).last(20, None).alarms() == {"oldest-waiting", "no-successful-run"}


# --- Failures. ---


def of_whom_fail(failed: int, processed: int) -> Invocation:
    return Invocation(replace(ORDINARY, processed=processed, failures=Counter(MISSING_TRACK=failed)))


@pytest.mark.parametrize(("failed", "processed"), [(12, 88), (500, 1_500), (2, 0)])
def test_a_jump_in_the_share_of_failures_is_told(hour: Hour, failed: int, processed: int) -> None:
    assert hour.last(16, of_whom_fail(failed, processed)).alarms() == {"failure-share"}


@pytest.mark.parametrize(
    ("minutes", "failed", "processed"),
    [(60, 9, 91), (60, 0, 0), (2, 4, 0)],
    ids=["below a tenth", "nothing to do", "four at night"],
)
def test_a_few_failures_are_no_reason(hour: Hour, minutes: float, failed: int, processed: int) -> None:
    for at in hour.invocations:
        hour.invocations[at] = of_whom_fail(0, 0)

    assert hour.last(minutes, of_whom_fail(failed, processed)).alarms() == set()


# --- Dead letters. ---


def test_a_dead_letter_that_waits_for_more_than_fifteen_minutes_is_told(hour: Hour) -> None:
    age = of_queue("ApproximateAgeOfOldestMessage", "DeadLetterQueue")

    assert hour.with_points(*every_minute(age, 901, since=HOUR - MINUTE)).alarms() == {"dead-letters-waiting"}


def test_a_dead_letter_that_waits_for_less_is_no_reason(hour: Hour) -> None:
    age = of_queue("ApproximateAgeOfOldestMessage", "DeadLetterQueue")

    assert hour.with_points(*every_minute(age, 900)).alarms() == set()


def test_a_single_letter_in_the_parking_lot_is_told(hour: Hour) -> None:
    parked = of_queue("ApproximateNumberOfMessagesVisible", "ParkingLotQueue")

    assert hour.with_points(*every_minute(parked, 1, since=HOUR - MINUTE)).alarms() == {"parking-lot"}


# --- Throttling. ---

OF_LAMBDA = [of_function("Throttles", "ConvertMatchesFunction"), of_function("Throttles", "StoreFailuresFunction")]
OF_DYNAMODB = [
    throttled("MatchCacheTable", "unprocessed-index", name="ReadThrottleEvents"),
    throttled("PlayLogTable", name="ReadThrottleEvents"),
    throttled("StationGuardTable", name="ReadThrottleEvents"),
    throttled("MatchCacheTable"),
    throttled("MatchCacheTable", "unprocessed-index"),
    throttled("PlayLogTable"),
    throttled("PlayLogTable", "track-index"),
    throttled("StationGuardTable"),
    throttled("FailedPlayLogTable"),
    throttled("FailedPlayLogTable", "reason-index"),
]


@pytest.mark.parametrize("metric", OF_LAMBDA, ids=str)
def test_a_function_that_lambda_does_not_let_run_is_told(hour: Hour, metric: Metric) -> None:
    assert hour.with_points(Point(metric, HOUR - MINUTE, 1)).alarms() == {"lambda-throttling"}


@pytest.mark.parametrize("metric", OF_DYNAMODB, ids=str)
def test_throttling_for_ten_minutes_is_told_whatever_table_or_index_it_is(hour: Hour, metric: Metric) -> None:
    assert hour.with_points(*every_minute(metric, 1, since=HOUR - 9 * MINUTE)).alarms() == {"dynamodb-throttling"}


def test_a_moment_of_throttling_is_no_reason(hour: Hour) -> None:
    assert hour.with_points(Point(OF_DYNAMODB[0], HOUR - MINUTE, 500)).alarms() == set()


def test_throttling_that_is_over_is_over(hour: Hour) -> None:
    """DynamoDB publishes nothing then, and an alarm on its metrics stays as it is where they are missing."""
    until = HOUR - 11 * MINUTE

    assert hour.with_points(*every_minute(OF_DYNAMODB[0], 500, since=0, until=until)).alarms() == set()


def test_every_table_and_index_that_a_function_works_on_is_watched() -> None:
    tables = TEMPLATE.of_type("AWS::DynamoDB::Table")
    every = {
        frozenset({("TableName", table.logical_id)} | ({("GlobalSecondaryIndexName", name)} if name else set()))
        for table in tables
        for name in (None, *(index["IndexName"] for index in table.properties.get("GlobalSecondaryIndexes", [])))
    }

    assert {metric.dimensions for metric in metrics_of(ALARMS["dynamodb-throttling"])} == every


def test_no_alarm_has_more_metrics_than_cloudwatch_takes() -> None:
    """Amazon CloudWatch User Guide, "CloudWatch service quotas": 10 metrics in the expression of an alarm."""
    assert max(len(metrics_of(alarm)) for alarm in ALARMS.values()) <= 10


# --- Run time. ---


def test_runs_near_their_timeout_are_told(hour: Hour) -> None:
    assert hour.last(10, Invocation(seconds=95)).alarms() == {"run-time"}


def test_a_single_long_run_is_no_reason(hour: Hour) -> None:
    assert hour.last(2, Invocation(seconds=95)).alarms() == set()


def test_the_alarm_on_run_time_comes_before_the_timeout() -> None:
    timeout = 1_000 * TEMPLATE.resources["ConvertMatchesFunction"].properties["Timeout"]

    assert 0.75 * timeout < ALARMS["run-time"]["Threshold"] < timeout


# --- All of them. ---


def test_each_alarm_ends_when_its_reason_does(hour: Hour) -> None:
    hour.last(60, replace(leaves(7_200), seconds=95)).last(40, Invocation(run=None)).last(20, Invocation())
    trouble = [of_queue("ApproximateAgeOfOldestMessage", "DeadLetterQueue"), *OF_LAMBDA, *OF_DYNAMODB]
    trouble += [of_queue("ApproximateNumberOfMessagesVisible", "ParkingLotQueue")]
    trouble += [errors_of("StoreFailuresFunction")]
    for metric in trouble:
        hour.with_points(*every_minute(metric, 1_000, since=0, until=HOUR - 20 * MINUTE))

    assert hour.alarms() == set()


@pytest.mark.parametrize("name", ALARMS)
def test_people_are_told_when_an_alarm_begins_and_when_it_ends(name: str) -> None:
    topic = TEMPLATE.value({"Ref": "AlarmTopic"})

    assert ALARMS[name]["AlarmActions"] == ALARMS[name]["OKActions"] == [topic]


def test_mail_goes_out_where_an_address_is_given_and_only_there() -> None:
    (mail,) = TEMPLATE.of_type("AWS::SNS::Subscription")
    addressed = replace(TEMPLATE, parameters={**TEMPLATE.parameters, "AlarmEmail": {"Default": "op@example.com"}})
    is_there = {"Fn::If": ["HasAlarmEmail", True, False]}

    assert f"  {mail.logical_id}:\n    Type: {mail.type}\n    Condition: HasAlarmEmail\n" in TEMPLATE.path.read_text()
    assert (TEMPLATE.value(is_there), addressed.value(is_there)) == (False, True)
    assert addressed.value(mail.properties["Endpoint"]) == "op@example.com"


def test_cloudwatch_may_publish_to_the_topic_and_use_its_key() -> None:
    """If it may not, alarms go nowhere and nobody is told of that."""
    (topic,), (key,) = TEMPLATE.of_type("AWS::SNS::Topic"), TEMPLATE.of_type("AWS::KMS::Key")
    (policy,) = TEMPLATE.of_type("AWS::SNS::TopicPolicy")

    assert TEMPLATE.named_by(topic.properties["KmsMasterKeyId"]) == key
    assert allowed(policy.properties["PolicyDocument"]) >= {"sns:Publish"}
    assert allowed(key.properties["KeyPolicy"]) >= {"kms:Decrypt", "kms:GenerateDataKey*"}


def allowed(document: Any) -> set[str]:
    """What CloudWatch may do."""
    statements = TEMPLATE.value(document)["Statement"]
    of_cloudwatch = [each for each in statements if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    return {action for each in of_cloudwatch for action in as_list(each["Action"])}


def as_list(names: str | Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def test_every_metric_that_an_alarm_watches_is_one_that_a_scenario_here_publishes(hour: Hour) -> None:
    """What is spelt otherwise in the template never sets anything off: so each of its metrics must be one of these."""
    published = {point.metric for point in hour.published_points()} | {*OF_LAMBDA, *OF_DYNAMODB}
    published |= {of_queue("ApproximateAgeOfOldestMessage", "DeadLetterQueue")}
    published |= {of_queue("ApproximateNumberOfMessagesVisible", "ParkingLotQueue")}
    published |= {errors_of("StoreFailuresFunction")}

    assert {metric for alarm in ALARMS.values() for metric in metrics_of(alarm)} <= published

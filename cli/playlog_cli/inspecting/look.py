"""Asks AWS about a deployed stack. Changes nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError
from playlog.domain import timestamps
from playlog.runtime.settings import LIVE

from playlog_cli.inspecting.facts import (
    CONVERT_MATCHES,
    GONE,
    STORE_FAILURES,
    Facts,
    FunctionFacts,
    MappingFacts,
    ScheduleFacts,
    TargetFacts,
)
from playlog_cli.inspecting.permissions import may_invoke
from playlog_cli.schedules import interval, next_time, problem_of
from playlog_cli.stacks.runs import last_runs
from playlog_cli.stacks.stack import CLIENT_CONFIG, Stack
from playlog_cli.stacks.versions import check, live_version

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef
    from mypy_boto3_sqs import SQSClient

Answer = TypeVar("Answer")

RUNS_SHOWN = 5
_NOT_FOUND = {"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


def look(stack: Stack, now: datetime) -> Facts:
    """Asks AWS about a stack.

    Args:
        stack: the stack.
        now: the time that ages and next times refer to, with an offset.

    Raises:
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    lambda_: LambdaClient = stack.session.client("lambda", config=CLIENT_CONFIG)
    events: EventBridgeClient = stack.session.client("events", config=CLIENT_CONFIG)
    cloudformation = stack.session.client("cloudformation", config=CLIENT_CONFIG)
    description = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in description["Parameters"]}
    resources: dict[str, list[tuple[str, str]]] = {}
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack.name):
        for each in page["StackResourceSummaries"]:
            if "PhysicalResourceId" in each:  # otherwise CloudFormation is still creating it
                named = (each["LogicalResourceId"], each["PhysicalResourceId"])
                resources.setdefault(each["ResourceType"], []).append(named)

    functions = tuple(_function(stack, lambda_, *named) for named in resources.get("AWS::Lambda::Function", []))
    converter = next(each for each in functions if each.logical_id == CONVERT_MATCHES)
    log_group = converter.log_group
    runs = _answer_if_found(lambda: last_runs(stack.logs, log_group, now, RUNS_SHOWN)) if log_group else None
    last_start = now - timedelta(seconds=runs[0].age_seconds) if runs else None
    rules = resources.get("AWS::Events::Rule", [])
    logical_ids = {uuid: logical_id for logical_id, uuid in resources.get("AWS::Lambda::EventSourceMapping", [])}
    queue_arn = _queue_arn(stack.sqs, stack.dead_letter_queue_url)
    # Asks for the mappings of the queue: CloudFormation does not know those that were made by hand.
    mappings = lambda_.list_event_source_mappings(EventSourceArn=queue_arn)["EventSourceMappings"] if queue_arn else []
    return Facts(
        stack=stack.name,
        region=stack.session.region_name,
        asked_at=timestamps.to_text(now),
        schedule_expression=parameters["ScheduleExpression"],
        dead_letter_queue_arn=queue_arn,
        functions=functions,
        schedules=tuple(_schedule(events, lambda_, *named, now, last_start) for named in rules),
        mappings=tuple(_mapping(each, logical_ids) for each in mappings),
        runs=tuple(runs or ()),
    )


def _answer_if_found(ask: Callable[[], Answer]) -> Answer | None:
    """The answer of AWS; None if AWS says that the resource does not exist."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"].get("Code") in _NOT_FOUND:
            return None
        raise


def _function(stack: Stack, lambda_: "LambdaClient", logical_id: str, name: str) -> FunctionFacts:
    answer = _answer_if_found(lambda: lambda_.get_function(FunctionName=name))
    if answer is None:
        return FunctionFacts(logical_id, name, None, GONE)
    configuration = answer["Configuration"]
    live = live_version(lambda_, name)
    concurrency = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    can_be_checked = logical_id in (CONVERT_MATCHES, STORE_FAILURES) and live is not None and concurrency != 0
    return FunctionFacts(
        logical_id=logical_id,
        name=name,
        arn=configuration["FunctionArn"],
        state=configuration.get("State", "Active"),
        state_reason=configuration.get("StateReason"),
        last_update=configuration.get("LastUpdateStatus"),
        last_update_reason=configuration.get("LastUpdateStatusReason"),
        last_modified=timestamps.to_text(datetime.fromisoformat(configuration["LastModified"])),
        reserved_concurrency=concurrency,
        log_group=configuration.get("LoggingConfig", {}).get("LogGroup"),
        live=live,
        missing=_missing(stack, name) if can_be_checked else None,
    )


def _missing(stack: Stack, name: str) -> tuple[str, ...]:
    """What the live version of a function lacks for its work, the hand-over to itself included."""
    try:
        return tuple(check(stack, name, LIVE))
    except ClientError as error:
        return (f"it could not be checked: {error}",)


def _schedule(
    events: "EventBridgeClient",
    lambda_: "LambdaClient",
    logical_id: str,
    name: str,
    now: datetime,
    last_start: datetime | None,
) -> ScheduleFacts:
    rule = _answer_if_found(lambda: events.describe_rule(Name=name))
    if rule is None:
        return ScheduleFacts(logical_id, name, None)
    expression = rule.get("ScheduleExpression", "")
    enabled = rule["State"] != "DISABLED"
    next_at, is_latest = _next(expression, now, last_start) if enabled else (None, False)
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    return ScheduleFacts(
        logical_id=logical_id,
        name=name,
        arn=rule["Arn"],
        expression=expression,
        enabled=enabled,
        next_at=timestamps.to_text(next_at) if next_at else None,
        next_is_latest=is_latest,
        expression_problem=problem_of(expression),
        targets=tuple(_target(lambda_, each["Id"], each["Arn"], rule["Arn"]) for each in targets),
    )


def _next(expression: str, now: datetime, last_start: datetime | None) -> tuple[datetime | None, bool]:
    """When a schedule fires next, and whether that is only the latest possible time."""
    every = interval(expression)
    if every is None:
        return next_time(expression, now), False
    on_time = last_start + every if last_start else now + every
    return (on_time if on_time > now else now + every), True


def _target(lambda_: "LambdaClient", target_id: str, arn: str, rule_arn: str) -> TargetFacts:
    region_and_account = arn.split(":")[3:5]
    if ":function:" not in arn or region_and_account != rule_arn.split(":")[3:5]:
        return TargetFacts(target_id, arn, None, None)
    # An ARN may end in an alias or a version, which exists or not.
    if _answer_if_found(lambda: lambda_.get_function(FunctionName=arn)) is None:
        return TargetFacts(target_id, arn, exists=False, may_invoke=False)
    answer = _answer_if_found(lambda: lambda_.get_policy(FunctionName=arn))
    policy = answer["Policy"] if answer else None
    return TargetFacts(target_id, arn, exists=True, may_invoke=may_invoke(policy, rule_arn))


def _mapping(configuration: "EventSourceMappingConfigurationTypeDef", logical_ids: dict[str, str]) -> MappingFacts:
    return MappingFacts(
        logical_id=logical_ids.get(configuration["UUID"], configuration["UUID"]),
        uuid=configuration["UUID"],
        state=configuration["State"],
        state_reason=configuration.get("StateTransitionReason"),
        queue_arn=configuration["EventSourceArn"],
        function_arn=configuration["FunctionArn"],
        last_modified=timestamps.to_text(configuration["LastModified"]),
        last_result=configuration.get("LastProcessingResult"),
    )


def _queue_arn(sqs: "SQSClient", url: str) -> str | None:
    answer = _answer_if_found(lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]))
    return answer["Attributes"]["QueueArn"] if answer else None

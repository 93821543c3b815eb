"""What of a deployed stack runs, and when: its functions, schedules and queue mappings, as AWS tells of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError
from playlog.domain import timestamps

from playlog_cli.stacks.runs import RunFacts, last_runs
from playlog_cli.stacks.schedule import interval, next_time
from playlog_cli.stacks.stack import CLIENT_CONFIG, Stack

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef
    from mypy_boto3_sqs import SQSClient

Answer = TypeVar("Answer")

GONE = "gone"
RUNS_TOLD = 5
CONVERT_MATCHES, STORE_FAILURES = "ConvertMatchesFunction", "StoreFailuresFunction"
EVENTBRIDGE = "events.amazonaws.com"
_NOT_THERE = {"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


@dataclass(frozen=True)
class FunctionFacts:
    """A function as it is deployed.

    Attributes:
        logical_id: its name in the template.
        name: of the function.
        arn: None if there is no such function.
        state: Lambda's: ``Active`` if it can be invoked; ``gone`` if there is no such function.
        state_reason: why it is in that state, where Lambda says so.
        last_update: ``Successful``, ``Failed`` or ``InProgress``.
        last_update_reason: why, where Lambda says so.
        last_modified: when it was changed last, in UTC.
        reserved_concurrency: how many may run at once, where that is set; 0 lets none run.
        log_group: where it logs.
    """

    logical_id: str
    name: str
    arn: str | None
    state: str
    state_reason: str | None = None
    last_update: str | None = None
    last_update_reason: str | None = None
    last_modified: str | None = None
    reserved_concurrency: int | None = None
    log_group: str | None = None


@dataclass(frozen=True)
class TargetFacts:
    """What a rule invokes.

    Attributes:
        target_id: within the rule.
        arn: what it names.
        exists: whether there is such a function; None if it is none of this account's functions.
        may_invoke: whether the function's policy lets this rule invoke it; None if that cannot be told.
    """

    target_id: str
    arn: str
    exists: bool | None
    may_invoke: bool | None


@dataclass(frozen=True)
class ScheduleFacts:
    """A rule that fires by the clock.

    Attributes:
        logical_id: its name in the template.
        name: of the rule.
        arn: None if there is no such rule.
        expression: when it fires; None if there is no such rule.
        enabled: whether it fires at all.
        next_at: when it fires next, in UTC; None if it does not, or that cannot be known.
        next_is_latest: whether that is only the latest time that it can be: EventBridge tells nobody when a rate began.
        targets: what it invokes.
    """

    logical_id: str
    name: str
    arn: str | None
    expression: str | None = None
    enabled: bool = False
    next_at: str | None = None
    next_is_latest: bool = False
    targets: tuple[TargetFacts, ...] = ()


@dataclass(frozen=True)
class MappingFacts:
    """What hands the messages of a queue to a function.

    Attributes:
        logical_id: its name in the template; its uuid if it is not from there.
        uuid: of the mapping.
        state: Lambda's: ``Enabled`` if it hands them over.
        state_reason: why, where Lambda says so.
        queue_arn: which queue.
        function_arn: which function.
        last_modified: when it was changed last, in UTC.
        last_result: what came of the last batch, where Lambda says so.
    """

    logical_id: str
    uuid: str
    state: str
    state_reason: str | None
    queue_arn: str
    function_arn: str
    last_modified: str
    last_result: str | None


@dataclass(frozen=True)
class Facts:
    """A deployed stack as AWS tells of it.

    Attributes:
        stack: its name.
        region: where it is.
        asked_at: when AWS was asked, in UTC.
        schedule_expression: what the stack's parameter says.
        dead_letter_queue_arn: None if there is no such queue.
        functions, schedules: those of the template.
        mappings: those of the dead-letter queue.
        runs: the last ones, the newest first.
    """

    stack: str
    region: str
    asked_at: str
    schedule_expression: str
    dead_letter_queue_arn: str | None
    functions: tuple[FunctionFacts, ...]
    schedules: tuple[ScheduleFacts, ...]
    mappings: tuple[MappingFacts, ...]
    runs: tuple[RunFacts, ...]

    def function(self, logical_id: str) -> FunctionFacts:
        """The function of this name."""
        return next(each for each in self.functions if each.logical_id == logical_id)


def look(stack: Stack, now: datetime) -> Facts:
    """Asks AWS. It changes nothing.

    Args:
        stack: which.
        now: the time that ages and next times are told from, with an offset.

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
            if "PhysicalResourceId" in each:  # else it is only about to be made
                named = (each["LogicalResourceId"], each["PhysicalResourceId"])
                resources.setdefault(each["ResourceType"], []).append(named)

    functions = tuple(_function(lambda_, *named) for named in resources.get("AWS::Lambda::Function", []))
    converter = next(each for each in functions if each.logical_id == CONVERT_MATCHES)
    log_group = converter.log_group
    runs = _if_there(lambda: last_runs(stack.logs, log_group, now, RUNS_TOLD)) if log_group else None
    last_start = now - timedelta(seconds=runs[0].age_seconds) if runs else None
    rules = resources.get("AWS::Events::Rule", [])
    logical_ids = {uuid: logical_id for logical_id, uuid in resources.get("AWS::Lambda::EventSourceMapping", [])}
    queue_arn = _queue_arn(stack.sqs, stack.dead_letter_queue_url)
    # Those of the queue and not those of the template: CloudFormation knows nothing of one that was made by hand.
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


def _if_there(ask: Callable[[], Answer]) -> Answer | None:
    """What AWS answers; None where it says that there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"].get("Code") in _NOT_THERE:
            return None
        raise


def _function(lambda_: "LambdaClient", logical_id: str, name: str) -> FunctionFacts:
    answer = _if_there(lambda: lambda_.get_function(FunctionName=name))
    if answer is None:
        return FunctionFacts(logical_id, name, None, GONE)
    told = answer["Configuration"]
    return FunctionFacts(
        logical_id=logical_id,
        name=name,
        arn=told["FunctionArn"],
        state=told.get("State", "Active"),
        state_reason=told.get("StateReason"),
        last_update=told.get("LastUpdateStatus"),
        last_update_reason=told.get("LastUpdateStatusReason"),
        last_modified=timestamps.to_text(datetime.fromisoformat(told["LastModified"])),
        reserved_concurrency=answer.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        log_group=told.get("LoggingConfig", {}).get("LogGroup"),
    )


def _schedule(
    events: "EventBridgeClient",
    lambda_: "LambdaClient",
    logical_id: str,
    name: str,
    now: datetime,
    last_start: datetime | None,
) -> ScheduleFacts:
    rule = _if_there(lambda: events.describe_rule(Name=name))
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
        targets=tuple(_target(lambda_, each["Id"], each["Arn"], rule["Arn"]) for each in targets),
    )


def _next(expression: str, now: datetime, last_start: datetime | None) -> tuple[datetime | None, bool]:
    """When a schedule fires next, and whether that is only the latest that it can be."""
    every = interval(expression)
    if every is None:
        return next_time(expression, now), False
    on_time = last_start + every if last_start else now + every
    return (on_time if on_time > now else now + every), True


def _target(lambda_: "LambdaClient", target_id: str, arn: str, rule_arn: str) -> TargetFacts:
    region_and_account = arn.split(":")[3:5]
    if ":function:" not in arn or region_and_account != rule_arn.split(":")[3:5]:
        return TargetFacts(target_id, arn, None, None)
    if _if_there(lambda: lambda_.get_function(FunctionName=arn)) is None:
        return TargetFacts(target_id, arn, exists=False, may_invoke=False)
    answer = _if_there(lambda: lambda_.get_policy(FunctionName=arn))
    policy = answer["Policy"] if answer else None
    return TargetFacts(target_id, arn, exists=True, may_invoke=may_invoke(policy, rule_arn))


def may_invoke(policy: str | None, rule_arn: str) -> bool | None:
    """Whether a function's policy lets a rule invoke it.

    Args:
        policy: the policy as JSON; None if the function has none.
        rule_arn: of the rule.

    Returns:
        It; None if that hangs on a condition that this does not read.
    """
    answers = set()
    for statement in json.loads(policy)["Statement"] if policy else []:
        principals = statement.get("Principal", {})
        services = ["*"] if principals == "*" else _listed(principals.get("Service") or principals.get("AWS"))
        if not any(service in (EVENTBRIDGE, "*") for service in services):
            continue
        if any(fnmatchcase("lambda:invokefunction", action.lower()) for action in _listed(statement["Action"])):
            answers.add((statement["Effect"], _meets(statement.get("Condition", {}), rule_arn)))
    if ("Deny", True) in answers:
        return False
    if ("Deny", None) in answers or (("Allow", None) in answers and ("Allow", True) not in answers):
        return None
    return ("Allow", True) in answers


def _meets(conditions: dict[str, dict[str, Any]], rule_arn: str) -> bool | None:
    """Whether an invocation by the rule meets the conditions; None if one of them is none of the usual."""
    known = {"aws:sourcearn": rule_arn, "aws:sourceaccount": rule_arn.split(":")[4]}
    unread = False
    for operator, wanted in ((operator, item) for operator, each in conditions.items() for item in each.items()):
        key, patterns = wanted[0].lower(), _listed(wanted[1])
        if key not in known or operator not in ("ArnLike", "ArnEquals", "StringLike", "StringEquals"):
            unread = True
        elif operator == "StringEquals":
            if known[key] not in patterns:
                return False
        elif not any(fnmatchcase(known[key], pattern) for pattern in patterns):
            return False
    return None if unread else True


def _listed(value: Any) -> list[str]:
    """One or several, as IAM has it."""
    return [value] if isinstance(value, str) else list(value or [])


def _mapping(told: "EventSourceMappingConfigurationTypeDef", logical_ids: dict[str, str]) -> MappingFacts:
    return MappingFacts(
        logical_id=logical_ids.get(told["UUID"], told["UUID"]),
        uuid=told["UUID"],
        state=told["State"],
        state_reason=told.get("StateTransitionReason"),
        queue_arn=told["EventSourceArn"],
        function_arn=told["FunctionArn"],
        last_modified=timestamps.to_text(told["LastModified"]),
        last_result=told.get("LastProcessingResult"),
    )


def _queue_arn(sqs: "SQSClient", url: str) -> str | None:
    answer = _if_there(lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]))
    return answer["Attributes"]["QueueArn"] if answer else None

"""What keeps a stack from its work, and how to repair it. Pure: facts in, problems out."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from playlog_cli.inspecting.facts import (
    CONVERT_MATCHES,
    EVENTBRIDGE,
    GONE,
    STORE_FAILURES,
    Facts,
    FunctionFacts,
    ScheduleFacts,
    TargetFacts,
)
from playlog_cli.schedules import interval
from playlog_cli.terminal import age

RUNBOOK = "docs/operations.md"
# The threshold of the alarm no-successful-run. A slower schedule has a longer one.
WITHOUT_SUCCESS = timedelta(minutes=10)
# As in template.yaml, so that a repair by hand gives the same as a deployment.
TARGET_RETRIES = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
LETTERS_IN_BATCH = 10


@dataclass(frozen=True)
class Problem:
    """Something that keeps matches from becoming plays, or failures from being recorded.

    Attributes:
        resource: its name in the template.
        wrong: what is wrong with it.
        repair: how to put it right.
        commands: commands that do so, if there are any.
    """

    resource: str
    wrong: str
    repair: str
    commands: tuple[str, ...] = ()


def problems(facts: Facts) -> list[Problem]:
    """What keeps the stack from its work.

    Args:
        facts: what AWS reports.

    Returns:
        All problems, in the order of a match's path.
    """
    return [
        *(problem for each in facts.schedules for problem in _of_schedule(each, facts)),
        *(problem for each in facts.functions for problem in _of_function(each)),
        *_of_mappings(facts),
        *_of_runs(facts),
    ]


def _of_schedule(schedule: ScheduleFacts, facts: Facts) -> Iterator[Problem]:
    converter = facts.function(CONVERT_MATCHES)
    if schedule.arn is None:
        yield Problem(
            schedule.logical_id,
            f"there is no rule {schedule.name}: nothing starts a run",
            "make it again",
            (
                _command("events", "put-rule", name=schedule.name, schedule_expression=facts.schedule_expression),
                _put_target(schedule, converter),
            ),
        )
        return
    if not schedule.enabled:
        yield Problem(
            schedule.logical_id,
            "it is disabled: nothing starts a run",
            "enable it",
            (_command("events", "enable-rule", name=schedule.name),),
        )
    elif schedule.expression_problem:
        yield Problem(
            schedule.logical_id,
            f"its schedule expression is {schedule.expression_problem}",
            "deploy the stack with another ScheduleExpression, like rate(2 minutes)",
        )
    elif schedule.next_at is None and interval(schedule.expression or "") is None:
        yield Problem(
            schedule.logical_id,
            f"its schedule expression {schedule.expression} meets no time in the next nine years: it does not fire",
            "deploy the stack with another ScheduleExpression, like rate(2 minutes)",
        )
    if not schedule.targets:
        yield Problem(
            schedule.logical_id,
            "it has no target: it fires, and starts nothing",
            "give it its target",
            (_put_target(schedule, converter),),
        )
    for target in schedule.targets:
        yield from _of_target(target, schedule, converter)


def _of_target(target: TargetFacts, schedule: ScheduleFacts, converter: FunctionFacts) -> Iterator[Problem]:
    if target.arn != converter.invoked_arn:
        if converter.arn:  # otherwise the missing function is the problem
            what = "which does not exist" if target.exists is False else f"and not {CONVERT_MATCHES}"
            yield Problem(
                schedule.logical_id,
                f"its target is {target.arn}, {what}",
                "give it the right one",
                (_put_target(schedule, converter, target.target_id),),
            )
    elif target.may_invoke is None:
        yield Problem(
            schedule.logical_id,
            f"the policy of {CONVERT_MATCHES} has a condition that this command does not support: it is unknown "
            "whether the rule may invoke the function",
            "look at the policy, or at the last runs",
            (_command("lambda", "get-policy", function_name=converter.invoked_name),),
        )
    elif target.may_invoke is False:
        yield Problem(
            schedule.logical_id,
            f"{CONVERT_MATCHES} does not allow the rule to invoke it: the rule fires, and starts nothing",
            "allow it",
            (
                _command(
                    "lambda",
                    "add-permission",
                    function_name=converter.invoked_name,
                    statement_id=f"{schedule.logical_id}Permission",
                    action="lambda:InvokeFunction",
                    principal=EVENTBRIDGE,
                    source_arn=schedule.arn or "",
                ),
            ),
        )


def _of_function(function: FunctionFacts) -> Iterator[Problem]:
    if function.arn and function.live is None and function.logical_id in (CONVERT_MATCHES, STORE_FAILURES):
        yield Problem(function.logical_id, "it has no alias live: nothing can invoke it", _restore("alias"))
    why = f": {function.state_reason}" if function.state_reason else ""
    if function.state == GONE:
        yield Problem(
            function.logical_id,
            f"there is no function {function.name}: somebody deleted it",
            _restore("function"),
        )
    elif function.state == "Failed":
        yield Problem(function.logical_id, f"it is in the state Failed{why}", "repair what it says, then `make deploy`")
    elif function.state == "Pending":
        yield Problem(function.logical_id, f"it is in the state Pending{why}", "wait a minute until it is Active")
    for missing in function.missing or ():
        yield Problem(
            function.logical_id,
            f"its live version does not pass its check: {missing}",
            f"restore what it names, as {RUNBOOK}#something-is-gone says",
        )
    if function.reserved_concurrency == 0:
        yield Problem(
            function.logical_id,
            "its reserved concurrency is 0: Lambda lets none of its invocations run",
            "take that limit away",
            (_command("lambda", "delete-function-concurrency", function_name=function.name),),
        )
    if function.last_update == "Failed":
        why = f": {function.last_update_reason}" if function.last_update_reason else ""
        yield Problem(
            function.logical_id,
            f"its last update failed{why}; the code before it is what runs",
            "repair what it says, then `make deploy`",
        )


def _of_mappings(facts: Facts) -> Iterator[Problem]:
    function = facts.function(STORE_FAILURES)
    if facts.dead_letter_queue_arn is None:
        yield Problem("DeadLetterQueue", "there is no such queue: runs cannot send failures", _restore("queue"))
    elif not facts.mappings:
        make = _command(
            "lambda",
            "create-event-source-mapping",
            function_name=function.invoked_name,
            event_source_arn=facts.dead_letter_queue_arn,
            batch_size=str(LETTERS_IN_BATCH),
            function_response_types="ReportBatchItemFailures",
        )
        yield Problem(STORE_FAILURES, "there is no mapping: nobody reads the dead-letter queue", "make one", (make,))
    for mapping in facts.mappings:
        if mapping.state in ("Disabled", "Disabling"):
            yield Problem(
                mapping.logical_id,
                f"it is {mapping.state}: nobody reads the dead-letter queue",
                "enable it",
                (_command("lambda", "update-event-source-mapping", "--enabled", uuid=mapping.uuid),),
            )
        if function.arn and mapping.function_arn != function.invoked_arn:
            yield Problem(
                mapping.logical_id,
                f"it passes the dead letters to {mapping.function_arn}, and not to {STORE_FAILURES}",
                "give it the right function",
                (
                    _command(
                        "lambda", "update-event-source-mapping", uuid=mapping.uuid, function_name=function.invoked_name
                    ),
                ),
            )
        if (mapping.last_result or "").startswith("PROBLEM"):
            yield Problem(mapping.logical_id, f"Lambda says of it: {mapping.last_result}", "repair what it says")


def _of_runs(facts: Facts) -> Iterator[Problem]:
    """Runs that fail, or that are missing although the function has existed for long enough."""
    converter = facts.function(CONVERT_MATCHES)
    due = max(WITHOUT_SUCCESS, 2 * (interval(facts.schedule_expression) or WITHOUT_SUCCESS / 2))
    ended = [run for run in facts.runs if run.outcome in ("succeeded", "failed")]
    succeeded = [run.age_seconds for run in ended if run.outcome == "succeeded"]
    if ended and ended[0].outcome == "failed":
        yield Problem(
            CONVERT_MATCHES,
            f"the last run, {age(ended[0].age_seconds)} ago, failed: {ended[0].message}",
            f"{RUNBOOK}#convert-matches-errors says where to look",
        )
    last_success = min(succeeded, default=None)
    if converter.last_modified and (last_success is None or last_success > due.total_seconds()):
        exists_for = datetime.fromisoformat(facts.asked_at) - datetime.fromisoformat(converter.last_modified)
        if exists_for > due:
            last = "none within a day" if last_success is None else f"the last was {age(last_success)} ago"
            wrong = f"no run has succeeded for {age(due.total_seconds())}: {last}"
            yield Problem(CONVERT_MATCHES, wrong, "look at the log; `playlog convert` starts a run by hand")


def _command(service: str, operation: str, *flags: str, **options: str) -> str:
    """A command of the AWS CLI."""
    named = (f"--{name.replace('_', '-')} {shlex.quote(value)}" for name, value in options.items())
    return " ".join(["aws", service, operation, *named, *flags])


def _restore(what: str) -> str:
    return (
        f"let CloudFormation create the {what} again, as {RUNBOOK}#something-is-gone says: a deployment does not notice"
    )


def _put_target(schedule: ScheduleFacts, converter: FunctionFacts, target_id: str | None = None) -> str:
    """The command that sets a target. It uses SAM's own id, so that the next deployment adds no second target."""
    target = {
        "Id": target_id or f"{schedule.logical_id}LambdaTarget",
        "Arn": converter.invoked_arn,
        "RetryPolicy": TARGET_RETRIES,
    }
    return _command("events", "put-targets", rule=schedule.name, targets=json.dumps([target]))

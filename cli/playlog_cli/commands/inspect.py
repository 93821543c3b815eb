"""`playlog inspect`: is a deployed stack able to work, and does it? What is wrong comes first, with its mend."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from playlog_cli.commands.options import AsJson, Profile, Region, StackName
from playlog_cli.stacks.deployment import (
    CONVERT_MATCHES,
    EVENTBRIDGE,
    GONE,
    STORE_FAILURES,
    Facts,
    FunctionFacts,
    ScheduleFacts,
    TargetFacts,
    look,
)
from playlog_cli.stacks.schedule import interval
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import out, print_json

RUNBOOK = "docs/operations.md"
# The heartbeat's, but for a schedule that is slower than that.
WITHOUT_SUCCESS = timedelta(minutes=10)
# As template.yaml has them, so that a mend by hand gives what a deployment gives.
TARGET_RETRIES = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
LETTERS_IN_BATCH = 10


@dataclass(frozen=True)
class Problem:
    """Something that keeps matches from becoming plays, or failures from being recorded.

    Attributes:
        resource: what it is about, by its name in the template.
        wrong: what is wrong with it.
        mend: how to put it right.
        commands: that do so, if commands do.
    """

    resource: str
    wrong: str
    mend: str
    commands: tuple[str, ...] = ()


def inspect_command(
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show what the stack runs, when, and how the last runs ended. Exit status 1 if something is wrong.

    What is wrong comes first, with its mend: a schedule that is off or leads nowhere, a function that is gone or may
    not be invoked, a queue that nobody reads, runs that fail or do not come.
    """
    facts = look(find_stack(stack, region=region, profile=profile), datetime.now(UTC))
    wrong = problems(facts)
    if as_json:
        print_json({"problems": [asdict(each) for each in wrong], **asdict(facts)})
    else:
        show(facts, wrong, out)
    if wrong:
        raise typer.Exit(1)


def problems(facts: Facts) -> list[Problem]:
    """What keeps the stack from its work.

    Args:
        facts: as AWS tells of it.

    Returns:
        All that is wrong, in the order of a match's way.
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
    if target.arn != converter.arn:
        if converter.arn:  # else that is what is wrong
            what = "which does not exist" if target.exists is False else f"and not {CONVERT_MATCHES}"
            yield Problem(
                schedule.logical_id,
                f"its target is {target.arn}, {what}",
                "give it the right one",
                (_put_target(schedule, converter, target.target_id),),
            )
    elif target.may_invoke is False:
        yield Problem(
            schedule.logical_id,
            f"{CONVERT_MATCHES} does not allow it to invoke it: it fires, and starts nothing",
            "allow it",
            (
                _command(
                    "lambda",
                    "add-permission",
                    function_name=converter.name,
                    statement_id=f"{schedule.logical_id}Permission",
                    action="lambda:InvokeFunction",
                    principal=EVENTBRIDGE,
                    source_arn=schedule.arn or "",
                ),
            ),
        )


def _of_function(function: FunctionFacts) -> Iterator[Problem]:
    why = f": {function.state_reason}" if function.state_reason else ""
    if function.state == GONE:
        yield Problem(
            function.logical_id,
            f"there is no function {function.name}: somebody deleted it",
            _restore("function"),
        )
    elif function.state == "Failed":
        yield Problem(function.logical_id, f"it is in the state Failed{why}", "mend what it says, then `make deploy`")
    elif function.state == "Pending":
        yield Problem(function.logical_id, f"it is in the state Pending{why}", "wait a minute until it is Active")
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
            "mend what it says, then `make deploy`",
        )


def _of_mappings(facts: Facts) -> Iterator[Problem]:
    function = facts.function(STORE_FAILURES)
    if facts.dead_letter_queue_arn is None:
        yield Problem("DeadLetterQueue", "there is no such queue: runs cannot push failures", _restore("queue"))
    elif not facts.mappings:
        make = _command(
            "lambda",
            "create-event-source-mapping",
            function_name=function.name,
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
        if function.arn and mapping.function_arn != function.arn:
            yield Problem(
                mapping.logical_id,
                f"it hands the dead letters to {mapping.function_arn}, and not to {STORE_FAILURES}",
                "give it the right function",
                (_command("lambda", "update-event-source-mapping", uuid=mapping.uuid, function_name=function.name),),
            )
        if (mapping.last_result or "").startswith("PROBLEM"):
            yield Problem(mapping.logical_id, f"Lambda says of it: {mapping.last_result}", "mend what it says")


def _of_runs(facts: Facts) -> Iterator[Problem]:
    """Runs that fail, or do not come where the function has been there for long enough."""
    converter = facts.function(CONVERT_MATCHES)
    due = max(WITHOUT_SUCCESS, 2 * (interval(facts.schedule_expression) or WITHOUT_SUCCESS / 2))
    ended = [run for run in facts.runs if run.outcome in ("succeeded", "failed")]
    succeeded = [run.age_seconds for run in ended if run.outcome == "succeeded"]
    if ended and ended[0].outcome == "failed":
        yield Problem(
            CONVERT_MATCHES,
            f"the last run, {_age(ended[0].age_seconds)} ago, failed: {ended[0].message}",
            f"{RUNBOOK}#convert-matches-errors says where to look",
        )
    last_success = min(succeeded, default=None)
    if converter.last_modified and (last_success is None or last_success > due.total_seconds()):
        there_for = datetime.fromisoformat(facts.asked_at) - datetime.fromisoformat(converter.last_modified)
        if there_for > due:
            last = "none within a day" if last_success is None else f"the last was {_age(last_success)} ago"
            wrong = f"no run has succeeded for {_age(due.total_seconds())}: {last}"
            yield Problem(CONVERT_MATCHES, wrong, "look at the log; `playlog convert` starts a run by hand")


def _command(service: str, operation: str, *flags: str, **options: str) -> str:
    """A command of the AWS CLI."""
    named = (f"--{name.replace('_', '-')} {shlex.quote(value)}" for name, value in options.items())
    return " ".join(["aws", service, operation, *named, *flags])


def _restore(what: str) -> str:
    return (
        f"have CloudFormation make the {what} again, as {RUNBOOK}#something-is-gone says: a deployment does not notice"
    )


def _put_target(schedule: ScheduleFacts, converter: FunctionFacts, target_id: str | None = None) -> str:
    """The command that sets a target. SAM's own id, so that the next deployment finds it and adds no second one."""
    target = {
        "Id": target_id or f"{schedule.logical_id}LambdaTarget",
        "Arn": converter.arn,
        "RetryPolicy": TARGET_RETRIES,
    }
    return _command("events", "put-targets", rule=schedule.name, targets=json.dumps([target]))


# --- What a person sees. ---


def show(facts: Facts, wrong: list[Problem], console: Console) -> None:
    """Shows a stack, what is wrong with it first.

    Args:
        facts: as AWS tells of it.
        wrong: by ``problems``.
        console: where to.
    """
    console.print(f"stack {facts.stack} in {facts.region}", style="bold", soft_wrap=True)
    if not wrong:
        console.print("Everything can run, and does.", style="bold green")
    for each in wrong:
        console.print(f"{each.resource}: {each.wrong}", style="bold red", soft_wrap=True)
        console.print(f"  mend: {each.mend}{':' if each.commands else ''}", soft_wrap=True)
        for command in each.commands:
            console.print(f"    {command}", soft_wrap=True)
    for table in (_functions(facts), _schedules(facts), _mappings(facts), _runs(facts)):
        console.print()
        console.print(table)


def _functions(facts: Facts) -> Table:
    table = _table("function", "state", "last change")
    for each in facts.functions:
        state = each.state + (", concurrency 0" if each.reserved_concurrency == 0 else "")
        sound = state == "Active" and each.last_update != "Failed"
        table.add_row(each.logical_id, _state(state, sound), _since(each.last_modified, facts))
    return table


def _schedules(facts: Facts) -> Table:
    table = _table("schedule", "fires", "next", "invokes")
    for each in facts.schedules:
        invokes = Text("\n").join(_invoked(target, facts) for target in each.targets)
        nothing = _state("nothing", sound=False)
        table.add_row(each.logical_id, each.expression or "-", _next(each, facts), invokes or nothing)
    return table


def _next(schedule: ScheduleFacts, facts: Facts) -> Text:
    """When a schedule fires next: the time alone where that is today."""
    if schedule.arn is None or not schedule.enabled:
        return _state(GONE if schedule.arn is None else "disabled", sound=False)
    if schedule.next_at is None:
        return _state("unknown", sound=True)
    next_at = datetime.fromisoformat(schedule.next_at)
    is_today = next_at.date() == datetime.fromisoformat(facts.asked_at).date()
    clock = f"{next_at:%H:%M:%S UTC}" if is_today else f"{next_at:%Y-%m-%d %H:%M:%S UTC}"
    return _state(f"by {clock}" if schedule.next_is_latest else clock, sound=True)


def _invoked(target: TargetFacts, facts: Facts) -> Text:
    """What a target is called, and what is wrong with it."""
    name = next((each.logical_id for each in facts.functions if each.arn == target.arn), target.arn.rpartition(":")[2])
    if target.exists is False:
        return _state(f"{name}, which is gone", sound=False)
    if target.may_invoke is False:
        return _state(f"{name}, but may not", sound=False)
    return _state(name, sound=name == CONVERT_MATCHES)


def _mappings(facts: Facts) -> Table:
    table = _table("queue mapping", "state", "last change", "last batch")
    for each in facts.mappings:
        state = _state(each.state, each.state == "Enabled")
        table.add_row(each.logical_id, state, _since(each.last_modified, facts), each.last_result or "-")
    return table


def _runs(facts: Facts) -> Table:
    table = _table("last runs", "took", "result")
    for run in facts.runs:
        took = "" if run.seconds is None else f"{run.seconds:.1f} s"
        result = run.message if run.outcome == "succeeded" else ": ".join(filter(None, (run.outcome, run.message)))
        sound = run.outcome != "failed"
        table.add_row(f"{_age(run.age_seconds)} ago", took, _state(result, sound))
    if not facts.runs:
        table.add_row("none within a day", "", "")
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _state(text: str, sound: bool) -> Text:
    return Text(text, style="" if sound else "red")


def _since(text: str | None, facts: Facts) -> str:
    if text is None:
        return "-"
    return f"{_age((datetime.fromisoformat(facts.asked_at) - datetime.fromisoformat(text)).total_seconds())} ago"


def _age(seconds: float) -> str:
    """A time span in one unit, of which it has two at least."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"

"""`playlog inspect`: can a deployed stack work, and does it? Problems come first, each with its repair."""

from dataclasses import asdict
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from playlog_cli.commands.options import AsJson, Profile, Region, StackName
from playlog_cli.inspecting.facts import CONVERT_MATCHES, GONE, Facts, FunctionFacts, ScheduleFacts, TargetFacts
from playlog_cli.inspecting.look import look
from playlog_cli.inspecting.problems import Problem, problems
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import age, escaped, out, print_json, table


def inspect_command(
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show what the stack runs, when, and how the last runs ended. Exit status 1 if something is wrong.

    Problems come first, each with its repair: a schedule that is off, invalid or leads nowhere, a function that is gone
    or may not be invoked, a queue that nobody reads, runs that fail or are missing.
    """
    facts = look(find_stack(stack, region=region, profile=profile), datetime.now(UTC))
    wrong = problems(facts)
    if as_json:
        print_json({"problems": [asdict(each) for each in wrong], **asdict(facts)})
    else:
        show(facts, wrong, out)
    if wrong:
        raise typer.Exit(1)


def show(facts: Facts, wrong: list[Problem], console: Console) -> None:
    """Shows a stack, its problems first.

    Args:
        facts: what AWS reports.
        wrong: the result of ``problems``.
        console: where to.
    """
    console.print(f"stack {facts.stack} in {facts.region}", style="bold", soft_wrap=True)
    if not wrong:
        console.print("Everything can run, and does.", style="bold green")
    for each in wrong:
        console.print(f"{each.resource}: {each.wrong}", style="bold red", soft_wrap=True)
        console.print(f"  repair: {each.repair}{':' if each.commands else ''}", soft_wrap=True)
        for command in each.commands:
            console.print(f"    {command}", soft_wrap=True)
    for part in (_functions(facts), _schedules(facts), _mappings(facts), _runs(facts)):
        console.print()
        console.print(part)


def _functions(facts: Facts) -> Table:
    rows = table("function", "state", "check", "live version", "live for", padding=3)
    for each in facts.functions:
        state = each.state + (", concurrency 0" if each.reserved_concurrency == 0 else "")
        sound = state == "Active" and each.last_update != "Failed"
        live = f"{each.live.version} ({each.live.release.partition(';')[0]})" if each.live else "-"
        since = _since(each.live.since, facts).removesuffix(" ago") if each.live else "-"
        rows.add_row(each.logical_id, _state(state, sound), _checked(each), live, since)
    return rows


def _checked(function: FunctionFacts) -> Text:
    """Whether the live version could do its work: read, write, send, and hand over to itself."""
    if function.missing is None:
        return _state("-", sound=True)
    return _state("fails", sound=False) if function.missing else _state("passes", sound=True)


def _schedules(facts: Facts) -> Table:
    rows = table("schedule", "fires", "next", "invokes", padding=3)
    for each in facts.schedules:
        invokes = Text("\n").join(_invoked(target, facts) for target in each.targets)
        nothing = _state("nothing", sound=False)
        rows.add_row(each.logical_id, each.expression or "-", _next(each, facts), invokes or nothing)
    return rows


def _next(schedule: ScheduleFacts, facts: Facts) -> Text:
    """When a schedule fires next: the time alone where that is today."""
    if schedule.arn is None or not schedule.enabled:
        return _state(GONE if schedule.arn is None else "disabled", sound=False)
    if schedule.next_at is None:
        return _state("unknown", sound=False)
    next_at = datetime.fromisoformat(schedule.next_at)
    is_today = next_at.date() == datetime.fromisoformat(facts.asked_at).date()
    clock = f"{next_at:%H:%M:%S UTC}" if is_today else f"{next_at:%Y-%m-%d %H:%M:%S UTC}"
    return _state(f"by {clock}" if schedule.next_is_latest else clock, sound=True)


def _invoked(target: TargetFacts, facts: Facts) -> Text:
    """The name of a target, and what is wrong with it."""
    name = next(
        (each.logical_id for each in facts.functions if target.arn in (each.arn, each.invoked_arn)),
        target.arn.rpartition(":")[2],
    )
    if target.exists is False:
        return _state(f"{name}, which is gone", sound=False)
    if target.may_invoke is False:
        return _state(f"{name}, but may not", sound=False)
    if target.exists and target.may_invoke is None:
        return _state(f"{name}, perhaps", sound=False)
    return _state(name, sound=name == CONVERT_MATCHES)


def _mappings(facts: Facts) -> Table:
    rows = table("queue mapping", "state", "last change", "last batch", padding=3)
    for each in facts.mappings:
        state = _state(each.state, each.state == "Enabled")
        rows.add_row(each.logical_id, state, _since(each.last_modified, facts), each.last_result or "-")
    return rows


def _runs(facts: Facts) -> Table:
    rows = table("last runs", "took", "result", padding=3)
    for run in facts.runs:
        took = "" if run.seconds is None else f"{run.seconds:.1f} s"
        result = run.message if run.outcome == "succeeded" else ": ".join(filter(None, (run.outcome, run.message)))
        sound = run.outcome != "failed"
        rows.add_row(f"{age(run.age_seconds)} ago", took, _state(result, sound))
    if not facts.runs:
        rows.add_row("none within a day", "", "")
    return rows


def _state(text: str, sound: bool) -> Text:
    return Text(escaped(text), style="" if sound else "red")


def _since(text: str | None, facts: Facts) -> str:
    if text is None:
        return "-"
    return f"{age((datetime.fromisoformat(facts.asked_at) - datetime.fromisoformat(text)).total_seconds())} ago"

"""`playlog status`: what waits, what was played, what failed, and the last run."""

from dataclasses import asdict
from datetime import UTC, datetime

from playlog_cli.commands.options import AsJson, Profile, Region, StackName
from playlog_cli.stacks.runs import LastRun
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.stacks.status import Count, Status, status
from playlog_cli.terminal import age, facts_table, out, print_json, table


def status_command(
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show what waits, what was played, and what failed. Shows the queues and the last run too."""
    found = status(find_stack(stack, region=region, profile=profile), datetime.now(UTC))
    if as_json:
        totals = {"waiting": found.waiting, "oldest_age_seconds": found.oldest_age_seconds}
        print_json({**asdict(found), **totals})
    else:
        _show(found)


def _show(found: Status) -> None:
    facts = facts_table()
    facts.add_row("waiting", f"{found.waiting:,}", _oldest(found.oldest_age_seconds))
    facts.add_row("plays", *_count(found.plays))
    facts.add_row("failures", *_count(found.failures))
    facts.add_row("dead letters", f"{found.dead_letters:,}", f"{found.dead_letters_in_flight:,} in flight")
    facts.add_row("parking lot", f"{found.parking_lot:,}", style="bold red" if found.parking_lot else "")
    out.print(f"stack {found.stack} in {found.region}", style="bold", soft_wrap=True)
    out.print(facts)
    out.print(_last_run(found.last_run), soft_wrap=True)
    if found.waiting:
        shards = table("shard", numbers=("waiting", "oldest"))
        for each in found.shards:
            if each.waiting:
                shards.add_row(str(each.shard), f"{each.waiting:,}", age(each.oldest_age_seconds))
        out.print()
        out.print(shards)


def _last_run(run: LastRun | None) -> str:
    if run is None:
        return "last run: none within the last day"
    outcome = f"{run.processed:,} processed, {run.plays:,} plays, {run.failed:,} failed in {run.seconds:.1f} s"
    left = ", matches left waiting" if run.waiting else ""
    return f"last run: {age(run.age_seconds)} ago, {'' if run.success else 'unsuccessful, '}{outcome}{left}"


def _count(count: Count) -> tuple[str, str]:
    return (f"{count.items:,}", "") if count.exact else (f"about {count.items:,}", "as DynamoDB counted, up to 6 h ago")


def _oldest(seconds: float | None) -> str:
    return "" if seconds is None else f"the oldest was heard {age(seconds)} ago"

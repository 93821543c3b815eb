"""`playlog drain`: empties a large backlog with several runs at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import SpinnerColumn, TimeElapsedColumn

from playlog_cli.commands.options import AsJson, Profile, Region, StackName
from playlog_cli.draining.drain import Drained, drain
from playlog_cli.draining.shard_sets import shards_in_words
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import counted, err, out, print_json, progress_bars, table


def drain_command(
    side_by_side: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Runs at a time; the default and the maximum is one for each shard."),
    ] = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Empty a large backlog with several runs at a time. It ends when no shard has anything left.

    The schedule may go on meanwhile. Ctrl-C stops the drain: runs that have begun end by themselves, and nothing is
    lost. Exit status 1 if a shard could not be drained.
    """
    with _progress() as progressed:
        drained = drain(
            find_stack(stack, region=region, profile=profile),
            side_by_side,
            progressed,
            lambda warning: err.print(warning, soft_wrap=True),
        )
    if as_json:
        print_json({**asdict(drained), "matches_per_second": round(drained.matches_per_second, 1)})
    else:
        _show(drained)
    if drained.stopped:
        raise typer.Exit(130)
    if drained.left:
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[Drained], None]]:
    """A line on stderr with the counts so far. Yields the progress callback of ``drain``."""
    line = progress_bars(SpinnerColumn(), TimeElapsedColumn(), "{task.description}")
    task = line.add_task("the first runs have begun")

    def show(drained: Drained) -> None:
        counts = f"{drained.processed:,} processed, {drained.plays:,} plays, {drained.failed:,} failed"
        shards = counted(drained.shards, "shard", "shards")
        line.update(task, description=f"{counts}, {drained.matches_per_second:,.0f}/s, {shards} done")

    with line:
        yield show


def _show(drained: Drained) -> None:
    runs = f"{counted(drained.runs, 'run', 'runs')} in {drained.seconds:,.1f} s"
    out.print(f"{counted(drained.shards, 'shard', 'shards')} drained by {runs}", soft_wrap=True)
    totals = table("processed", numbers=("plays", "failed", "matches/s"))
    counts = (drained.processed, drained.plays, drained.failed, round(drained.matches_per_second))
    totals.add_row(*(f"{count:,}" for count in counts))
    out.print(totals)
    for left in drained.left:
        err.print(f"playlog: {shards_in_words(left.shards)}: {left.reason}", soft_wrap=True)
    if drained.stopped:
        runs = counted(drained.at_work, "run goes on and ends by itself", "runs go on and end by themselves")
        err.print(f"playlog: stopped: {runs}; the schedule or another drain converts what still waits", soft_wrap=True)

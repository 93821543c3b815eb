"""`playlog drain`: a large backlog, emptied by parallel runs over disjoint sets of shards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import SpinnerColumn, TimeElapsedColumn

from playlog_cli.commands.options import AsJson, Profile, Region, StackName, new_app
from playlog_cli.stacks.drain import Drained, drain, shards_in_words
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import counted, err, make_table, one_line, out, print_json, progress_bars, text_column

app = new_app()


@app.command("drain")
def drain_command(
    side_by_side: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Runs at a time. Default and maximum: one for each shard."),
    ] = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Empty a large backlog by parallel runs, until no shard has anything left.

    The schedule may go on in the meantime. Ctrl-C stops the drain: runs that are under way end by themselves, and
    nothing is lost. Exit status 1 if a shard could not be drained.
    """
    with _progress() as progress:
        drained = drain(
            find_stack(stack, region=region, profile=profile),
            side_by_side,
            progress,
            lambda warning: err.print(one_line(warning), soft_wrap=True),
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
    """A line on stderr, removed when the block ends."""
    line = progress_bars(SpinnerColumn(), TimeElapsedColumn(), text_column("{task.description}"))
    task = line.add_task("the first runs are under way")

    def show(drained: Drained) -> None:
        counts = f"{drained.processed:,} processed, {drained.plays:,} plays, {drained.failed:,} failed"
        shards = counted(drained.shards, "shard", "shards")
        line.update(task, description=f"{counts}, {drained.matches_per_second:,.0f}/s, {shards} done")

    with line:
        yield show


def _show(drained: Drained) -> None:
    runs = f"{counted(drained.runs, 'run', 'runs')} in {drained.seconds:,.1f} s"
    out.print(f"{counted(drained.shards, 'shard', 'shards')} drained by {runs}", soft_wrap=True)
    table = make_table("processed", "plays", "failed", "matches/s", numbers=True)
    counts = (drained.processed, drained.plays, drained.failed, round(drained.matches_per_second))
    table.add_row(*(f"{count:,}" for count in counts))
    out.print(table)
    for left in drained.left:
        err.print(f"playlog: {shards_in_words(left.shards)}: {one_line(left.reason)}", soft_wrap=True)
    if drained.stopped:
        runs = counted(drained.at_work, "run goes on and ends by itself", "runs go on and end by themselves")
        err.print(f"playlog: stopped: {runs}; the schedule or another drain converts what still waits", soft_wrap=True)

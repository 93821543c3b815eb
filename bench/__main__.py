"""``make bench``: measures, prints tables, writes JSON, and draws. A target that is not met is no error."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from playlog_cli.embedded import ministack
from playlog_cli.embedded import session as sessions
from playlog_cli.errors import CommandError
from playlog_cli.stacks.stack import find_stack
from playlog_cli.terminal import err, out, print_json
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.figures import page
from bench.measure import ROOT, measure
from bench.measure import Progress as Told
from bench.results import Results

SIZES = [1_000, 10_000, 100_000]
WRITTEN_TO = ROOT / ".playlog" / "bench.results.json"
# Not at work while a backlog is being measured.
PARAMETERS = {"ScheduleExpression": "rate(1 day)"}


def bench(
    sizes: Annotated[
        list[int] | None, typer.Argument(min=100, help="Backlogs, in matches.", show_default="1000 10000 100000")
    ] = None,
    to: Annotated[Path, typer.Option(help="File that the figures are written to, as JSON.")] = WRITTEN_TO,
    read: Annotated[
        Path | None,
        typer.Option("--from", exists=True, dir_okay=False, help="Measure nothing: show such a file."),
    ] = None,
    docs: Annotated[bool, typer.Option("--docs", help="Put the figures into docs/performance.md.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of the table.")] = False,
) -> None:
    """Measure what a match costs, in an embedded AWS, beside the floor."""
    if read:
        try:
            results = Results.from_json(json.loads(read.read_text()))
        except (ValueError, KeyError, TypeError):
            raise CommandError(f"{read} holds no figures of a bench: name a file that --to has written") from None
    else:
        results = _measured(sizes or SIZES, to)
    if docs:
        page.write(results, ROOT / "docs")
    if as_json:
        print_json(results)
    else:
        for table in page.tables(results):
            out.print(table)
            out.print()


def _measured(sizes: list[int], to: Path) -> Results:
    """Measures, and writes what there is after each backlog: the largest takes as long as all the others."""
    to.parent.mkdir(parents=True, exist_ok=True)
    session = sessions.session("bench")
    err.print("building and deploying into an embedded AWS")
    with ministack.deployed("bench", PARAMETERS) as server, _shown() as progress:
        for results in measure(find_stack(), server, session.build, session.scratch, sizes, progress):
            to.write_text(json.dumps(asdict(results), indent=2) + "\n")
    err.print(f"written to {to}", soft_wrap=True)
    return results


@contextmanager
def _shown() -> Iterator[Told]:
    """A bar on a terminal; else a line for each step."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    task = bars.add_task("", total=None)
    current = ""

    def show(what: str, done: int, total: int) -> None:
        nonlocal current
        if what != current:
            current = what
            bars.reset(task, description=what)
            if not err.is_terminal:
                err.print(what)
        bars.update(task, completed=done, total=total)

    with bars:
        yield show


if __name__ == "__main__":
    try:
        typer.run(bench)
    except CommandError as error:
        err.print(f"bench: {error}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("bench: told to stop")
        sys.exit(130)

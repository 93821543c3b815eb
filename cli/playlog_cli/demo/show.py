"""Shows the demo: each step while it runs, and then what became of the matches."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn
from rich.table import Table
from rich.text import Text

from playlog_cli.demo.summary import Summary
from playlog_cli.terminal import escaped, progress_bars, table


@dataclass(frozen=True)
class Step:
    """A step that the demo took, and its duration."""

    did: str
    seconds: float


@dataclass(frozen=True)
class Demo:
    """The steps of the demo, and what became of the sample day."""

    steps: tuple[Step, ...]
    seconds: float
    summary: Summary


class StepUnderWay:
    """A step while it runs: its progress, and in the end what it did."""

    def __init__(self, bar: Progress, doing: str) -> None:
        self._bar = bar
        self._task = bar.add_task(doing, total=None)
        self.did = doing

    def progress(self, done: float, total: float | None) -> None:
        """Shows the progress. ``total`` is None where it is not known."""
        self._bar.update(self._task, completed=done, total=total)


class Steps:
    """Shows each step: on a terminal while it runs, and then what it did and its duration."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._taken: list[Step] = []

    @property
    def taken(self) -> tuple[Step, ...]:
        return tuple(self._taken)

    @contextmanager
    def step(self, doing: str) -> Iterator[StepUnderWay]:
        """Runs the block as a step.

        Args:
            doing: text that is shown while it runs.
        """
        began = time.monotonic()
        bar = progress_bars(SpinnerColumn(), "{task.description} …", BarColumn(), console=self._console)
        with bar:
            step = StepUnderWay(bar, doing)
            yield step
        taken = Step(step.did, round(time.monotonic() - began, 3))
        self._taken.append(taken)
        self._console.print(f"{taken.seconds:5.1f} s  {taken.did}", soft_wrap=True)


NEXT = """
What to try next:
  .venv/bin/playlog local up     the same, but it stays and the schedule fires
  .venv/bin/playlog load FILE    matches of your own, as CSV or JSON Lines; of a station's own log,
                                 .venv/bin/playlog log-format guess FILE drafts how it reads
  .venv/bin/playlog status       what waits, what was played, what failed
  make test                      the tests
  make deploy                    the same stack on AWS"""


def render(result: Demo, console: Console) -> None:
    """Shows what became of each station's matches, what failed and why, and what to try next."""
    summary = result.summary
    for part in (_station_table(summary), _reason_table(summary), _account(summary)):
        console.print()
        console.print(part)
    console.print(f"It took {result.seconds:.0f} s, and nothing is left running.")
    for line in NEXT.splitlines():
        console.print(line)


def _station_table(summary: Summary) -> Table:
    rows = table(padding=3)
    rows.show_footer = True
    rows.add_column("station", footer="all", overflow="fold")
    for name, counts in {
        "matches": [station.matches for station in summary.stations],
        "plays": [station.plays for station in summary.stations],
        "repeats joined": [station.repeats for station in summary.stations],
        "failed": [station.failed for station in summary.stations],
    }.items():
        rows.add_column(name, footer=f"{sum(counts):,}", justify="right")
    for each in summary.stations:
        cells = (f"{count:,}" for count in (each.matches, each.plays, each.repeats, each.failed))
        rows.add_row(each.station_id, *cells)
    return rows


def _reason_table(summary: Summary) -> Table:
    rows = table(padding=3)
    rows.add_column("why they failed", no_wrap=True)
    rows.add_column("matches", justify="right")
    rows.add_column("for example", overflow="fold")
    for each in summary.reasons:
        rows.add_row(each.reason_code, f"{each.failures:,}", f"{each.match_id}: {each.example}")
    return rows


def _account(summary: Summary) -> Text:
    account = Text(
        f"{summary.loaded:,} matches loaded = {summary.played:,} played + {summary.failed:,} failed "
        f"+ {summary.waiting:,} waiting + {summary.stranded:,} stranded\n"
    )
    for problem in summary.problems:
        account.append(f"Not accounted for: {escaped(problem)}.\n", style="bold red")
    if not summary.problems:
        account.append("Every match is accounted for.", style="bold green")
    return account

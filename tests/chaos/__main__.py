"""``make chaos``: round after round until it is told to stop. Exit status 1 if a violation was found."""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, islice
from typing import Annotated, Any

import typer
from playlog_cli.errors import CommandError
from playlog_cli.terminal import err, out, print_json
from rich.console import Group
from rich.live import Live
from rich.table import Table

from tests.chaos.faults import Fault
from tests.chaos.round import Outcome, arena, play_round
from tests.chaos.stack import embedded_aws

LINE_EVERY_SECONDS = 10.0


@dataclass
class Tally:
    """What the rounds have come to.

    Attributes:
        started: in seconds of the monotonic clock.
        violations: sentences by the seed of their round.
    """

    started: float = field(default_factory=time.monotonic)
    rounds: int = 0
    matches: int = 0
    checks: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    violations: dict[int, list[str]] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Counts a round."""
        self.rounds += 1
        self.matches += outcome.matches
        self.checks += outcome.checks
        self.faults += outcome.injected
        if outcome.violations:
            self.violations[outcome.seed] = outcome.violations

    @property
    def line(self) -> str:
        """Where it stands, in a line."""
        seconds = time.monotonic() - self.started
        return (
            f"{self.rounds:,} rounds in {seconds:,.0f} s: {self.matches:,} matches, {self.faults.total():,} faults, "
            f"the invariants checked {self.checks:,} times, {len(self.violations)} rounds with violations"
        )

    @property
    def table(self) -> Table:
        """Faults by kind, those that there were."""
        table = Table(box=None, pad_edge=False)
        table.add_column("fault")
        table.add_column("times", justify="right")
        for fault in Fault:
            if self.faults[fault]:
                table.add_row(fault.value, f"{self.faults[fault]:,}")
        return table

    @property
    def for_machines(self) -> dict[str, Any]:
        """The same, for JSON."""
        return {
            "rounds": self.rounds,
            "matches": self.matches,
            "checks": self.checks,
            "faults": {fault.value: self.faults[fault] for fault in Fault},
            "violations": self.violations,
        }


def replay(seed: int, kinds: list[Fault], gap: float | None = None) -> str:
    """The command that plays a round again."""
    only = "".join(f" --fault '{kind.value}'" for kind in kinds)
    only += f" --gap {gap:g}" if gap is not None else ""
    return f"make chaos ROUNDS=1 SEED={seed}" + (f' ARGS="{only.strip()}"' if only else "")


def chaos(
    rounds: Annotated[int | None, typer.Option(min=1, help="Stop after this many; without it, at Ctrl-C.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the first round; each next has the next. Random if not given.")
    ] = None,
    faults: Annotated[list[Fault] | None, typer.Option("--fault", help="Draw this kind alone. Repeatable.")] = None,
    gap: Annotated[
        float | None, typer.Option(min=0, help="AiringGapSeconds of all rounds. Drawn if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON at the end, and nothing before.")] = False,
) -> None:
    """Convert matches under faults, round after round, and check the invariants all along."""
    first = random.randrange(1_000_000) if seed is None else seed
    kinds = faults or []
    tally = Tally()
    try:
        with embedded_aws("chaos") as server, arena(server) as here, _shown(tally, silent=as_json) as show:
            for number in islice(count(first), rounds):
                outcome = play_round(
                    here, number, kinds or list(Fault), None if gap is None else timedelta(seconds=gap)
                )
                tally.add(outcome)
                show(outcome)
                _accuse(outcome, kinds, gap)
    except KeyboardInterrupt:
        err.print("told to stop")
    if as_json:
        print_json(tally.for_machines)
    else:
        out.print(tally.line, soft_wrap=True)
        if tally.faults:
            out.print(tally.table)
    if tally.violations:
        raise typer.Exit(1)


def _accuse(outcome: Outcome, kinds: list[Fault], gap: float | None) -> None:
    """Says at once which seed found a violation, and how to see it again."""
    if outcome.violations:
        err.print(f"seed {outcome.seed}, again with: {replay(outcome.seed, kinds, gap)}", soft_wrap=True)
    for sentence in outcome.violations:
        err.print(f"  {sentence}", soft_wrap=True)


@contextmanager
def _shown(tally: Tally, *, silent: bool) -> Iterator[Callable[[Outcome], None]]:
    """Shows where it stands after each round: live on a terminal, else in a line now and then."""
    if silent:
        yield lambda _: None
        return
    if out.is_terminal:
        with Live(console=out, transient=True, auto_refresh=False) as live:
            yield lambda _: live.update(Group(tally.line, tally.table), refresh=True)
        return
    due = time.monotonic() + LINE_EVERY_SECONDS

    def line(outcome: Outcome) -> None:
        nonlocal due
        if outcome.violations or time.monotonic() >= due:
            out.print(tally.line, soft_wrap=True)
            due = time.monotonic() + LINE_EVERY_SECONDS

    yield line


if __name__ == "__main__":
    try:
        typer.run(chaos)
    except CommandError as error:
        err.print(f"chaos: {error}", soft_wrap=True)
        sys.exit(1)

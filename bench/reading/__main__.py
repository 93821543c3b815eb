"""Measure reports and audits of exports by the command itself, and the export of items: `python -m bench.reading`."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from playlog_cli.errors import CommandError

from bench.reading.made import STATIONS, YEAR, make
from bench.reading.processes import Cost, cost_of

PLAYS = [10_000_000, 100_000_000]
MATCHES = [2_000_000, 20_000_000]
ITEMS = 1_000_000
RULES = 20
BYTES_PER_ROW = 200  # of an export and of what does not fit in memory: more than was ever needed
PLAYLOG = str(Path(sys.executable).parent / "playlog")


@dataclass(frozen=True)
class Measured:
    """One kind of work with one size.

    Attributes:
        what: report, audit or export.
        size: plays of a report, matches and as many plays of an audit, items of an export.
        runs: what each run cost.
    """

    what: str
    size: int
    runs: tuple[Cost, ...]

    @property
    def cpu_seconds(self) -> float:
        """The median."""
        return sorted(run.cpu_seconds for run in self.runs)[len(self.runs) // 2]


def rate_card() -> str:
    """A card of 20 rules: each of some stations, the last for all others."""
    each = STATIONS // RULES
    rules = ['currency = "EUR"\ntime_zone = "Europe/Berlin"\n']
    for number in range(RULES - 1):
        stations = ", ".join(f'"station-{number * each + one}"' for one in range(each))
        rules.append(f'[[rule]]\nname = "{number}"\nstations = [{stations}]\nrate = 0.0{number + 11}\nper = "second"\n')
    rules.append('[[rule]]\nname = "others"\nrate = 0.85\nper = "play"\n')
    return "\n".join(rules)


def measure(what: str, size: int, runs: int, folder: Path) -> Measured:
    """Makes an export of some size, measures, and removes the export.

    Args:
        what: report, audit or export.
        size: see ``Measured``.
        runs: how many.
        folder: for the export, and for the other files of the commands.

    Raises:
        CommandError: the disk is too small, or a command fails.
    """
    made, output = folder / "export", folder / "output"
    if shutil.disk_usage(folder).free < size * BYTES_PER_ROW:
        raise CommandError(f"{what} of {size:,} needs {size * BYTES_PER_ROW / 1e9:.0f} GB on the disk of {folder}")
    command = [PLAYLOG, what, "--export", str(made), "--json"]
    if what == "export":
        command = [sys.executable, "-m", "bench.reading.export_of_items", str(size), str(made)]
    else:
        print(f"{what}: making {size:,} plays", file=sys.stderr)
        make(made, size, size if what == "audit" else 0)
    if what == "report":
        card = folder / "card.toml"
        card.write_text(rate_card())
        command += ["--from", f"{YEAR}-01-01", "--to", f"{YEAR + 1}-01-01", "--by", "track", "--rate-card", str(card)]
    costs = []
    for number in range(runs):
        cost = cost_of(command, output)
        if what == "export":  # without what it takes to make the items up
            cost = replace(cost, cpu_seconds=json.loads(output.read_text())["cpu_seconds"])
        costs.append(cost)
        print(f"{what} of {size:,}: run {number + 1} of {runs}: {cost}", file=sys.stderr)
    shutil.rmtree(made)
    return Measured(what, size, tuple(costs))


def main(arguments: Sequence[str]) -> None:
    """Measures what was asked for, and prints a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading", description=__doc__)
    parser.add_argument("--plays", type=int, nargs="*", default=PLAYS, help="of the reports")
    parser.add_argument("--matches", type=int, nargs="*", default=MATCHES, help="of the audits, and as many plays")
    parser.add_argument("--items", type=int, nargs="*", default=[ITEMS], help="of the exports")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="on a disk with room; what is made there is removed again")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    given = parser.parse_args(arguments)
    sizes = {"report": given.plays, "audit": given.matches, "export": given.items}
    found: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="playlog-bench-", dir=given.folder) as folder:
        for what, some in sizes.items():
            found += [measure(what, size, given.runs, Path(folder)) for size in some]
    if given.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return
    print(f"{'':8}{'size':>12}{'CPU s':>9}{'µs each':>9}{'wall s':>9}{'MB':>7}{'load':>6}")
    for each in found:
        for run in each.runs:
            apiece = run.cpu_seconds / each.size * 1e6
            print(
                f"{each.what:8}{each.size:12,}{run.cpu_seconds:9.1f}{apiece:9.2f}{run.wall_seconds:9.1f}"
                f"{run.megabytes:7.0f}{run.load:6.1f}"
            )
    for what, some in sizes.items():
        of_kind = [each for each in found if each.what == what]
        if len(some) > 1:
            first, last = of_kind[0], of_kind[-1]
            times = last.cpu_seconds / first.cpu_seconds / (last.size / first.size)
            print(f"{what}: CPU for each of {last.size:,} is {times:.2f} times that for each of {first.size:,}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except CommandError as error:
        print(f"bench.reading: {error}", file=sys.stderr)
        sys.exit(1)

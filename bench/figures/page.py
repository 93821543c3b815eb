"""Results as tables: on a terminal, and in ``docs/performance.md``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playlog_cli.errors import CommandError
from rich.table import Table

from bench import cost
from bench.figures import drawing
from bench.results import Results

DRAWINGS = {
    "performance-targets.svg": drawing.targets,
    "performance-sizes.svg": drawing.sizes,
    "performance-cost.svg": drawing.costs,
}


@dataclass(frozen=True)
class Grid:
    """A table before it is rendered.

    Attributes:
        name: of its place in the page.
        columns: the first are for texts, the others for figures.
        rows: of as many cells.
        texts: how many columns are for texts.
    """

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    texts: int = 1

    def as_table(self) -> Table:
        """For a terminal."""
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number >= self.texts else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def as_markdown(self) -> str:
        """For the page."""
        rule = "|".join("---:" if number >= self.texts else "---" for number in range(len(self.columns)))
        lines = [" | ".join(self.columns), *(" | ".join(row) for row in self.rows)]
        head, *body = (f"| {line} |" for line in lines)
        return "\n".join([head, f"|{rule}|", *body])


def tables(results: Results) -> list[Table]:
    """All of them, for a terminal."""
    return [grid.as_table() for grid in grids(results)]


def write(results: Results, folder: Path) -> None:
    """Puts the figures into ``performance.md``, between its marks, and draws them beside it.

    Args:
        results: of a bench.
        folder: the documentation's.

    Raises:
        CommandError: the page lacks a mark.
    """
    page = folder / "performance.md"
    text = page.read_text()
    machine = results.machine
    told = (
        f"One run on {machine.date}: {machine.cpu}, {machine.cores} cores, {machine.system}, Python {machine.python}. "
        "The embedded AWS and the proxy ran on the same cores. "
        f"The largest backlog had {results.backlogs[-1].matches:,} matches."
    )
    for name, content in [("machine", told), *((grid.name, grid.as_markdown()) for grid in grids(results))]:
        text = between_marks(text, name, content)
    page.write_text(text)
    for file, draw in DRAWINGS.items():
        (folder / file).write_text(draw(results))


def between_marks(text: str, name: str, content: str) -> str:
    """The page with the content between the marks of a name.

    Raises:
        CommandError: it lacks them.
    """
    begin, end = f"<!-- bench: {name} -->", f"<!-- end: {name} -->"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not marked.search(text):
        raise CommandError(f"docs/performance.md has no place for {name}: it needs the lines {begin} and {end}")
    return marked.sub(lambda _: f"{begin}\n{content}\n{end}", text)


def grids(results: Results) -> list[Grid]:
    """All that there is to show."""
    every = (_targets, _backlogs, _requests, _units, _cold_starts, _layers, _costs)
    return [grid(results) for grid in every]


def _targets(results: Results) -> Grid:
    rows = [
        (each.name, f"{each.limit:g} {each.unit}", f"{each.measured:.3g}", "met" if each.met else "not met")
        for each in results.targets
    ]
    return Grid("targets", ("target", "at most", "measured", ""), rows)


def _backlogs(results: Results) -> Grid:
    columns = ("", *(f"{each.matches:,} matches" for each in results.backlogs))
    by_name = {
        "rounds": [f"{len(each.converter)}" for each in results.backlogs],
        "CPU for a match": [f"{each.cpu_ms * 1_000:.0f} µs" for each in results.backlogs],
        "the floor's": [f"{each.floor_cpu_ms * 1_000:.0f} µs" for each in results.backlogs],
        "times the floor's, median": [f"{each.of_floor:.2f}" for each in results.backlogs],
        "peak memory": [f"{each.megabytes:.0f} MB" for each in results.backlogs],
        "the floor's ": [f"{max(one.peak_megabytes for one in each.floor):.0f} MB" for each in results.backlogs],
        "matches a second": [f"{each.matches_per_second:,.0f}" for each in results.backlogs],
        "the floor's  ": [f"{each.floor_matches_per_second:,.0f}" for each in results.backlogs],
    }
    return Grid("backlogs", columns, [(name, *cells) for name, cells in by_name.items()])


def _requests(results: Results) -> Grid:
    columns = ("requests per 1,000 matches", *(f"{each.matches:,} matches" for each in results.backlogs))
    operations = sorted({operation for each in results.backlogs for operation in each.requests})
    rows = [
        (operation, *(f"{each.requests.get(operation, 0) * 1_000 / each.matches:.1f}" for each in results.backlogs))
        for operation in operations
    ]
    return Grid("requests", columns, [*rows, ("all", *(f"{each.requests_per_1000:.1f}" for each in results.backlogs))])


def _units(results: Results) -> Grid:
    largest = results.backlogs[-1]
    rows = [
        (
            f"{each.table.removesuffix('Table')}{', ' + each.index if each.index else ''}",
            each.rule,
            f"{each.units / largest.matches:.3g} {each.kind}",
        )
        for each in largest.units
    ]
    whole = f"{largest.per_match('write'):.3g} write, {largest.per_match('read'):.3g} read"
    return Grid("units", ("units for a match", "the rule", "units"), [*rows, ("all", "", whole)], texts=2)


def _cold_starts(results: Results) -> Grid:
    rows = [
        (
            {"handler": "the handler", "botocore": "botocore with a DynamoDB client"}[each.what],
            "there" if each.compiled else "not there",
            f"{each.import_cpu_seconds * 1_000:.0f} ms",
            f"{each.import_seconds * 1_000:.0f} ms",
            f"{each.request_seconds * 1_000:.0f} ms",
        )
        for each in results.cold_starts
    ]
    columns = ("median of ten fresh processes", "bytecode", "import, CPU", "import, clock", "first request")
    return Grid("cold-starts", columns, rows, texts=2)


def _layers(results: Results) -> Grid:
    rows = [(name, f"{size / 1_000_000:.2f} MB") for name, size in results.layers.items()]
    return Grid("layers", ("layer", "unzipped"), rows)


def _costs(results: Results) -> Grid:
    parts = cost.parts(results)
    rows = [(part.name, part.basis, *(_dollars(part.dollars[name]) for name in cost.GB_SECOND)) for part in parts]
    totals = (_dollars(sum(part.dollars[name] for part in parts)) for name in cost.GB_SECOND)
    columns = ("a million matches in a month", "basis", *cost.GB_SECOND)
    return Grid("cost", columns, [*rows, ("together", "", *totals)], texts=2)


def _dollars(amount: float) -> str:
    return f"${amount:.3f}"

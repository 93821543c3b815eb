"""`playlog catalog`: draft the names of the tracks, and check them against the plays of a period."""

import csv
import json
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.progress import TimeElapsedColumn

from playlog_cli.catalog.checking import Finding, Played, Problem, check
from playlog_cli.catalog.drafting import columns_of, draft, match_names
from playlog_cli.catalog.entry import Catalog
from playlog_cli.catalog.reading import load_catalog
from playlog_cli.commands.athena_cost import answered
from playlog_cli.commands.options import (
    AsJson,
    ByAthena,
    End,
    ExportName,
    Profile,
    RateCardFile,
    Region,
    SharesFile,
    StackName,
    Start,
    Stations,
    Zone,
)
from playlog_cli.errors import CommandError, listed
from playlog_cli.loading.files.sheets import other_sheets
from playlog_cli.reporting.figures import By
from playlog_cli.reporting.files.inputs import check_unchanged, input_files
from playlog_cli.reporting.files.writing import OutputFile, check_writable, text_writer, write_whole
from playlog_cli.reporting.forms import fixed, grouped
from playlog_cli.reporting.period import parse_period
from playlog_cli.reporting.rate_card_file import load_rate_card
from playlog_cli.reporting.sources.finding import find_source
from playlog_cli.reporting.sums.report import add_up
from playlog_cli.reporting.sums.sql import Selection
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.tabular.cells import marked
from playlog_cli.tabular.workbook import write_workbook
from playlog_cli.terminal import counted, counting, err, out, print_json, table

catalog_app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

_TRACKS_ON_A_SCREEN = 10  # of each problem


@catalog_app.callback()
def catalog_command() -> None:
    """Draft and check catalogs: what a track_id means, and who is paid."""


@catalog_app.command()
def make(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="The file to write: .csv, .xlsx or .jsonl.")
    ],
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A catalog whose rows stay; only new tracks are added."),
    ] = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Draft a catalog from the names that matches brought.

    Each name is the most frequent spelling; the column other_spellings lists the others. The tracks heard most
    come first. A person completes the file.
    """
    if path.suffix.lower() not in (".csv", ".xlsx", ".jsonl"):
        raise CommandError(f"{path}: the name must end with .csv, .xlsx or .jsonl, which says what is written")
    if os.path.exists(path) and not (keep and os.path.exists(keep) and path.samefile(keep)):
        raise CommandError(
            f"{path} is there already, and what people wrote into it would be lost: name a new file, or add the new "
            f"tracks to it by --keep {path}"
        )
    check_writable("FILE", path)
    inputs = input_files(keep=keep)
    kept = load_catalog(keep) if keep else Catalog()
    if os.path.exists(path):
        _check_one_sheet(path)
    target = find_stack(stack, region=region, profile=profile)
    with counting("{task.completed:,} matches read", TimeElapsedColumn()) as progress:
        rows = draft(match_names(target, progress), kept)
    check_unchanged(inputs)
    _write_draft(path, columns_of(kept), rows)
    new = len(rows) - len(kept.entries)
    err.print(f"{counted(len(rows), 'track', 'tracks')}, {new:,} of them new", soft_wrap=True)


@catalog_app.command("check")
def check_command(
    start: Start,
    end: End,
    catalog: Annotated[Path, typer.Option(metavar="FILE", help="The catalog: CSV, JSON Lines or XLSX.")],
    zone: Zone = "UTC",
    stations: Stations = None,
    shares: SharesFile = None,
    rate_card: RateCardFile = None,
    export: ExportName = None,
    athena: ByAthena = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Say what is missing in a catalog or contradicts itself, by what it costs.

    Only the tracks of the period count. The exit status is 1 if there is a problem.
    """
    period = parse_period(start, end, zone)
    names = load_catalog(catalog, shares)
    card = load_rate_card(rate_card) if rate_card else None
    source = find_source(export, stack, region, profile, by_athena=athena)
    selection = Selection(period, tuple(dict.fromkeys(stations or ())))
    with counting("{task.completed:,} plays read", TimeElapsedColumn()) as progress:
        added = answered(source.athena, lambda: add_up(source, selection, (By.TRACK,), card, progress))
    sums: defaultdict[str, Played] = defaultdict(lambda: Played(0))
    for line in added.figures.lines:
        before = sums[line.key[0]]
        sums[line.key[0]] = Played(before.plays + line.plays, before.amount + line.amount)
    found = check(names, sums, period.start, period.end)
    currency = card.currency if card else None
    if as_json:
        print_json(_as_json(found, len(sums), currency))
    else:
        _render(found, names, len(sums), currency)
    if found:
        raise typer.Exit(1)


def _check_one_sheet(path: Path) -> None:
    """Refuses to write a workbook anew of which only the first sheet was read."""
    if path.suffix.lower() != ".xlsx":
        return
    with path.open("rb") as file:
        others = other_sheets(file, None)
    if others:
        raise CommandError(
            f"{path} has other sheets, {listed(others)}, which would be lost: write a new file, playlog catalog make "
            f"NEW.xlsx --keep {path}, and copy its sheet into the workbook"
        )


def _write_draft(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    writers: dict[str, Callable[[Path], None]] = {
        ".xlsx": partial(_write_workbook, columns, rows),
        ".jsonl": text_writer(partial(_write_json_lines, columns, rows)),
        ".csv": text_writer(partial(_write_csv, columns, rows)),
    }
    write_whole(OutputFile("FILE", path, writers[path.suffix.lower()]))


def _write_workbook(columns: Sequence[str], rows: Sequence[Sequence[str]], path: Path) -> None:
    write_workbook(path, "catalog", columns, ([cell or None for cell in row] for row in rows))


def _write_csv(columns: Sequence[str], rows: Sequence[Sequence[str]], file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(map(marked, row) for row in rows)


def _write_json_lines(columns: Sequence[str], rows: Sequence[Sequence[str]], file: TextIO) -> None:
    for row in rows:
        values = {name: cell for name, cell in zip(columns, row, strict=True) if cell}
        file.write(json.dumps(values, ensure_ascii=False) + "\n")


def _as_json(found: Sequence[Finding], tracks: int, currency: str | None) -> dict[str, Any]:
    def money(amount: Decimal) -> dict[str, str]:
        return {"amount": fixed(amount)} if currency else {}

    findings = [
        {
            "problem": each.problem.value,
            "tracks": list(each.tracks),
            "detail": each.detail,
            "plays": each.plays,
            **money(each.amount),
        }
        for each in found
    ]
    return {"tracks": tracks, "findings": findings, **({"currency": currency} if currency else {})}


def _render(found: Sequence[Finding], names: Catalog, tracks: int, currency: str | None) -> None:
    out.print(f"{counted(tracks, 'track was', 'tracks were')} played", style="bold", soft_wrap=True)
    if not found:
        out.print("no problem was found", soft_wrap=True)
        return
    sums = table("problem", numbers=["tracks", "plays", *([currency] if currency else [])])
    for problem in Problem:
        if of_problem := [each for each in found if each.problem is problem]:
            count = len({track for each in of_problem for track in each.tracks})
            money = [grouped(sum((each.amount for each in of_problem), Decimal(0)))] if currency else []
            sums.add_row(problem.value, f"{count:,}", f"{sum(each.plays for each in of_problem):,}", *money)
    out.print(sums)
    for problem in Problem:
        if of_problem := [each for each in found if each.problem is problem]:
            out.print()
            out.print(problem.value, style="bold")
            out.print(_tracks_table(of_problem[:_TRACKS_ON_A_SCREEN], names, currency))
            if len(of_problem) > _TRACKS_ON_A_SCREEN:
                out.print(f"... and {len(of_problem) - _TRACKS_ON_A_SCREEN:,} more; --json lists them all", style="dim")


def _tracks_table(found: Sequence[Finding], names: Catalog, currency: str | None) -> Any:
    shown = table("track", "title", "artist", "", numbers=["plays", *([currency] if currency else [])])
    for each in found:
        entry = names.entry(each.tracks[0])
        money = [grouped(each.amount)] if currency else []
        shown.add_row(", ".join(each.tracks), entry.title, entry.artist, each.detail, f"{each.plays:,}", *money)
    return shown

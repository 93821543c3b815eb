"""`playlog report`: the plays between two dates, added up and paid by a rate card."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TimeElapsedColumn

from playlog_cli.catalog.entry import Catalog
from playlog_cli.catalog.reading import load_catalog
from playlog_cli.commands.athena_cost import answered
from playlog_cli.commands.options import (
    AsJson,
    ByAthena,
    CatalogFile,
    End,
    ExportName,
    Profile,
    RateCardFile,
    Region,
    SharesFile,
    StackName,
    Start,
    Stations,
    Tracks,
    Zone,
)
from playlog_cli.errors import CommandError
from playlog_cli.reporting.files import STDOUT, check_writable, write_whole
from playlog_cli.reporting.forms import as_json, render, write_csv
from playlog_cli.reporting.naming import Key, by_names, keys_to_read
from playlog_cli.reporting.page import write_page
from playlog_cli.reporting.period import parse_period
from playlog_cli.reporting.rate_card_file import load_rate_card
from playlog_cli.reporting.sources.finding import find_source
from playlog_cli.reporting.sums.report import report
from playlog_cli.stacks.stack import DEFAULT_STACK
from playlog_cli.terminal import counting, out, print_json


def report_command(
    start: Start,
    end: End,
    zone: Zone = "UTC",
    by: Annotated[
        list[Key] | None,
        typer.Option(
            metavar="KEY",
            help="A line for each track, station, day, hour, artist, album, label or payee. Repeatable.  "
            "[default: station]",
        ),
    ] = None,
    stations: Stations = None,
    tracks: Tracks = None,
    rate_card: RateCardFile = None,
    catalog: CatalogFile = None,
    shares: SharesFile = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write CSV; - is standard output.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with charts.")] = None,
    export: ExportName = None,
    athena: ByAthena = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json_: AsJson = False,
) -> None:
    """Add up the plays between two dates, and what they are paid.

    A day begins at midnight in the time zone. The day of --to is not part of the period: a month is --from 2026-03-01
    --to 2026-04-01. With --station or --track, only those plays are read; without, the whole table of plays.
    """
    period = parse_period(start, end, zone)
    card = load_rate_card(rate_card) if rate_card else None
    keys = by or [Key.STATION]
    names = _names(keys, catalog, shares)
    files = [(option, path) for option, path in (("--csv", csv), ("--html", html)) if path]
    to_stdout = [option for option, path in files if path == STDOUT] + ["--json"] * as_json_
    if len(to_stdout) > 1:
        raise CommandError(f"{' and '.join(to_stdout)} both go to standard output: name a file for one")
    for option, path in files:
        check_writable(option, path)
    source = find_source(export, stack, region, profile, by_athena=athena)
    with counting("{task.completed:,} plays read", TimeElapsedColumn()) as progress:
        of = period, keys_to_read(keys), stations or [], tracks or [], card
        made = answered(source.athena, lambda: report(source, *of, progress))
    made = replace(made, names=names, figures=by_names(made.figures, keys, names or Catalog()))
    if csv:
        write_whole("--csv", csv, lambda file: write_csv(made, file))
    if html:
        write_whole("--html", html, lambda file: write_page(made, file))
    if as_json_:
        print_json(as_json(made))
    elif not to_stdout:
        render(made, out)


def _names(by: list[Key], catalog: Path | None, shares: Path | None) -> Catalog | None:
    """The names of the tracks, if somebody named a catalog.

    Raises:
        CommandError: the catalog is missing or wrong.
    """
    if catalog:
        return load_catalog(catalog, shares)
    if shares:
        raise CommandError("--shares needs --catalog: name the file with the tracks")
    if named := [each for each in by if each.is_name]:
        raise CommandError(f"--by {named[0]} needs --catalog: name the file that says which {named[0]} a track has")
    return None

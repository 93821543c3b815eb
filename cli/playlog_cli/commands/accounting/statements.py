"""`playlog statements`: what each payee gets for the plays between two dates."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TimeElapsedColumn

from playlog_cli.catalog.reading import load_catalog
from playlog_cli.commands.athena_cost import answered
from playlog_cli.commands.options import (
    AsJson,
    ByAthena,
    End,
    ExportName,
    Profile,
    Region,
    SharesFile,
    StackName,
    Start,
    Stations,
    Zone,
)
from playlog_cli.errors import CommandError
from playlog_cli.reporting.files.inputs import check_unchanged, input_files
from playlog_cli.reporting.period import parse_period
from playlog_cli.reporting.rate_card_file import load_rate_card
from playlog_cli.reporting.sources.finding import find_source
from playlog_cli.stacks.stack import DEFAULT_STACK
from playlog_cli.statements.closing import check_period, find_closed
from playlog_cli.statements.making import make_statements
from playlog_cli.statements.writing.folder import write_run
from playlog_cli.statements.writing.screen import as_json, render
from playlog_cli.terminal import counting, err, out, print_json


def statements_command(
    start: Start,
    end: End,
    catalog: Annotated[Path, typer.Option(metavar="FILE", help="The catalog: CSV, JSON Lines or XLSX.")],
    rate_card: Annotated[Path, typer.Option(metavar="FILE", help="TOML: what a play is paid.")],
    zone: Zone = "UTC",
    stations: Stations = None,
    shares: SharesFile = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The folder of all statements: write those of this period into it."),
    ] = None,
    export: ExportName = None,
    athena: ByAthena = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json_: AsJson = False,
) -> None:
    """State what each payee gets for the plays between two dates.

    Without --folder, the statements are shown and nothing is written. With it, they are written into a folder for the
    period, and are never changed again: the statements of a later period list the corrections.
    """
    period = parse_period(start, end, zone)
    inputs = input_files(catalog=catalog, rate_card=rate_card, shares=shares)
    names, card = load_catalog(catalog, shares), load_rate_card(rate_card)
    if folder and os.path.exists(folder) and not os.path.isdir(folder):
        raise CommandError(f"--folder {folder} is a file: name a folder")
    closed = find_closed(folder) if folder else []
    check_period(period, closed, card.currency)
    source = find_source(export, stack, region, profile, by_athena=athena)
    of_stations = tuple(dict.fromkeys(stations or ()))
    with counting("{task.completed:,} plays read", TimeElapsedColumn()) as progress:
        run = answered(
            source.athena,
            lambda: make_statements(source, period, of_stations, names, card, closed, progress),
        )
    if folder:
        check_unchanged(inputs)
        err.print(f"written: {write_run(folder, run, inputs)}", soft_wrap=True)
    if as_json_:
        print_json(as_json(run))
    else:
        render(run, out)

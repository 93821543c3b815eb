"""`playlog report`: the plays between two dates, added up and paid by a rate card."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

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
from playlog_cli.reporting.files.inputs import check_unchanged, input_files
from playlog_cli.reporting.files.manifest import manifest, output_as_json, plays_as_json
from playlog_cli.reporting.files.writing import (
    STDOUT,
    OutputFile,
    check_apart,
    check_writable,
    text_writer,
    write_together,
)
from playlog_cli.reporting.forms import Report, as_json, render, write_csv
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
    inputs = input_files(catalog=catalog, shares=shares, rate_card=rate_card)
    card = load_rate_card(rate_card) if rate_card else None
    keys = by or [Key.STATION]
    names = _names(keys, catalog, shares)
    files = _files(csv, html, as_json=as_json_)
    check_apart(files, inputs)
    source = find_source(export, stack, region, profile, by_athena=athena)
    of = period, keys_to_read(keys), stations or [], tracks or [], card
    with counting("{task.completed:,} plays read", TimeElapsedColumn()) as progress:
        made = answered(source.athena, lambda: report(source, *of, progress, with_digest=bool(files)))
    made = replace(made, names=names, figures=by_names(made.figures, keys, names or Catalog()))
    if files:
        check_unchanged(inputs)
        _write(
            made, files, {**inputs, **({"export": {"sha256": source.export_sha256}} if source.export_sha256 else {})}
        )
    if as_json_:
        print_json(as_json(made))
    elif STDOUT not in (csv, html):
        render(made, out)


def _files(csv: Path | None, html: Path | None, *, as_json: bool) -> list[tuple[str, Path]]:
    """The files to write, with the option that names each.

    Raises:
        CommandError: one cannot be written, or two forms go to standard output.
    """
    files = [(option, path) for option, path in (("--csv", csv), ("--html", html)) if path]
    to_stdout = [option for option, path in files if path == STDOUT] + ["--json"] * as_json
    if len(to_stdout) > 1:
        raise CommandError(f"{' and '.join(to_stdout)} both go to standard output: name a file for one")
    for option, path in files:
        check_writable(option, path)
    return files


def _write(made: Report, files: Sequence[tuple[str, Path]], inputs: dict[str, Any]) -> None:
    """Writes the files with their manifests."""
    writers = {"--csv": write_csv, "--html": write_page}
    choice = {
        "stack": made.stack,
        "region": made.region,
        "by": list(made.figures.by),
        "stations": list(made.stations),
        "tracks": list(made.tracks),
    }
    plays = {"plays": plays_as_json(*made.plays)} if made.plays else {}

    def manifest_of(part: Path, name: str) -> str:
        return manifest(made.figures.period, {"choice": choice, **plays, **inputs}, output_as_json(part, name))

    write_together(
        [OutputFile(option, path, text_writer(partial(writers[option], made))) for option, path in files], manifest_of
    )


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

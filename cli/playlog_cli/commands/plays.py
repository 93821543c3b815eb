"""`playlog plays`: the plays of a period, one by one, and what a person may change on a play."""

from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TimeElapsedColumn

from playlog_cli.catalog.entry import Catalog
from playlog_cli.catalog.reading import load_catalog
from playlog_cli.commands.accounting.layout import choose_layout, write_layout
from playlog_cli.commands.athena_cost import answered
from playlog_cli.commands.options import (
    AsJson,
    ByAthena,
    CatalogFile,
    End,
    ExportName,
    Profile,
    Region,
    StackName,
    Start,
    Stations,
    Tracks,
    Zone,
)
from playlog_cli.commands.play_edits import add_edits
from playlog_cli.errors import CommandError
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.files.inputs import InputFile, check_unchanged, input_files
from playlog_cli.reporting.files.manifest import manifest, output_as_json, plays_as_json
from playlog_cli.reporting.files.writing import (
    STDOUT,
    OutputFile,
    check_apart,
    check_writable,
    text_writer,
    write_together,
)
from playlog_cli.reporting.listing import writing
from playlog_cli.reporting.listing.reading import Choice, read_plays
from playlog_cli.reporting.listing.sorting import sorted_plays
from playlog_cli.reporting.period import parse_period
from playlog_cli.reporting.sources.finding import find_source
from playlog_cli.stacks.stack import DEFAULT_STACK
from playlog_cli.terminal import counting, out

plays_app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)

_TEXTS = {"--csv": writing.write_csv, "--jsonl": writing.write_json_lines}
_BINARIES = {"--xlsx": writing.write_xlsx, "--parquet": writing.write_parquet}


class Source(StrEnum):
    """Where a play was heard, as in the contract."""

    RADIO = "Radio"
    STREAMING = "Streaming"


_Artists = Annotated[
    list[str] | None,
    typer.Option("--artist", metavar="NAME", help="Only this artist, as the catalog writes it. Repeatable."),
]
_Sources = Annotated[list[Source] | None, typer.Option("--source", help="Only this source. Repeatable.")]
_Flagged = Annotated[
    bool | None, typer.Option("--flagged/--not-flagged", help="Only plays that are flagged, or that are not.")
]
_Layout = Annotated[
    str | None,
    typer.Option("--layout", metavar="NAME", help="Write the file of a society: a layout's name, or its TOML file."),
]
_Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the layout. Repeatable.")
]
_Folder = Annotated[
    Path, typer.Option("--folder", metavar="FOLDER", help="Where --layout writes its file.", show_default="this folder")
]


@plays_app.callback()
def plays_command(
    context: typer.Context,
    start: Start = "",
    end: End = "",
    zone: Zone = "UTC",
    stations: Stations = None,
    tracks: Tracks = None,
    artists: _Artists = None,
    sources: _Sources = None,
    is_flagged: _Flagged = None,
    is_withdrawn: Annotated[bool, typer.Option("--withdrawn", help="The withdrawn plays, and no others.")] = False,
    catalog: CatalogFile = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write CSV; - is standard output.")] = None,
    jsonl: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JSON Lines; - is standard output.")] = None,
    xlsx: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a workbook.")] = None,
    parquet: Annotated[Path | None, typer.Option(metavar="FILE", help="Write Parquet.")] = None,
    layout: _Layout = None,
    settings: _Settings = None,
    folder: _Folder = Path(),
    export: ExportName = None,
    athena: ByAthena = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List the plays of a period, or change a play.

    A play belongs to the day in which it began, in the time zone. The plays are in the order of time. Withdrawn plays
    are not listed, unless --withdrawn asks for them.
    """
    if context.invoked_subcommand:
        return
    period = parse_period(start, end, zone)
    inputs = input_files(catalog=catalog)
    files = _files({"--csv": csv, "--jsonl": jsonl, "--xlsx": xlsx, "--parquet": parquet}, inputs, as_json=as_json)
    by_layout = choose_layout(layout, settings or [], folder, has_other_files=bool(files))
    names = load_catalog(catalog) if catalog else Catalog()
    choice = Choice(
        stations=tuple(dict.fromkeys(stations or ())),
        tracks=_chosen_tracks(tracks or [], artists or [], names),
        sources=tuple(map(str, sources or ())),
        flagged=is_flagged,
        active=not is_withdrawn,
    )
    source = find_source(export, stack, region, profile, by_athena=athena)
    with counting("{task.completed:,} plays read", TimeElapsedColumn()) as progress, ExitStack() as files_of_plays:
        plays = answered(
            source.athena,
            lambda: files_of_plays.enter_context(sorted_plays(read_plays(source, period, choice, progress))),
        )
        if by_layout:
            write_layout(by_layout, plays, names, inputs, choice, period)
        else:
            _write(writing.Listing(plays, names, period.zone), files, inputs, choice, period)


def _files(named: dict[str, Path | None], inputs: dict[str, InputFile], *, as_json: bool) -> dict[str, Path]:
    """The files to write, by the option that names each.

    Raises:
        CommandError: one cannot be written, or is another one as well, or two go to standard output.
    """
    files = {option: path for option, path in named.items() if path}
    if as_json and "--jsonl" in files:
        raise CommandError("--json and --jsonl both write JSON Lines: use one of them")
    if as_json:
        files["--jsonl"] = STDOUT
    if list(files.values()).count(STDOUT) > 1:
        raise CommandError("two lists go to standard output: name a file for one")
    for option, path in files.items():
        if option in _BINARIES and path == STDOUT:
            raise CommandError(f"{option} - would write a binary file to standard output: name a file")
        check_writable(option, path)
    check_apart(files.items(), inputs)
    return files


def _write(
    listing: writing.Listing, files: dict[str, Path], inputs: dict[str, InputFile], choice: Choice, period: Period
) -> None:
    """Writes the files with their manifests, or shows the list on the terminal if there is none to write."""
    if not files:
        writing.render(listing, out)
        return
    plays = plays_as_json(listing.plays.count, listing.plays.digest)

    def writer(option: str) -> Callable[[Path], None]:
        if option in _TEXTS:
            return text_writer(partial(_TEXTS[option], listing))
        return partial(_BINARIES[option], listing)

    def manifest_of(part: Path, name: str) -> str:
        return manifest(period, {"choice": choice.as_json, "plays": plays, **inputs}, output_as_json(part, name))

    check_unchanged(inputs)
    write_together([OutputFile(option, path, writer(option)) for option, path in files.items()], manifest_of)


def _chosen_tracks(tracks: list[str], artists: list[str], catalog: Catalog) -> tuple[str, ...]:
    """The tracks that were named, and those of the artists that were named.

    Raises:
        CommandError: the catalog has no track of an artist.
    """
    chosen = dict.fromkeys(tracks)
    for artist in artists:
        of_artist = catalog.tracks_of(artist)
        if not of_artist:
            raise CommandError(
                f"--artist {artist!r}: the catalog has no track of this artist: name the artist as --catalog writes it"
            )
        chosen |= dict.fromkeys(of_artist)
    return tuple(chosen)


add_edits(plays_app)

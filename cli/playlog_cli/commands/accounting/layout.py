"""`playlog plays --layout`: the plays of a period as a society wants them."""

from dataclasses import dataclass
from pathlib import Path

import typer

from playlog_cli.catalog.entry import Catalog
from playlog_cli.errors import CommandError
from playlog_cli.layouts.fields import Surroundings
from playlog_cli.layouts.finding import find_layout
from playlog_cli.layouts.model import Layout
from playlog_cli.layouts.writing import (
    LaidOut,
    check_replaceable,
    findings_as_json,
    findings_in_words,
    parse_settings,
)
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.files.inputs import InputFile, check_unchanged
from playlog_cli.reporting.files.manifest import manifest, output_as_json, plays_as_json
from playlog_cli.reporting.files.writing import OutputFile, write_together
from playlog_cli.reporting.listing.reading import Choice
from playlog_cli.reporting.listing.sorting import SortedPlays
from playlog_cli.terminal import err


@dataclass(frozen=True)
class LayoutChoice:
    """A layout with what the user gave for it.

    Attributes:
        layout: how the file looks.
        digest: SHA-256 of its TOML, in hexadecimal digits.
        settings: of the user, by name.
        folder: where the file is written.
    """

    layout: Layout
    digest: str
    settings: dict[str, str]
    folder: Path


def choose_layout(name: str | None, settings: list[str], folder: Path, *, has_other_files: bool) -> LayoutChoice | None:
    """Reads the layout that the options name; None if they name none.

    Raises:
        CommandError: the layout or a setting is wrong, or the options contradict each other.
    """
    if name is None:
        if settings:
            raise CommandError("--set needs --layout: name the layout whose setting it is")
        return None
    if has_other_files:
        raise CommandError("--layout writes a file of its own: leave out --csv, --jsonl, --xlsx, --parquet and --json")
    if not folder.is_dir():
        raise CommandError(f"--folder {folder} is no folder: name one that exists")
    layout, digest = find_layout(name)
    return LayoutChoice(layout, digest, parse_settings(layout, settings), folder)


def write_layout(
    choice: LayoutChoice,
    plays: SortedPlays,
    catalog: Catalog,
    inputs: dict[str, InputFile],
    of_plays: Choice,
    period: Period,
) -> None:
    """Lists what the layout requires and the data lack, and writes the file and its manifest.

    Raises:
        CommandError: the file cannot be written.
        Exit: the data lack something that the layout requires; with status 1, and after the file was written.
    """
    laid_out = LaidOut(plays, catalog, choice.layout, Surroundings(period, choice.settings))
    found = laid_out.check()
    for sentence in findings_in_words(choice.layout, found):
        err.print(sentence, soft_wrap=True)
    if found.lacking and not catalog.entries:
        err.print("names of tracks come from a catalog, and no --catalog was given", soft_wrap=True)
    path = laid_out.path(choice.folder, found)
    what = {"layout": choice.layout.name, "settings": choice.settings, "choice": of_plays.as_json}
    check_replaceable(path, period, what)

    def manifest_of(part: Path, name: str) -> str:
        all_inputs = {
            **what,
            "layout_file": {"sha256": choice.digest},
            "plays": plays_as_json(plays.count, plays.digest),
            **inputs,
        }
        return manifest(period, all_inputs, {**output_as_json(part, name), **findings_as_json(found)})

    check_unchanged(inputs)
    write_together([OutputFile("--folder", path, laid_out.write)], manifest_of)
    if found.lacking:
        raise typer.Exit(1)

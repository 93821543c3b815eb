"""Write the plays of a period as a layout wants them."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playlog_cli.catalog.entry import Catalog
from playlog_cli.errors import CommandError, shown
from playlog_cli.layouts.cells import Cells, is_number
from playlog_cli.layouts.fields import SETTING, Surroundings
from playlog_cli.layouts.model import Layout, Setting
from playlog_cli.layouts.parse import NAME_PART
from playlog_cli.layouts.rows import Findings, check_rows, rows_of
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.files.manifest import period_as_json
from playlog_cli.reporting.files.writing import check_writable, manifest_path
from playlog_cli.reporting.listing.sorting import SortedPlays

_STATIONS_IN_A_MESSAGE = 5


@dataclass(frozen=True, slots=True)
class LaidOut:
    """Plays with what is needed to write them by a layout.

    Attributes:
        plays: in the order of time.
        catalog: the names of the tracks.
        layout: how the file looks.
        around: period and settings.
    """

    plays: SortedPlays
    catalog: Catalog
    layout: Layout
    around: Surroundings

    def check(self) -> Findings:
        """What the file would lack.

        Raises:
            CommandError: the layout wants the plays of one station, and these are of several, or of none.
        """
        found = check_rows(self.plays, self.catalog, self.layout, self.around)
        if self.layout.is_of_one_station and not found.stations:
            raise CommandError(
                f"there are no plays: the layout {self.layout.name} names its file after their station, so that there "
                "is none to write"
            )
        if self.layout.is_of_one_station and len(found.stations) > 1:
            some = ", ".join(sorted(found.stations)[:_STATIONS_IN_A_MESSAGE])
            raise CommandError(
                f"the layout {self.layout.name} has one file for each station, and these plays are of "
                f"{len(found.stations):,}: name one with --station, like {some}"
            )
        return found

    def path(self, folder: Path, found: Findings) -> Path:
        """The file, as the layout names it.

        Args:
            folder: where to.
            found: what ``check`` found.

        Raises:
            CommandError: it cannot be written.
        """
        path = folder / _file_name(self.layout, self.around, found)
        check_writable("--folder", path)
        return path

    def write(self, path: Path) -> None:
        """Writes the file."""
        cells = Cells(self.layout, self.around)
        with path.open("w", encoding=self.layout.encoding, errors="replace", newline="") as file:
            if self.layout.has_header:
                file.write(cells.header)
            file.writelines(map(cells.line, rows_of(self.plays, self.catalog, self.layout, self.around)))


def check_replaceable(path: Path, period: Period, what: Mapping[str, Any]) -> None:
    """Checks that a file of this name may be replaced: it is of the same period, layout, settings and choice of plays.

    Two stations, services or months may give the same name, and the file of one must not replace that of the other.

    Args:
        path: the file, as the layout names it.
        period: of the plays.
        what: of its inputs, what a manifest must have for the file to be replaced.

    Raises:
        CommandError: there is another file of this name.
    """
    if not os.path.exists(path):
        return
    try:
        of_file = json.loads(manifest_path(path).read_text(encoding="utf-8"))
        same_inputs = (of_file["inputs"][name] == json.loads(json.dumps(value)) for name, value in what.items())
        is_same = of_file["period"] == period_as_json(period) and all(same_inputs)
    except (OSError, ValueError, KeyError, TypeError):
        is_same = False
    if not is_same:
        raise CommandError(
            f"{path} is there already, and is no earlier file of this period, plays and settings: move it, "
            "or name another --folder"
        )


def parse_settings(layout: Layout, given: list[str]) -> dict[str, str]:
    """The user's settings for a layout.

    Args:
        layout: says which there are.
        given: texts like ``service=WXYZ``.

    Raises:
        CommandError: one is missing, unknown, or no name and value.
    """
    settings: dict[str, str] = {}
    for text in given:
        name, is_set, value = text.partition("=")
        if not is_set or name not in layout.settings or not value.strip():
            known = ", ".join(f"{each}=…" for each in layout.settings) or "nothing: this layout has no settings"
            raise CommandError(f"--set is {shown(text)}: the layout {layout.name} takes {known}")
        settings[name] = value.strip()
        _check_setting(name, settings[name], layout.settings[name])
    if missing := [f"--set {name}=… ({each.about})" for name, each in layout.settings.items() if name not in settings]:
        raise CommandError(f"the layout {layout.name} needs {', '.join(missing)}")
    return settings


def _check_setting(name: str, value: str, setting: Setting) -> None:
    wanted = ""
    if setting.values and value not in setting.values:
        wanted = f"one of {', '.join(setting.values)}"
    elif setting.is_number and not is_number(value):
        wanted = "a number, like 1234.5"
    if wanted:
        raise CommandError(f"--set {name} is {shown(value)}: it must be {wanted} ({setting.about})")


def findings_in_words(layout: Layout, found: Findings) -> list[str]:
    """What a file has, lacks and leaves out: a sentence each."""
    rows = "row" if found.rows == 1 else "rows"
    sentences = [f"{layout.name}: {found.rows:,} {rows}"]
    sentences += [f"left out: {count:,} plays: {why}" for why, count in sorted(found.left_out.items())]
    sentences += [
        f"missing: {what}: {lacking:,} of {found.rows:,} rows, {plays:,} plays"
        for what, (lacking, plays) in found.lacking.items()
    ]
    return sentences


def findings_as_json(found: Findings) -> dict[str, Any]:
    """The same for a manifest."""
    return {
        "rows": found.rows,
        "left_out": dict(sorted(found.left_out.items())),
        "missing": {what: {"rows": rows, "plays": plays} for what, (rows, plays) in found.lacking.items()},
    }


def _file_name(layout: Layout, around: Surroundings, found: Findings) -> str:
    def part(match: re.Match[str]) -> str:
        name, form = match[1], match[2]
        if name.startswith(SETTING):
            text = around.settings[name.removeprefix(SETTING)]
        elif name == "station_id":
            (text,) = found.stations
        else:
            day: date = around.period.start if name == "from" else around.period.end - timedelta(days=1)
            text = day.strftime(form or "%Y-%m-%d")
        return re.sub(r"[^\w.-]+", "", text)

    return NAME_PART.sub(part, layout.file_name)

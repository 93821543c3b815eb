"""Write a list of plays as CSV, JSON Lines, XLSX or Parquet, or on a terminal."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from rich.console import Console

from playlog_cli.catalog.entry import Catalog
from playlog_cli.errors import CommandError
from playlog_cli.reporting.forms import LINES_ON_A_SCREEN, plain
from playlog_cli.reporting.listing.columns import COLUMNS, values_of
from playlog_cli.reporting.listing.sorting import SortedPlays
from playlog_cli.tabular import parquet
from playlog_cli.tabular.cells import Value, json_of, text_of
from playlog_cli.tabular.workbook import MOST_ROWS, write_workbook
from playlog_cli.terminal import counted, table


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of plays with what is needed to write it.

    Attributes:
        plays: in their order.
        catalog: the names of the tracks.
        zone: of the times.
    """

    plays: SortedPlays
    catalog: Catalog
    zone: ZoneInfo

    def rows(self) -> Iterator[list[Value]]:
        """The values of each play, in the order of ``COLUMNS``."""
        for play in self.plays:
            yield values_of(play, self.catalog.entry(play.track_id), self.zone)


def write_csv(listing: Listing, file: TextIO) -> None:
    """Writes a header and a row for each play, as RFC 4180 says.

    Args:
        listing: the plays.
        file: opened with ``newline=""``.
    """
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    writer.writerows(map(text_of, row) for row in listing.rows())


def write_json_lines(listing: Listing, file: TextIO) -> None:
    """Writes a JSON object on a line of its own for each play.

    Args:
        listing: the plays.
        file: UTF-8.
    """
    names = [column.name for column in COLUMNS]
    for row in listing.rows():
        file.write(json.dumps(dict(zip(names, map(json_of, row), strict=True)), ensure_ascii=False) + "\n")


def write_xlsx(listing: Listing, path: Path) -> None:
    """Writes a workbook with a header and a row for each play.

    Raises:
        CommandError: a sheet cannot hold so many plays.
    """
    if listing.plays.count >= MOST_ROWS:
        raise CommandError(
            f"--xlsx: a sheet has at most {MOST_ROWS - 1:,} plays, and these are {listing.plays.count:,}: "
            "use --csv or --parquet, or a shorter period"
        )
    write_workbook(path, "plays", [column.name for column in COLUMNS], listing.rows())


def write_parquet(listing: Listing, path: Path) -> None:
    """Writes Parquet with a row for each play.

    Raises:
        CommandError: the file cannot be written.
    """
    parquet.write_parquet(path, {column.name: column.type for column in COLUMNS}, listing.rows())


def render(listing: Listing, console: Console) -> None:
    """Shows the first plays on a terminal, and how many there are more."""
    shown = table(
        f"played at, {listing.zone.key}", "station", "track", "title", "artist", "source", numbers=["seconds"]
    )
    shown.add_column("")
    for play in islice(listing.plays, LINES_ON_A_SCREEN):
        entry = listing.catalog.entry(play.track_id)
        names = (entry.title, entry.artist)
        began = f"{play.played_at.astimezone(listing.zone):%Y-%m-%d %H:%M:%S}"
        remark = "flagged" if play.flagged else ""
        shown.add_row(began, play.station_id, play.track_id, *names, play.source, plain(play.seconds), remark)
    console.print(shown)
    count = listing.plays.count
    left = max(0, count - LINES_ON_A_SCREEN)
    more = f"; {left:,} are not shown: see --csv" if left else ""
    console.print(f"{counted(count, 'play', 'plays')}{more}", style="bold", soft_wrap=True)
    if count and not listing.catalog.entries:
        console.print("titles and artists: --catalog FILE; `playlog catalog make FILE` drafts one", soft_wrap=True)

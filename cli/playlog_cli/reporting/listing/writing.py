"""Write a list of plays as CSV, as JSON Lines, or on a terminal."""

import csv
import json
from dataclasses import dataclass
from itertools import islice
from typing import TextIO
from zoneinfo import ZoneInfo

from rich.console import Console

from playlog_cli.catalog.entry import Catalog
from playlog_cli.reporting.forms import LINES_ON_A_SCREEN, plain
from playlog_cli.reporting.listing.columns import COLUMNS, json_of, text_of
from playlog_cli.reporting.listing.sorting import SortedPlays
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


def write_csv(listing: Listing, file: TextIO) -> None:
    """Writes a header and a row for each play, as RFC 4180 says.

    Args:
        listing: the plays.
        file: opened with ``newline=""``.
    """
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    for play in listing.plays:
        entry = listing.catalog.entry(play.track_id)
        writer.writerow([text_of(column.value(play, entry), listing.zone) for column in COLUMNS])


def write_json_lines(listing: Listing, file: TextIO) -> None:
    """Writes a JSON object on a line of its own for each play.

    Args:
        listing: the plays.
        file: UTF-8.
    """
    for play in listing.plays:
        entry = listing.catalog.entry(play.track_id)
        values = {column.name: json_of(column.value(play, entry), listing.zone) for column in COLUMNS}
        file.write(json.dumps(values, ensure_ascii=False) + "\n")


def render(listing: Listing, console: Console) -> None:
    """Shows the first plays on a terminal, and how many there are more."""
    shown = table("played at", "station", "track", "title", "artist", "source", numbers=["seconds"])
    shown.add_column("")
    for play in islice(listing.plays, LINES_ON_A_SCREEN):
        entry = listing.catalog.entry(play.track_id)
        names = (entry.title, entry.artist)
        began = play.played_at.astimezone(listing.zone).isoformat(sep=" ", timespec="seconds")
        remark = "flagged" if play.flagged else ""
        shown.add_row(began, play.station_id, play.track_id, *names, play.source, plain(play.seconds), remark)
    console.print(shown)
    count = listing.plays.count
    left = max(0, count - LINES_ON_A_SCREEN)
    more = f"; {left:,} are not shown: see --csv" if left else ""
    console.print(f"{counted(count, 'play', 'plays')}{more}", style="bold", soft_wrap=True)

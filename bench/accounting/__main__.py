"""What a list and the statements of a million plays cost: CPU seconds and memory, each in a process of its own."""

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import Share
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.files.inputs import input_files
from playlog_cli.reporting.listing import writing
from playlog_cli.reporting.listing.listed_play import ListedPlay, listed_play_of
from playlog_cli.reporting.listing.sorting import sorted_plays
from playlog_cli.reporting.rate_card_file import load_rate_card
from playlog_cli.statements.making import make_statements
from playlog_cli.statements.writing.folder import write_run

from bench.one_run import cpu_seconds, peak_megabytes

TRACKS, PAYEES, STATIONS = 20_000, 5_000, 50
PERIOD = Period(date(2026, 3, 1), date(2026, 4, 1), ZoneInfo("Europe/Berlin"))
SECONDS = 31 * 86_400 - 7_200
CARD = Path(__file__).parents[2] / "samples/rate-card.toml"
PAGE = 1_000  # items


class MadeUp:
    """A source of plays that makes them up.

    Args:
        plays: how many.
    """

    stack = region = "made up"

    def __init__(self, plays: int) -> None:
        self._plays = plays

    def pages(self, *_: Any) -> Iterator[list[Item]]:
        """The items of the plays, in no order, and the same ones each time."""
        draw = random.Random(7)  # noqa: S311 - no secret
        for first in range(0, self._plays, PAGE):
            yield [_item(draw) for _ in range(first, min(first + PAGE, self._plays))]

    def plays(self) -> Iterator[ListedPlay]:
        """The same as plays."""
        for page in self.pages():
            yield from map(listed_play_of, page)


def _item(draw: random.Random) -> Item:
    started = PERIOD.since + timedelta(seconds=draw.randrange(SECONDS))
    track_id = f"XX-PLY-26-{int(TRACKS * draw.random() ** 2):05}"  # some are played much more often than others
    at = timestamps.to_text(started)
    return {
        "station_id": {"S": f"station-{draw.randrange(STATIONS)}"},
        "play_id": {"S": f"{at}#{track_id}"},
        "track_id": {"S": track_id},
        "source": {"S": "Radio"},
        "played_at": {"S": at},
        "duration_seconds": {"N": str(draw.randrange(30, 300))},
        "match_count": {"N": "1"},
        "avg_confidence_score": {"N": str(draw.randrange(40, 100))},
        "flagged": {"BOOL": draw.random() < 0.01},
        "active": {"BOOL": draw.random() > 0.001},
    }


def catalog() -> Catalog:
    """A catalog of all tracks, with one to three payees each."""
    draw = random.Random(8)  # noqa: S311 - no secret
    entries = []
    for number in range(TRACKS):
        payees = sorted({f"Payee {draw.randrange(PAYEES):04}" for _ in range(draw.randrange(1, 4))})
        shares = tuple(Share(payee, Fraction(1, len(payees))) for payee in payees)
        entries.append(Entry(f"XX-PLY-26-{number:05}", f"Title {number}", f"Artist {number % 4_000}", shares=shares))
    return Catalog(entries)


def read(source: MadeUp, _folder: Path) -> None:
    """Reads the plays: a part of each of the other measurements."""
    for _ in source.plays():
        pass


def statements(source: MadeUp, folder: Path) -> None:
    """Makes the statements and writes their folder."""
    run = make_statements(source, PERIOD, (), catalog(), load_rate_card(CARD), [], lambda _more: None)  # type: ignore[arg-type]
    write_run(folder, run, input_files(rate_card=CARD))


def listed(form: Callable[..., None], source: MadeUp, folder: Path) -> None:
    """Sorts the plays and writes them in one form."""
    with sorted_plays(source.plays()) as plays:
        listing = writing.Listing(plays, catalog(), PERIOD.zone)
        if form in (writing.write_csv, writing.write_json_lines):
            with (folder / "list").open("w", encoding="utf-8", newline="") as file:
                form(listing, file)
        else:
            form(listing, folder / "list")


WORK: dict[str, Callable[[MadeUp, Path], None]] = {
    "read": read,
    "statements": statements,
    "csv": partial(listed, writing.write_csv),
    "json lines": partial(listed, writing.write_json_lines),
    "xlsx": partial(listed, writing.write_xlsx),
    "parquet": partial(listed, writing.write_parquet),
}


def measure(name: str, plays: int) -> tuple[float, float]:
    """CPU seconds and the most megabytes of one kind of work, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        before = cpu_seconds()
        WORK[name](MadeUp(plays), Path(folder))
        return cpu_seconds() - before, peak_megabytes()


def main(arguments: Sequence[str]) -> None:
    """Measures one kind of work, or each one in a process of its own, and prints a line for each."""
    parser = argparse.ArgumentParser(prog="python -m bench.accounting", description=__doc__)
    parser.add_argument("plays", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--only", choices=WORK)
    given = parser.parse_args(arguments)
    if given.only:
        seconds, megabytes = measure(given.only, given.plays)
        print(f"{given.only:12} {seconds:8.1f} {megabytes:8.0f}")
        return
    print(f"{given.plays:,} plays of {TRACKS:,} tracks and {PAYEES:,} payees")
    print(f"{'':12} {'CPU s':>8} {'MB':>8}", flush=True)
    for name in WORK:
        command = [sys.executable, "-m", "bench.accounting", str(given.plays), "--only", name]
        subprocess.run(command, check=True, timeout=3_600)  # noqa: S603 - this module


if __name__ == "__main__":
    main(sys.argv[1:])

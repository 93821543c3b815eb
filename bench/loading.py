"""How many rows of a station's log one core reads and turns into matches, without AWS: ``python -m bench.loading``."""

import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from playlog_cli.loading.files.row import Row
from playlog_cli.loading.files.sources import opened
from playlog_cli.loading.formats.toml.parse import parse_format
from playlog_cli.loading.matches import Seen, match_of
from playlog_cli.loading.outcomes import Options, outcomes

from bench.one_run import cpu_seconds, peak_megabytes

ROWS = 1_000_000
TRACKS = 20_000
SHARDS = 8
FORMAT = """
time_zone = "Europe/Zurich"
[match]
matched_at = { columns = ["Date", "Time"], format = "%d.%m.%Y %H:%M:%S" }
duration_seconds = { column = "Length", format = "m:ss" }
station_id = { constant = "fm-1" }
artist = "Artist"
title = "Title"
isrc = "ISRC"
[[skip]]
column = "Type"
values = ["Jingle*"]
"""


def log_lines(rows: int) -> Iterator[str]:
    """A made-up log: every second track has an ISRC, every tenth row is a jingle."""
    yield "Date;Time;Artist;Title;ISRC;Length;Type\n"
    time = datetime(2026, 4, 1)  # noqa: DTZ001 - a local time, as stations write it
    for number in range(rows):
        time += timedelta(seconds=15)
        track = number * 7919 % TRACKS
        isrc = f"DE-XXX-26-{track:05}" if track % 2 else ""
        length = f"{3 + track % 3}:{track % 60:02}"
        kind = "Jingle" if number % 10 == 0 else "Music"
        yield f"{time:%d.%m.%Y;%H:%M:%S};Künstler {track};Title {track};{isrc};{length};{kind}\n"


def measure(path: Path) -> dict[str, float]:
    """Reads a log and makes its matches.

    Returns:
        Rows and matches; CPU seconds of this process, rows for each of them, and its largest memory in MB.
    """
    options = Options(log_format=parse_format("bench", FORMAT))
    rows = matches = 0
    began = cpu_seconds()
    with opened(path) as source, Seen() as seen:
        for row in outcomes(source, options, timedelta(0)):
            rows += 1
            matches += isinstance(row, Row) and match_of(row, seen, SHARDS) is not None
    seconds = cpu_seconds() - began
    return {
        "rows": rows,
        "matches": matches,
        "cpu_seconds": round(seconds, 2),
        "rows_a_second": round(rows / seconds),
        "megabytes": round(peak_megabytes()),
    }


def main() -> None:
    """Writes a log into a temporary folder, measures, and prints JSON. The argument is the number of rows."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(log_lines(rows))
        print(json.dumps(measure(path)))


if __name__ == "__main__":
    main()

"""Read a log by a log format, as `playlog load` does, without a stack."""

from pathlib import Path
from typing import Any

from playlog_cli.loading.files.row import BadRow, Number, Row, SkippedRow
from playlog_cli.loading.files.sources import opened
from playlog_cli.loading.formats.model import LogFormat
from playlog_cli.loading.formats.reading.rows import Outcome, read_log
from playlog_cli.loading.formats.toml.parse import parse_format


def outcomes(path: Path, log_format: LogFormat | str, station: str | None = None) -> list[Outcome]:
    """What becomes of each row of a file."""
    found = parse_format("a.toml", log_format) if isinstance(log_format, str) else log_format
    with opened(path) as source:
        return list(read_log(source, found, station))


def matches(rows: list[Outcome]) -> list[dict[str, Any]]:
    """The attributes of the matches, numbers as text."""
    return [
        {name: value.text if isinstance(value, Number) else value for name, value in row.values.items()}
        for row in rows
        if isinstance(row, Row)
    ]


def problems(rows: list[Outcome]) -> list[tuple[int, str]]:
    """The line and the problem of each bad row."""
    return [(row.line, row.problem) for row in rows if isinstance(row, BadRow)]


def skipped(rows: list[Outcome]) -> list[int]:
    """The lines of the skipped rows."""
    return [row.line for row in rows if isinstance(row, SkippedRow)]

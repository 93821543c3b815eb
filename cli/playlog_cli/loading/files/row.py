"""A row of a file, before it is a match. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeAlias

LONGEST_LINE = 4 * 1024 * 1024  # bytes: a match of 350 KB fits, however it is escaped


# None, bool, Number, str, and lists and dicts of them.
Value: TypeAlias = Any

Cell: TypeAlias = str | datetime | date | time | timedelta
"""A cell as a file has it: a text, or a date or time of a spreadsheet."""


def cell_text(cell: Cell) -> str:
    """A cell as text, without spaces around it.

    A date or time of a spreadsheet is in ISO 8601. ``\\N`` is what MySQL and PostgreSQL write for no value.
    """
    if isinstance(cell, str):
        return cell.strip() if cell != r"\N" else ""
    if isinstance(cell, timedelta):
        return _clock_text(cell)
    return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()


def _clock_text(span: timedelta) -> str:
    """A time span as ``h:mm:ss``, with its fraction of a second if it has one."""
    seconds, micros = span.days * 86_400 + span.seconds, span.microseconds
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{micros:06}".rstrip("0") if micros else text


class RowsError(Exception):
    """The file cannot be read to its end. The message says why, without the file's name."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as the file writes it. ``matches`` decides whether it is one."""

    text: str


@dataclass(frozen=True, slots=True)
class LogCells:
    """The cells of a row that a log format names. Their texts are made only if somebody looks at them.

    Attributes:
        columns: their columns.
        indexes: where they are in the row.
        row: all cells.
    """

    columns: Sequence[str]
    indexes: Sequence[int]
    row: Sequence[Cell]

    def texts(self) -> dict[str, str]:
        """The cells as texts, by their columns."""
        places = zip(self.columns, self.indexes, strict=True)
        return {name: cell_text(self.row[index]) for name, index in places if index < len(self.row)}


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by column.

    Attributes:
        line: physical line of the file, from 1, on which the row begins.
        values: as the file has them, without those that are empty (CSV) or null (JSON).
        is_of_old_table: whether the columns are those of the old Django table MatchCache.
        null_markers: number of cells that were read as no value, like ``NULL``.
        invalid_isrcs: number of ISRCs that are not valid, and that the match does not have.
        identity: what makes this row the same match as another, if that is not all of its values.
        source: the cells that a log format read; None without one.
        step: of a row that lasts up to the next one: 1 if it is later than the row before it, -1 if it is earlier.
        nulls: names of members of JSON that are null.
        is_longest: whether it lasts the maximum, because the next row is later still.
        is_open: whether it should last up to the next row, and there is none at another instant.
    """

    line: int
    values: dict[str, Value]
    is_of_old_table: bool = False
    null_markers: int = 0
    invalid_isrcs: int = 0
    identity: str | None = None
    source: LogCells | None = None
    step: int = 0
    is_longest: bool = False
    is_open: bool = False
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that is no match by a rule of the log format.

    Attributes:
        line: physical line of the file, from 1, on which the row begins.
        source: the cells that the log format read.
    """

    line: int
    source: LogCells


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not loaded.

    Attributes:
        line: physical line of the file, from 1, on which the row begins.
        problem: what is wrong with which value, and what would be right.
    """

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class BadLogRow(BadRow):
    """A row of a log that is not loaded.

    Attributes:
        source: the cells that the log format read.
    """

    source: LogCells

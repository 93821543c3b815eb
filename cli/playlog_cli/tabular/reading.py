"""Rows of a small table that people keep: CSV, JSON Lines or XLSX, recognized by the name of the file."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from playlog_cli.errors import CommandError, shown
from playlog_cli.loading.files.row import RowsError
from playlog_cli.loading.files.text import delimiter_of, lines_of, utf8_chunks
from playlog_cli.tabular.cells import unmarked

_DIGITS_OF_JSON = 100  # of a number: more than anybody writes, and few enough to write all of them
_DIGITS = 15  # of a number in a cell (Microsoft, "Excel specifications and limits")


class TableError(Exception):
    """What is wrong with a table: which row, which column, and what would be right."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row by the names of its columns.

    Attributes:
        number: the line of a text file on which the row begins, or the row of a sheet, from 1.
        cells: text by column, without blanks at the ends; empty cells are absent.
    """

    number: int
    cells: Mapping[str, str]

    def error(self, message: str) -> TableError:
        """An error that names this row."""
        return TableError(f"row {self.number}: {message}")


def read_table(option: str, path: Path, required: Sequence[str]) -> Iterator[TableRow]:
    """Reads the rows of a table.

    Args:
        option: the option that names the file, for messages.
        path: a file whose name ends with .csv, .tsv, .txt, .jsonl, .ndjson or .xlsx.
        required: columns that there must be.

    Raises:
        CommandError: the file cannot be read, or is not such a table.
    """
    readers = {".xlsx": _sheet_rows, ".jsonl": _json_rows, ".ndjson": _json_rows}
    reader = readers.get(path.suffix.lower(), _csv_rows)
    try:
        yield from reader(path, required)
    except OSError as error:
        raise CommandError(f"{option} {path} cannot be read: {error.strerror or error}") from None
    except (RowsError, TableError) as error:
        raise CommandError(f"{option} {path}: {error}") from None
    except CalamineError as error:
        raise CommandError(f"{option} {path} is no XLSX workbook ({error}): save it as XLSX, or as CSV") from None
    except csv.Error as error:
        raise CommandError(f"{option} {path}: broken CSV, {error}: put a cell with quotes in quotes") from None


def _csv_rows(path: Path, required: Sequence[str]) -> Iterator[TableRow]:
    with path.open("rb") as file:
        lines = (line.decode("utf-8") for line in lines_of(utf8_chunks(file, None)))
        try:
            first = next(lines, "")
            reader = csv.reader(_chained(first, lines), delimiter=delimiter_of(first), strict=True)
            columns = _columns(next(reader, []), required)
            while True:
                number = reader.line_num + 1
                cells = next(reader, None)
                if cells is None:
                    return
                if any(cell.strip() for cell in cells):
                    yield _row(number, columns, [unmarked(cell) for cell in cells])
        except UnicodeDecodeError:
            raise TableError("is not UTF-8: save the file as UTF-8, or as XLSX") from None


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _sheet_rows(path: Path, required: Sequence[str]) -> Iterator[TableRow]:
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
    columns: list[str] | None = None
    for number, values in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        cells = [_sheet_cell(number, value) for value in values]
        if not any(cells):
            continue
        if columns is None:
            columns = _columns(_without_empty_end(cells), required)
        else:
            yield _row(number, columns, cells[: len(columns)])
    if columns is None:
        _columns([], required)


def _without_empty_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _sheet_cell(row: int, value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float() if abs(value) >= 10**_DIGITS:
            raise TableError(
                f"row {row}: {value:.0f} is a number, of which a workbook keeps {_DIGITS} digits: format the column as "
                "text, and write the cell again"
            )
        case float() if value.is_integer():
            return str(int(value))
        case float():
            return format(Decimal(repr(value)), "f")
        case datetime() if not any((value.hour, value.minute, value.second)):
            return value.date().isoformat()
        case date() | datetime():
            return value.isoformat()
        case _:
            return str(value).strip()


def _json_rows(path: Path, required: Sequence[str]) -> Iterator[TableRow]:
    with path.open("rb") as file:
        for number, line in enumerate(lines_of(utf8_chunks(file, None)), start=1):
            if not line.strip():
                continue
            try:
                values = json.loads(line, parse_float=Decimal)
            except (ValueError, RecursionError) as error:
                raise TableError(f"row {number}: is not JSON ({error}): write one object on each line") from None
            if not isinstance(values, dict):
                raise TableError(f'row {number}: is {shown(values)}: it must be an object like {{"track_id": "…"}}')
            cells = {name.strip().lower(): _json_cell(number, name, value) for name, value in values.items()}
            if len(cells) < len(values):
                raise TableError(f"row {number}: it names a column twice: each column needs a name of its own")
            row = TableRow(number, {name: cell for name, cell in cells.items() if cell})
            if missing := [name for name in required if name not in row.cells]:
                raise row.error(f"{missing[0]} is missing")
            yield row


def _json_cell(number: int, name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str() if any("\ud800" <= each <= "\udfff" for each in value):
            raise TableError(f"row {number}: {name} is {shown(value)}: it has half of a character, which no text has")
        case str():
            return value.strip()
        case Decimal() if not -_DIGITS_OF_JSON <= value.adjusted() <= _DIGITS_OF_JSON:
            raise TableError(f"row {number}: {name} is {value}: it must have at most {_DIGITS_OF_JSON} digits")
        case int() | Decimal():
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        case list() if all(isinstance(each, str) for each in value):
            return _json_cell(number, name, "; ".join(value))
        case _:
            raise TableError(f"row {number}: {name} is {shown(value)}: it must be a text, a number or a list of texts")


def _columns(header: Sequence[str], required: Sequence[str]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    if missing := [name for name in required if name not in columns]:
        raise TableError(
            f"the header has no column {missing[0]} but {shown(', '.join(columns))}: "
            "the first row must name the columns"
        )
    if "" in columns:
        raise TableError(f"the header has no name for column {columns.index('') + 1}: each column needs one")
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise TableError(f"the header names column {twice[0]} twice: each column needs a name of its own")
    return columns


def _row(number: int, columns: Sequence[str], cells: Sequence[str]) -> TableRow:
    if len(cells) != len(columns):
        raise TableError(
            f"row {number}: it has {len(cells)} cells and the header {len(columns)}: give each column one cell, "
            "and put a cell that holds the delimiter in quotes"
        )
    filled = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip()}
    return TableRow(number, filled)

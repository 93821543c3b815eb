"""Rows of CSV text. Pure."""

import csv
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from playlog.schema import MATCH_CACHE, VALIDATED_TYPES, names

from playlog_cli.errors import shown
from playlog_cli.loading.files.json_rows import is_utf8
from playlog_cli.loading.files.row import BadRow, Number, Row, RowsError, Value
from playlog_cli.loading.files.text import ENCODING_ADVICE, delimiter_of

LONGEST_CELL = 400 * 1024  # characters


# With these columns, and no match_id, a file is of the old Django table MatchCache.
_OLD_TABLE = {"id", "processed", "failed_reason"}


_KNOWN = {name: name for name in (*names(MATCH_CACHE), "id")}
# What exports write for NULL: MySQL and PostgreSQL's text format; other databases, Python and pandas.
NULL_MARKERS = frozenset({r"\N", "NULL", "null", "None", "nan", "NaN"})
_OLD_COLUMNS = (*sorted(_OLD_TABLE), "track_id", "station_id", "matched_at")


def csv_rows(lines: Iterator[bytes]) -> Iterator[Row | BadRow]:
    """Rows by the columns that the header names.

    Args:
        lines: the file's, as UTF-8.

    Raises:
        RowsError: the header is not usable.
    """
    csv.field_size_limit(LONGEST_CELL)  # the module's own limit is lower, and an open quote must end somewhere
    # Bytes that are not UTF-8 become lone surrogates, so that only their row is bad.
    texts = (line.decode(errors="surrogateescape") for line in lines)
    start: list[str] = []
    while not start or not start[-1].strip():
        start.append(next(texts, "end"))
    reader = csv.reader(chain(start, texts), delimiter=delimiter_of(start[-1]), strict=True)
    try:
        header = _header(next(filter(None, reader)), reader.line_num)
    except csv.Error as error:
        raise RowsError(f"line {reader.line_num}: the header is {broken_csv(error, 1, 1)}") from None
    yield from _named(header, _cells_of(reader))


def sheet_rows(rows: Iterator[list[str]]) -> Iterator[Row | BadRow]:
    """Rows of a spreadsheet by the columns that its first row names.

    Args:
        rows: the cells of each row, from the first row of the sheet.

    Raises:
        RowsError: the header is not usable.
    """
    numbered = ((line, cells) for line, cells in enumerate(rows, start=1) if any(map(str.strip, cells)))
    line, names = next(numbered, (1, []))
    yield from _named(_header(names, line), numbered)


def _cells_of(reader: Any) -> Iterator[tuple[int, list[str]] | BadRow]:
    """The cells of each row of CSV, and the line on which it begins."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, broken_csv(error, line, reader.line_num))
            continue
        if cells:
            yield line, cells


def _named(header: list[str], rows: Iterable[tuple[int, list[str]] | BadRow]) -> Iterator[Row | BadRow]:
    is_of_old_table = set(header) >= _OLD_TABLE and "match_id" not in header
    if is_of_old_table and (missing := [name for name in _OLD_COLUMNS if name not in header]):
        raise RowsError(f"has the columns of the old table MatchCache, but for {missing[0]}: export that as well")
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        line, cells = row
        if problem := _cells_problem(cells, header):
            yield BadRow(line, problem)
        else:
            filled = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
            nulls = {name for name, cell in filled.items() if is_of_old_table and cell.strip() in NULL_MARKERS}
            values = {name: _cell(name, cell) for name, cell in filled.items() if name not in nulls}
            yield Row(line, values, is_of_old_table, null_markers=len(nulls))


def _header(cells: list[str], line: int) -> list[str]:
    header = [_column(cell.strip()) for cell in cells]
    where = f"line {line}: the header"
    if not is_utf8("".join(header)):
        raise RowsError(f"{where} is not UTF-8: {ENCODING_ADVICE}")
    if "" in header:
        raise RowsError(f"{where} has no name for column {header.index('') + 1}: each column needs one")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise RowsError(f"{where} names column {twice[0]} twice: each column needs a name of its own")
    if "matched_at" not in header:
        raise RowsError(
            f"{where} has no column matched_at but {shown(', '.join(header))}: "
            "the first line must name the columns, with commas, semicolons, tabs or pipes between them; "
            "if this is a station's own log, run `playlog log-format guess FILE`"
        )
    return header


def _column(name: str) -> str:
    """The name of a column. The contract's names are known whatever their case; others are the writer's own."""
    return _KNOWN.get(name.lower(), name)


def _cells_problem(cells: list[str], header: list[str]) -> str | None:
    if len(cells) != len(header):
        return (
            f"the row has {len(cells)} cells and the header {len(header)}: "
            "give each column one cell, and put a cell that holds the delimiter in quotes"
        )
    if not is_utf8("".join(cells)):
        name, cell = next(each for each in zip(header, cells, strict=True) if not is_utf8(each[1]))
        return f"{name} is {shown(cell)}, which is not UTF-8: {ENCODING_ADVICE}"
    return None


def _cell(name: str, cell: str) -> Value:
    """The cell with the type that the contract gives its column: CSV has no types."""
    match VALIDATED_TYPES.get(name):
        case "N":
            return Number(cell)
        case "BOOL" if cell.lower() in ("true", "false"):
            return cell.lower() == "true"
        case _:
            return cell


def broken_csv(error: csv.Error, first: int, last: int) -> str:
    """What is wrong with the quotes of a row.

    Args:
        error: of the module ``csv``.
        first: line on which the row begins.
        last: line on which reading it stopped.
    """
    where = f" (the row goes on to line {last})" if last > first else ""
    advice = "put a cell with quotes, delimiters or line breaks in quotes, and double its quotes"
    return f"broken CSV, {error}{where}: {advice}"

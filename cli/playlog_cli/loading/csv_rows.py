"""Rows of CSV text. Pure."""

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING

from playlog.schema import VALIDATED_TYPES

from playlog_cli.errors import shown

if TYPE_CHECKING:
    from _csv import Reader
from playlog_cli.loading.json_rows import is_utf8
from playlog_cli.loading.row import BadRow, Number, Row, RowsError, Value

LONGEST_CELL = 400 * 1024  # characters


# With these columns, and no match_id, a file is of the old Django table MatchCache.
_OLD_TABLE = {"id", "processed", "failed_reason"}


_OLD_COLUMNS = (*sorted(_OLD_TABLE), "track_id", "station_id", "matched_at")


def csv_rows(lines: Iterator[bytes]) -> Iterator[Row | BadRow]:
    csv.field_size_limit(LONGEST_CELL)  # the module's own limit is lower, and a quote left open must end somewhere
    # Bytes that are no UTF-8 pass as lone surrogates, so that the row they stand in is still told from its neighbours.
    reader = csv.reader((line.decode(errors="surrogateescape") for line in lines), strict=True)
    header = _header(reader)
    is_of_old_table = set(header) >= _OLD_TABLE and "match_id" not in header
    if is_of_old_table and (missing := [name for name in _OLD_COLUMNS if name not in header]):
        raise RowsError(f"has the columns of the old table MatchCache, but for {missing[0]}: export that as well")
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, _broken_csv(error, line, reader.line_num))
            continue
        if not cells:
            continue
        if problem := _cells_problem(cells, header):
            yield BadRow(line, problem)
        else:
            values = {name: _cell(name, cell) for name, cell in zip(header, cells, strict=True) if cell}
            yield Row(line, values, is_of_old_table)


def _header(reader: "Reader") -> list[str]:
    try:
        header = [name.strip() for name in next(filter(None, reader))]
    except csv.Error as error:
        raise RowsError(f"line {reader.line_num}: the header is {_broken_csv(error, 1, 1)}") from None
    where = f"line {reader.line_num}: the header"
    if not is_utf8("".join(header)):
        raise RowsError(f"{where} is not UTF-8: save the file as UTF-8")
    if "" in header:
        raise RowsError(f"{where} has no name for column {header.index('') + 1}: each column needs one")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise RowsError(f"{where} names column {twice[0]} twice: each column needs a name of its own")
    if "matched_at" not in header:
        raise RowsError(
            f"{where} has no column matched_at but {shown(', '.join(header))}: "
            "the first line must name the columns, with commas between them"
        )
    return header


def _cells_problem(cells: list[str], header: list[str]) -> str | None:
    if len(cells) != len(header):
        return (
            f"the row has {len(cells)} cells and the header {len(header)}: "
            "give each column one cell, and put a cell with a comma in quotes"
        )
    if not is_utf8("".join(cells)):
        name, cell = next(each for each in zip(header, cells, strict=True) if not is_utf8(each[1]))
        return f"{name} is {shown(cell)}, which is not UTF-8: save the file as UTF-8"
    return None


def _cell(name: str, cell: str) -> Value:
    """What JSON would say: CSV has no types, so that the contract's have to tell."""
    match VALIDATED_TYPES.get(name):
        case "N":
            return Number(cell)
        case "BOOL" if cell.lower() in ("true", "false"):
            return cell.lower() == "true"
        case _:
            return cell


def _broken_csv(error: csv.Error, first: int, last: int) -> str:
    where = f" (the row goes on to line {last})" if last > first else ""
    return f"broken CSV, {error}{where}: put a cell with quotes, commas or line breaks in quotes, and double its quotes"

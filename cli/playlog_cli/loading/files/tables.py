"""Tables of cells for log formats: CSV in any layout, and JSON by the paths of its members.

`csv_rows` reads files whose columns are the contract's; here the caller says what the columns mean.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from playlog_cli.errors import shown
from playlog_cli.loading.files.csv_rows import LONGEST_CELL, broken_csv
from playlog_cli.loading.files.json_rows import is_utf8
from playlog_cli.loading.files.row import BadRow, Cell, Number, Row, RowsError
from playlog_cli.loading.files.rows import Source, json_rows_of, readable, text_start
from playlog_cli.loading.files.text import ENCODING_ADVICE, delimiter_of, lines_of


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written.

    Attributes:
        delimiter: between cells; None for the one that the first line has most often.
        quote: around cells; empty if quotes have no meaning.
        encoding: of the text; None for UTF-8, or for UTF-16 with a byte order mark.
        has_header: whether the first row names the columns.
        skip_lines: number of lines before the header, or before the first row.
    """

    delimiter: str | None = None
    quote: str = '"'
    encoding: str | None = None
    has_header: bool = True
    skip_lines: int = 0


@dataclass(frozen=True, slots=True)
class CellRow:
    """The cells of a row, and the line on which it begins."""

    line: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of cells.

    Attributes:
        header: names of the columns; None if the table names none.
        rows: each row that is not blank.
    """

    header: tuple[str, ...] | None
    rows: Iterator[CellRow | BadRow]


def read_table(source: Source, layout: Layout, paths: Sequence[str]) -> Iterator[Table]:
    """Reads a file as a table.

    Args:
        source: the file.
        layout: how it is written.
        paths: members of JSON objects that are the columns, like ``song.artist``.

    Yields:
        The table, once. Its rows are read while they are taken.

    Raises:
        RowsError: the file is empty, or cannot be read to its end.
    """
    with readable():
        start, chunks = text_start(source, layout.encoding)
        if start.startswith((b"{", b"[")):
            yield Table(tuple(paths), _json_cells(json_rows_of(start, chunks), paths))
        else:
            yield _text_table(lines_of(chunks), layout)


def _text_table(lines: Iterator[bytes], layout: Layout) -> Table:
    csv.field_size_limit(LONGEST_CELL)
    # Bytes that are not of the encoding become lone surrogates, so that only their row is bad.
    texts = (line.decode(errors="surrogateescape") for line in lines)
    skipped = len(list(islice(texts, layout.skip_lines)))
    before: list[str] = []
    first = ""
    for first in texts:
        if first.strip():
            break
        before.append(first)
    if not first.strip():
        raise RowsError(f"has no row after its first {skipped} lines: is skip_lines right?")
    skipped += len(before)
    delimiter = layout.delimiter or delimiter_of(first)
    lines_read = chain([first], texts)
    reader = (
        csv.reader(lines_read, delimiter=delimiter, quotechar=layout.quote, strict=True)
        if layout.quote
        else csv.reader(lines_read, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    )
    header = _header(reader, skipped) if layout.has_header else None
    return Table(header, _text_rows(reader, skipped))


def _header(reader: Any, skipped: int) -> tuple[str, ...]:
    try:
        header = tuple(cell.strip() for cell in next(reader))
    except csv.Error as error:
        raise RowsError(f"line {skipped + 1}: the header is {broken_csv(error, 1, 1)}") from None
    if not is_utf8("".join(header)):
        raise RowsError(f"line {skipped + 1}: the header is not UTF-8: {ENCODING_ADVICE}")
    return header


def _text_rows(reader: Any, skipped: int) -> Iterator[CellRow | BadRow]:
    while True:
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, broken_csv(error, line, reader.line_num + skipped))
            continue
        text = "".join(cells)
        if not text.strip():
            continue
        if not text.isascii() and not is_utf8(text):
            cell = next(cell for cell in cells if not is_utf8(cell))
            yield BadRow(line, f"a cell is {shown(cell)}, which is not UTF-8: {ENCODING_ADVICE}")
        else:
            yield CellRow(line, cells)


def _json_cells(rows: Iterator[Row | BadRow], paths: Sequence[str]) -> Iterator[CellRow | BadRow]:
    for row in rows:
        if isinstance(row, BadRow):
            yield row
        else:
            yield CellRow(row.line, [_text(_member(row.values, path)) for path in paths])


def _member(values: Any, path: str) -> Any:
    """The member of an object by its name, or by its path with dots; None if there is none."""
    if isinstance(values, list) and path:
        return [_member(each, path) for each in values]
    if not isinstance(values, dict):
        return None
    if path in values:
        return values[path]
    name, _, rest = path.partition(".")
    return _member(values[name], rest) if rest and name in values else None


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case Number(text):
            return text
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(filter(None, map(_text, value)))
        case _:
            return ""  # an object is no text: the format must name one of its members

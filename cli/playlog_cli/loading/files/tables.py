"""Tables of cells for log formats: CSV in any layout, spreadsheets, and JSON by the paths of its members.

`csv_rows` reads files whose columns are the contract's; here the caller says what the columns mean.
"""

import csv
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from playlog_cli.errors import shown
from playlog_cli.loading.files.checks.json_names import missing_list, missing_name
from playlog_cli.loading.files.checks.open_quotes import open_quote, swallowed_rows
from playlog_cli.loading.files.csv_rows import LONGEST_CELL, broken_csv
from playlog_cli.loading.files.json_rows import is_utf8
from playlog_cli.loading.files.members import holders, member_text, records, rows_in
from playlog_cli.loading.files.row import BadRow, Cell, Row, RowsError
from playlog_cli.loading.files.rows import json_rows_of, text_start
from playlog_cli.loading.files.sheets import is_workbook, workbook_rows
from playlog_cli.loading.files.sources import Source, readable
from playlog_cli.loading.files.text import DELIMITERS, ENCODING_ADVICE, delimiter_of, lines_of

# A text may begin with a bracket, too, like "[fm-1] 14 March".
_JSON = re.compile(rb'\{\s*["}]|\[\s*[\[{\]"]')
_ROWS_WITH_NAMES = 1_000  # of JSON, in which each name stands at least once
ROWS_BEFORE_HEADER = 100  # a title, a name of the station, a period


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is written.

    Attributes:
        is_header: whether a row names the columns; None if no row does.
        paths: members of JSON objects that are the columns, like ``song.artist``.
        optional: those of the members that all objects may lack.
        delimiter: between cells; None for the one by which a line is the header, or that a line has most often.
        quote: around cells; empty if quotes have no meaning.
        encoding: of the text; None for UTF-8, or for UTF-16 with a byte order mark.
        skip_lines: number of lines before the header, or before the first row.
        sheet: name of the sheet in a workbook; None for the first.
        rows: path of the lists in objects of JSON whose members are the rows; None if each object is a row.
        fixed_width: columns without a delimiter: the first character of each, from 1, and its number of characters.
    """

    is_header: Callable[[Sequence[str]], bool] | None
    paths: Sequence[str]
    optional: Collection[str] = ()
    delimiter: str | None = None
    quote: str = '"'
    encoding: str | None = None
    skip_lines: int = 0
    sheet: str | None = None
    rows: str | None = None
    fixed_width: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CellRow:
    """The cells of a row.

    Attributes:
        line: on which it begins.
        cells: as the file has them.
        has_end: whether its last line ends. The last row of a file may lack that, also because the file was cut.
    """

    line: int
    cells: list[Cell]
    has_end: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table of cells.

    Attributes:
        header: names of the columns; None if the table names none.
        rows: each row that is not blank.
        header_row: the row that names the columns, if it was found.
        before: the rows before the header.
    """

    header: tuple[str, ...] | None
    rows: Iterator[CellRow | BadRow]
    header_row: CellRow | None = None
    before: tuple[CellRow, ...] = ()


@contextmanager
def read_table(source: Source, layout: Layout) -> Iterator[Table]:
    """Reads a file as a table, whose rows are read as they are taken.

    Args:
        source: the file.
        layout: how it is written.

    Raises:
        RowsError: the file is empty, or cannot be read to its end; or it is no JSON, and its rows should be in lists.
    """
    with readable():
        if is_workbook(source.start):
            yield _with_header(_sheet_rows(source, layout), layout)
            return
        start, chunks = text_start(source, layout.encoding)
        if layout.fixed_width:
            yield Table(tuple(layout.fixed_width), _fixed_rows(lines_of(chunks), layout))
        elif _JSON.match(start):
            wanted = {path.partition(".")[0] for path in (layout.rows, *layout.paths)} if layout.rows else ()
            rows = json_rows_of(start, chunks, has_any_list=True, wanted=wanted)
            yield Table(tuple(layout.paths), _json_cells(rows, layout))
        else:
            yield _with_header(_text_rows(lines_of(chunks), layout), layout)


def _with_header(rows: Iterator[CellRow | BadRow], layout: Layout) -> Table:
    """A table whose header is the first row that names the columns. If none does, its first row is the header."""
    if layout.rows:
        path = json.dumps(layout.rows, ensure_ascii=False)
        raise RowsError(f"is no JSON: the log format says rows = {path}, which are lists in JSON")
    if layout.is_header is None:
        return Table(None, rows)
    before: list[CellRow] = []
    for row in islice(rows, ROWS_BEFORE_HEADER):
        if isinstance(row, BadRow):
            continue
        names = _names(row)
        if layout.is_header(names):
            return Table(names, rows, row, tuple(before))
        before.append(row)
    if not before:
        raise RowsError("has no rows: is skip_lines right?")
    return Table(_names(before[0]), iter(()))


def _names(row: CellRow) -> tuple[str, ...]:
    return tuple(cell.strip() if isinstance(cell, str) else "" for cell in row.cells)


def _sheet_rows(source: Source, layout: Layout) -> Iterator[CellRow | BadRow]:
    for line, cells in enumerate(workbook_rows(source.content, layout.sheet), start=1):
        if line > layout.skip_lines and any(not isinstance(cell, str) or cell.strip() for cell in cells):
            yield CellRow(line, cells)


def _text_rows(lines: Iterator[bytes], layout: Layout) -> Iterator[CellRow | BadRow]:
    csv.field_size_limit(LONGEST_CELL)
    # Bytes that are not of the encoding become lone surrogates, so that only their row is bad.
    texts = (line.decode(errors="surrogateescape") for line in lines)
    skipped = len(list(islice(texts, layout.skip_lines)))
    first = list(islice(texts, ROWS_BEFORE_HEADER))
    delimiter = layout.delimiter or _delimiter(first, layout)
    last = ""

    def kept() -> Iterator[str]:
        nonlocal last
        for text in chain(first, texts):
            last = text
            yield text

    reader = _reader(kept(), delimiter, layout.quote)
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
        is_long = reader.line_num + skipped > line
        if is_long and (swallowed := swallowed_rows(cells, delimiter)):
            yield BadRow(line, open_quote(reader.line_num + skipped, swallowed))
        elif problem := _text_problem(text, cells):
            yield BadRow(line, problem)
        else:
            yield CellRow(line, cells, last.endswith(("\n", "\r")))


def _fixed_rows(lines: Iterator[bytes], layout: Layout) -> Iterator[CellRow | BadRow]:
    places = [slice(start - 1, start - 1 + width) for start, width in layout.fixed_width.values()]
    for number, line in enumerate(lines, start=1):
        text = line.decode(errors="surrogateescape").rstrip("\r\n")
        if number <= layout.skip_lines or not text.strip():
            continue
        if problem := _text_problem(text, [text]):
            yield BadRow(number, problem)
            continue
        # A line that ends without the blanks of its last columns is whole, but not if the file ends there.
        cells: list[Cell] = [text[place] for place in places if place.start < len(text)]
        yield CellRow(number, cells, line.endswith((b"\n", b"\r")))


def _text_problem(text: str, cells: Sequence[str]) -> str | None:
    """Why the text of a row cannot be right; None if it can."""
    if "\0" in text:
        return f"the row is {shown(text)}, with a NUL byte: the file is damaged, so fetch it again"
    if not text.isascii() and not is_utf8(text):
        cell = next(cell for cell in cells if not is_utf8(cell))
        return f"a cell is {shown(cell)}, which is not UTF-8: {ENCODING_ADVICE}"
    return None


def _delimiter(first: list[str], layout: Layout) -> str:
    """The delimiter by which one of the first lines is the header; else the one that the first line has most often."""
    for line in first if layout.is_header else ():
        for delimiter in DELIMITERS:
            try:
                names = [cell.strip() for cell in next(_reader(iter([line]), delimiter, layout.quote), [])]
            except csv.Error:
                continue
            if layout.is_header and layout.is_header(names):
                return delimiter
    return delimiter_of(next((line for line in first if line.strip()), ""))


def _reader(lines: Iterator[str], delimiter: str, quote: str) -> Any:
    if not quote:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)


def _json_cells(rows: Iterator[Row | BadRow], layout: Layout) -> Iterator[CellRow | BadRow]:
    """The cells of each object.

    Raises:
        RowsError: none of the first rows has one of the names.
    """
    first: list[Row | BadRow] = []
    objects: list[tuple[dict[str, Any], tuple[str, ...]]] = []
    # A document may hold many rows, so that 1,000 documents would not fit into the memory.
    while len(first) < _ROWS_WITH_NAMES and len(objects) < _ROWS_WITH_NAMES and (row := next(rows, None)):
        first.append(row)
        if isinstance(row, Row):
            objects += [(values, row.nulls) for values in _objects(row.values, layout)]
    if layout.rows:
        documents = [(row.values, row.nulls) for row in first if isinstance(row, Row)]
        if problem := missing_list(documents, layout.rows):
            raise RowsError(problem)
    required = [path for path in layout.paths if path not in layout.optional]
    if problem := missing_name(objects[:_ROWS_WITH_NAMES], required):
        raise RowsError(problem)
    for row in chain(first, rows):
        if isinstance(row, BadRow):
            yield row
        else:
            for values in _objects(row.values, layout):
                yield CellRow(row.line, [member_text(values, path) for path in layout.paths])


def _objects(document: dict[str, Any], layout: Layout) -> list[dict[str, Any]]:
    """The rows that a document holds."""
    if layout.rows is None:
        return records(document, layout.paths)
    return [row for each in holders(document, layout.rows) for row in rows_in(each, layout.rows)]

"""The first rows of a file, with how it seems to be written."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from playlog_cli.errors import CommandError
from playlog_cli.loading.files.inputs import find_inputs
from playlog_cli.loading.files.json_rows import is_utf8
from playlog_cli.loading.files.row import Cell, Row, RowsError, cell_text
from playlog_cli.loading.files.rows import json_rows_of, text_start
from playlog_cli.loading.files.sheets import is_workbook, other_sheets, workbook_rows
from playlog_cli.loading.files.sources import Source, opened, readable
from playlog_cli.loading.files.text import DELIMITERS, lines_of
from playlog_cli.loading.formats.guessing.members import find_members
from playlog_cli.loading.formats.guessing.values import looks_like_data

MOST_ROWS = 2_000
# What text that is not UTF-8 may be: Windows in western Europe, old Macs, and what takes any byte.
_ENCODINGS = ("cp1252", "mac-roman", "latin-1")
_MOST_WORDS = 3
_MOST_CHUNKS = 256  # 16 MB of JSON, in which an object may hold many rows
_MOST_LINES = 500_000  # the first letter that is not of UTF-8 may come late


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a file.

    Attributes:
        columns: names of the columns; numbers from 1, as text, if the file names none.
        has_header: whether the file names its columns.
        rows: texts of the cells, in the order of the columns.
        delimiter: between cells; None if the file is no text.
        encoding: of the text, if it is not UTF-8 or UTF-16.
        readings: words as each encoding has them that the text may be in; empty if there is no doubt.
        sheet: name of the sheet of a workbook that was read; None for the first.
        list_path: path of the lists whose members are the rows; None if each object of JSON is a row.
        objects: in how many objects of JSON those lists are.
    """

    columns: tuple[str, ...]
    has_header: bool
    rows: list[list[str]]
    delimiter: str | None = None
    encoding: str | None = None
    readings: tuple[tuple[str, str], ...] = ()
    sheet: str | None = None
    list_path: str | None = None
    objects: int = 0

    @property
    def own(self) -> range:
        """Positions of the columns that are a row's own; the others are those of the objects around its list."""
        prefix = f"{self.list_path}."
        inside = sum(name.startswith(prefix) for name in self.columns) if self.list_path else 0
        return range(inside or len(self.columns))

    def values(self, column: int) -> list[str]:
        """The cells of a column that are not blank."""
        return [row[column] for row in self.rows if row[column]]


def read_sample(path: Path, encoding: str | None) -> Sample:
    """Reads the first rows of a file.

    Args:
        path: the file; of a folder or a ZIP file, its first file is read.
        encoding: of its text, if the user names one.

    Raises:
        CommandError: it cannot be read, or holds no rows.
    """
    file = find_inputs([path])[0]
    try:
        with opened(file.path, file.member) as source, readable():
            if is_workbook(source.start):
                return _of_workbook(file.path, file.member, other_sheets(source.content, None))
            found, readings = (encoding, ()) if encoding else _encoding_of(file.path, file.member)
            return _of_text(source, found, readings)
    except RowsError as error:
        raise CommandError(f"{file.name} {error}") from None


def _of_workbook(path: Path, member: str | None, others: Sequence[str]) -> Sample:
    """The sheet with most rows: a cover sheet may come before the log."""

    def rows_of(sheet: str | None) -> list[list[Cell]]:
        with opened(path, member) as source:
            return list(islice(workbook_rows(source.content, sheet), MOST_ROWS))

    sheets = {sheet: rows_of(sheet) for sheet in (None, *others)}
    longest = max(sheets, key=lambda sheet: sum(any(row) for row in sheets[sheet]))
    return replace(_of_table(sheets[longest]), sheet=longest)


def _encoding_of(path: Path, member: str | None) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """The encoding that the text seems to have, and how its words read in each that it may have."""
    with opened(path, member) as source:
        _, chunks = text_start(source, None)
        lines = (line.decode(errors="surrogateescape") for line in islice(lines_of(chunks), _MOST_LINES))
        broken = [line.encode(errors="surrogateescape") for line in lines if not is_utf8(line)]
    possible = [encoding for encoding in _ENCODINGS if all(_decodes(line, encoding) for line in broken)]
    if not broken:
        return None, ()
    words = [word for line in broken[:_MOST_WORDS] for word in line.split() if not _decodes(word, "utf-8")]
    return possible[0], tuple(
        (encoding, " ".join(word.decode(encoding) for word in words[:_MOST_WORDS])) for encoding in possible
    )


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _of_text(source: Source, encoding: str | None, readings: tuple[tuple[str, str], ...]) -> Sample:
    start, chunks = text_start(source, encoding)
    if start.startswith((b"{", b"[")):
        objects = islice(json_rows_of(start, islice(chunks, _MOST_CHUNKS), has_any_list=True), MOST_ROWS)
        return _of_json([row for row in objects if isinstance(row, Row)])
    lines = [line.decode(errors="replace") for line in islice(lines_of(chunks), MOST_ROWS)]
    delimiter = _delimiter(lines)
    found = _of_table(list(_cells(lines, delimiter)))
    return Sample(found.columns, found.has_header, found.rows, delimiter, encoding, readings)


def _of_json(rows: Sequence[Row]) -> Sample:
    found = find_members([row.values for row in rows])
    names = dict.fromkeys(name for each in found.members for name in each)
    if not names:
        raise RowsError("holds no object: a log has one for each row")
    # The object around a list may have a title as well, so the columns of the members of the list come first.
    columns = tuple(sorted(names, key=lambda name: not name.startswith(f"{found.path}.")) if found.path else names)
    cells = [[each.get(name, "") for name in columns] for each in found.members]
    return Sample(columns, True, cells, list_path=found.path, objects=found.objects)


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter by which most lines have the same number of cells, and most of them."""

    def quality(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(cells) for cells in _cells(lines, delimiter) if len(cells) > 1)
        return max(((times, width) for width, times in widths.items()), default=(0, 0))

    return max(DELIMITERS, key=quality)


def _cells(lines: Sequence[str], delimiter: str) -> list[list[Cell]]:
    reader: Any = csv.reader(lines, delimiter=delimiter)
    rows = []
    while True:
        try:
            rows.append(next(reader))
        except csv.Error:
            continue
        except StopIteration:
            return rows


def _of_table(rows: Sequence[list[Cell]]) -> Sample:
    texts = [[cell_text(cell) for cell in row] for row in rows]
    texts = [row for row in texts if any(row)]
    if not texts:
        raise RowsError("holds no rows")
    widths = Counter(len(row) for row in texts if sum(map(bool, row)) > 1).most_common(1)
    width = widths[0][0] if widths else len(texts[0])
    first = next((number for number, row in enumerate(texts) if len(row) >= width and sum(map(bool, row)) > 1), 0)
    has_header = not any(map(looks_like_data, texts[first]))
    columns = texts[first] if has_header else [str(column) for column in range(1, width + 1)]
    body = [(row + [""] * len(columns))[: len(columns)] for row in texts[first + has_header :]]
    return Sample(tuple(columns), has_header, body)

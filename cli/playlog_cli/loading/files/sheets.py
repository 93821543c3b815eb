"""Cells of a spreadsheet: XLSX, and what else python-calamine reads (XLS, XLSB, ODS)."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook

from playlog_cli.errors import shown
from playlog_cli.loading.files.checks.workbook_size import MOST_BYTES, size_problem
from playlog_cli.loading.files.row import Cell, RowsError

# ECMA-376 part 2 (a ZIP that holds xl/workbook.xml); [MS-CFB] 2.2 (XLS); OpenDocument 1.3, part 2, 3.3.
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# What a workbook begins with, whichever program wrote it.
_MEMBERS = (
    b"xl/",
    b"[Content_Types].xml",
    b"_rels/.rels",
    b"docProps/",
    b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
)

# python-calamine gives midnight as a date. These rows tell whether a column has dates alone, or times as well.
_ROWS_AHEAD = 2_000


def is_workbook(start: bytes) -> bool:
    """Whether a file is a workbook of spreadsheets.

    Args:
        start: its first bytes, at least 80.
    """
    if start.startswith(_OLD_WORKBOOK):
        return True
    return start.startswith(b"PK\x03\x04") and start[30:].startswith(_MEMBERS)


def workbook_rows(content: BinaryIO, sheet: str | None) -> Iterator[list[Cell]]:
    """The rows of a sheet, also those that are blank.

    Args:
        content: the workbook. It is read into memory, as it lies packed on the disk.
        sheet: name of the sheet; None for the first.

    Raises:
        RowsError: it cannot be read, is too large, or has no such sheet.
    """
    with _opened(content) as workbook:
        names = workbook.sheet_names
        if sheet is not None and sheet not in names:
            raise RowsError(f"has no sheet {shown(sheet)}: its sheets are {', '.join(map(repr, names))}")
        found = workbook.get_sheet_by_name(sheet) if sheet is not None else workbook.get_sheet_by_index(0)
        before: list[Cell] = [""] * (found.start[1] if found.start else 0)
        rows = found.iter_rows()
        start = list(islice(rows, _ROWS_AHEAD))
        with_time = {column for row in start for column, value in enumerate(row) if isinstance(value, datetime)}
        for row in chain(start, rows):
            yield before + [_cell(value, has_time=column in with_time) for column, value in enumerate(row)]


def other_sheets(content: BinaryIO, sheet: str | None) -> tuple[str, ...]:
    """Names of the sheets that ``workbook_rows`` does not read.

    Args:
        content: the workbook.
        sheet: name of the sheet that it reads; None for the first.

    Raises:
        RowsError: the workbook cannot be read, or is too large.
    """
    with _opened(content) as workbook:
        names = workbook.sheet_names
    return tuple(name for name in names if name != (sheet or names[0]))


@contextmanager
def _opened(content: BinaryIO) -> Iterator[CalamineWorkbook]:
    packed = content.read(MOST_BYTES + 1)
    if problem := size_problem(packed):
        raise RowsError(problem)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(packed)) as workbook:
            yield workbook
    except CalamineError as error:
        raise RowsError(
            f"is a workbook that cannot be read ({error}): fetch it again, or save it again as XLSX"
        ) from None


def _cell(value: Any, *, has_time: bool) -> Cell:
    match value:
        case date() if has_time and not isinstance(value, datetime):
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - python-calamine's midnight
        case str() | datetime() | date() | time() | timedelta():
            return value
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)

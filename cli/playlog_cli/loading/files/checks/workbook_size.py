"""Whether a workbook is too large to be read. It is read into memory whole, with a place for each cell of a sheet."""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO

MOST_BYTES = 2 * 1024**3  # unpacked. A full sheet, 1,048,576 rows with 17 columns, has about 900 MB
MOST_CELLS = 50_000_000  # python-calamine takes 32 bytes for each, also for those without a value
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_CHUNK_BYTES = 1024 * 1024
_LONGEST_ROW = 64 * _CHUNK_BYTES
# ECMA-376 part 1, 18.3.1.73 and 18.3.1.4: a row has its number, and a cell its column and row. Both may lack them, and
# then follow the one before. Cells without a value (<c r="XFD9"/>) take no memory. What a sheet says of its dimension
# is its writer's own belief.
_ROW_BEGINS = re.compile(rb"<(?:\w+:)?row(?=[\s/>])")
_ROW = re.compile(rb"""<(?:\w+:)?row\s(?:[^>]*?\s)??r=["']([0-9]{1,10})["']""")
_CELL = re.compile(rb"""<(?:\w+:)?c\s(?:[^>]*?\s)??r=["']([A-Za-z]{1,4})([0-9]{1,10})["'][^>]*(?<!/)>""")
_WITHOUT_PLACE = re.compile(rb"""<(?:\w+:)?c(?=[\s>])(?![^>]*?\sr=["'])""")


def size_problem(workbook: bytes) -> str | None:
    """Why a workbook is too large to be read; None if it is not.

    Args:
        workbook: its bytes. Of one that is no ZIP file only the number of bytes counts.
    """
    if len(workbook) > MOST_BYTES:
        return _too_large("")
    try:
        with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > MOST_BYTES:
                return _too_large(" unpacked")
            for info in infos:
                if _SHEET.fullmatch(info.filename):
                    with archive.open(info) as sheet:
                        if problem := _sheet_problem(sheet):
                            return problem
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return None  # reading it says what is wrong
    return None


@dataclass(slots=True)
class _Extent:
    """How far a sheet reaches, at most.

    Attributes:
        height: the highest row of a cell that has its place.
        width: the highest column.
        rows: the highest row, with or without cells.
        has_unplaced: whether cells lack their place: then their rows tell it.
    """

    height: int = 0
    width: int = 0
    rows: int = 0
    has_unplaced: bool = False

    def add(self, text: bytes) -> None:
        """Takes some more rows."""
        cells = _CELL.findall(text)
        self.height = max(self.height, *map(int, {row for _, row in cells}), 0)
        self.width = max(self.width, *map(_number, {column for column, _ in cells}), 0)
        rows = _ROW_BEGINS.split(text)
        # A row without a number follows the one before, and a cell without a place too: each adds at most one.
        self.rows = max(self.rows, *map(int, _ROW.findall(text)), 0) + len(rows) - 1
        if _WITHOUT_PLACE.search(text):
            self.has_unplaced = True
            self.width = max(self.width, *map(_widest, rows))


def _sheet_problem(sheet: IO[bytes]) -> str | None:
    """Why a sheet is too large, by the cells from its first to its last; None if it is not."""
    extent, rest = _Extent(), b""
    while chunk := sheet.read(_CHUNK_BYTES):
        text = rest + chunk
        end = max((row.start() for row in _ROW_BEGINS.finditer(text)), default=0)
        if len(text) - end > _LONGEST_ROW:
            return "has a sheet with a row of more than 64 MB: save the sheet as CSV"
        extent.add(text[:end])
        rest = text[end:]
    extent.add(rest)
    width, height = extent.width, max(extent.height, extent.rows if extent.has_unplaced else 0)
    if width * height <= MOST_CELLS:
        return None
    return (
        f"has a sheet that reaches to row {height:,} and column {width:,}, {width * height:,} cells: delete the rows "
        "and columns after the list, or save the sheet as CSV"
    )


def _widest(row: bytes) -> int:
    placed = max((_number(column) for column, _ in _CELL.findall(row)), default=0)
    return placed + len(_WITHOUT_PLACE.findall(row))


def _number(column: bytes) -> int:
    """The number of a column by its letters: 1 for A, 28 for AB."""
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _too_large(how: str) -> str:
    return f"is a workbook of more than {MOST_BYTES // 1024**3} GB{how}: save its sheet as CSV"

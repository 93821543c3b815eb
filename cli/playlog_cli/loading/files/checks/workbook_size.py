"""Whether a workbook is too large to be read. It is read into memory whole, with a place for each cell of a sheet."""

import io
import re
import zipfile
import zlib

MOST_BYTES = 2 * 1024**3  # unpacked. A full sheet, 1,048,576 rows with 17 columns, has about 900 MB
MOST_CELLS = 50_000_000  # python-calamine takes 32 bytes for each, also for those without a value
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_START_BYTES = 8192
# ECMA-376 part 1, 18.3.1.35: the cells that a sheet uses, before its rows.
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\s[^>]*?ref="(?:[A-Z]+[0-9]+:)?([A-Z]{1,3})([0-9]{1,7})"')


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
                if _SHEET.fullmatch(info.filename) and (
                    problem := _sheet_problem(archive.open(info).read(_START_BYTES))
                ):
                    return problem
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return None  # reading it says what is wrong
    return None


def _sheet_problem(start: bytes) -> str | None:
    found = _DIMENSION.search(start)
    if not found:
        return None
    column, row = found[1].decode(), int(found[2])
    width = 0
    for letter in column:
        width = width * 26 + ord(letter) - ord("A") + 1
    if width * row <= MOST_CELLS:
        return None
    return (
        f"has a sheet that reaches to cell {column}{row}, {width * row:,} cells: delete the rows and columns after the "
        "list, or save the sheet as CSV"
    )


def _too_large(how: str) -> str:
    return f"is a workbook of more than {MOST_BYTES // 1024**3} GB{how}: save its sheet as CSV"

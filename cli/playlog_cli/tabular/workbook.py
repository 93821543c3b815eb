"""Write a workbook (XLSX) in bounded memory. The same rows give the same bytes."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from xlsxwriter.exceptions import XlsxWriterException  # type: ignore[import-untyped]

from playlog_cli.errors import CommandError
from playlog_cli.tabular.cells import Value

MOST_ROWS = 1_048_576  # of a sheet, with its header (Microsoft, "Excel specifications and limits")
MOST_CHARACTERS = 32_767  # of a cell, from the same page
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)  # the same for each workbook, so that its bytes do not depend on the clock


def write_workbook(path: Path, name: str, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Writes a workbook with one sheet: a header, and a row for each of the rows.

    Texts are texts, also where they begin like a formula. Times are written as the clock of their time zone shows them.

    Args:
        path: the file.
        name: of the sheet.
        header: names of the columns.
        rows: a value for each column.

    Raises:
        CommandError: a sheet cannot hold so many rows or so long a text.
        OSError: the file cannot be written.
    """
    with TemporaryDirectory(prefix="playlog-") as folder:
        whole = Path(folder, "book.xlsx")  # elsewhere: xlsxwriter shows a traceback when a disk is full
        _write_book(whole, name, header, rows)
        copyfile(whole, path)


def _write_book(path: Path, name: str, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    try:
        with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as book:
            book.set_properties({"created": _CREATED})
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            formats: dict[type, Any] = {
                datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
                date: book.add_format({"num_format": "yyyy-mm-dd"}),
            }
            for column, title in enumerate(header):
                sheet.set_column(column, column, max(12, min(40, len(title) + 4)))
                sheet.write_string(0, column, title, book.add_format({"bold": True}))
            for number, row in enumerate(rows, start=1):
                if number >= MOST_ROWS:
                    raise CommandError(
                        f"a sheet of XLSX has at most {MOST_ROWS:,} rows: use CSV or Parquet, or a shorter period"
                    )
                for column, value in enumerate(row):
                    _write(sheet, number, column, value, formats)
    except XlsxWriterException as error:
        raise CommandError(f"the workbook cannot be written: {error}") from None


def _write(sheet: Any, row: int, column: int, value: Value, formats: dict[type, Any]) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case int() | Decimal():
            sheet.write_number(row, column, value)
        case datetime():
            sheet.write_datetime(row, column, value.replace(tzinfo=None), formats[datetime])
        case date():
            sheet.write_datetime(row, column, value, formats[date])
        case _ if len(value) > MOST_CHARACTERS:
            raise CommandError(f"a cell of XLSX has at most {MOST_CHARACTERS:,} characters: use CSV or Parquet")
        case _:
            sheet.write_string(row, column, value)

"""The cells of a row as a layout wants them. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal

from playlog_cli.layouts.fields import Row, Surroundings, text_of, value_of
from playlog_cli.layouts.model import Column, Layout, Quoting
from playlog_cli.tabular.cells import Value

_NUMBER = re.compile(r"\d+(\.\d+)?")


class Cells:
    """Makes the cells of a layout.

    Args:
        layout: which.
        around: period and settings.
    """

    def __init__(self, layout: Layout, around: Surroundings) -> None:
        self._layout = layout
        self._around = around

    @property
    def header(self) -> str:
        """The names of the columns, as the first row has them."""
        return self._line([(column.name, False) for column in self._layout.columns])

    def line(self, row: Row) -> str:
        """A row of the file, with its line end."""
        return self._line([self._cell(column, row) for column in self._layout.columns])

    def lacking(self, row: Row) -> Iterator[str]:
        """What a row lacks: columns that the layout requires, and characters that the encoding does not have."""
        cells = {column.name: self._cell(column, row)[0] for column in self._layout.columns}
        for column in self._layout.columns:
            if column.is_required and not cells[column.name]:
                yield column.name
            if column.is_number and not _is_number_or_empty(cells[column.name]):
                yield f"a number as {column.name}"
        for alternatives in self._layout.alternatives:
            if not any(all(cells[name] for name in group) for group in alternatives):
                yield " or ".join(" and ".join(group) for group in alternatives)
        if not all(_is_encodable(cell, self._layout.encoding) for cell in cells.values()):
            yield f"characters that {self._layout.encoding} does not have: they become ?"

    def _cell(self, column: Column, row: Row) -> tuple[str, bool]:
        """A cell, and whether it is a number."""
        if column.field is None:
            return self._text(column.constant), column.is_number and _is_number_or_empty(column.constant)
        value = value_of(column.field, row, self._around)
        text = text_of(value, column.format, self._around)
        if _is_number(value, column) or (column.is_number and _is_number_or_empty(text)):
            return text, True
        return self._text(text), False

    def _text(self, text: str) -> str:
        layout = self._layout
        if layout.is_plain_ascii:
            text = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
        if layout.is_upper_case:
            text = text.upper()
        if layout.removed:
            text = text.translate(dict.fromkeys(map(ord, layout.removed)))
        if layout.quoting is not Quoting.NEEDED:
            # Without an escape, these characters would end the cell or the row.
            text = " ".join(text.replace(layout.quote or layout.delimiter, " ").split())
        return text

    def _line(self, cells: Sequence[tuple[str, bool]]) -> str:
        quoted = (self._quoted(text, is_number=is_number) for text, is_number in cells)
        return self._layout.delimiter.join(quoted) + self._layout.line_end.characters

    def _quoted(self, text: str, *, is_number: bool) -> str:
        quote = self._layout.quote
        match self._layout.quoting:
            case Quoting.NONE:
                return text
            case Quoting.TEXTS:
                return text if is_number else quote + text + quote
            case _:
                needs = any(each in text for each in (self._layout.delimiter, quote, "\r", "\n"))
                return quote + text.replace(quote, quote * 2) + quote if needs else text


def _is_number(value: Value, column: Column) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and column.format in (None, "seconds")


def _is_number_or_empty(text: str) -> bool:
    return not text or is_number(text)


def is_number(text: str) -> bool:
    """Whether a text is a number as files have it, like ``12.5``."""
    return bool(_NUMBER.fullmatch(text))


def _is_encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True

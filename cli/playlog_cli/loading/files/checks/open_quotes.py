"""Rows that a quote has swallowed: one that opens a cell by mistake, and that a later quote closes. Pure."""

import re
from collections.abc import Sequence

_DIGIT = re.compile(r"[0-9]")


def swallowed_rows(cells: Sequence[str], delimiter: str) -> int:
    """How many rows stand in the cells of a row that has line breaks in its cells.

    A line in a cell is taken for a row if it has as many delimiters as the cells before it, and begins with the same
    number of digits and signs as the row, like a date; or if it has as many delimiters as the row.

    Args:
        cells: of the row.
        delimiter: between cells.
    """
    found = 0
    for position, cell in enumerate(cells):
        for line in re.split(r"\r\n|\r|\n", cell)[1:]:
            count = line.count(delimiter)
            is_full = count >= len(cells) - 1 >= 2
            is_alike = count >= max(position, 1) and _shape(line.split(delimiter)[0]) == _shape(cells[0])
            found += is_full or (is_alike and "0" in _shape(cells[0]))
    return found


def open_quote(last: int, swallowed: int) -> str:
    """What is wrong with a row whose quote swallowed other rows.

    Args:
        last: line on which the row ends.
        swallowed: number of the other rows.
    """
    return (
        f"a quote on this line is closed on line {last} only, and {swallowed} more rows stand between: double the "
        'quote, or say quote = "" in the log format if quotes have no meaning'
    )


def _shape(text: str) -> str:
    return _DIGIT.sub("0", text.strip())

"""Read a text, a duration's end or a skip rule from the cells of a row. Pure."""

import json
import re
from collections.abc import Callable
from datetime import datetime, time

from playlog_cli.errors import shown
from playlog_cli.loading.files.row import Cell, cell_text
from playlog_cli.loading.formats.model import EndDuration, Heading, Skip, TextSource
from playlog_cli.loading.formats.reading.columns import Columns
from playlog_cli.loading.formats.reading.times import parse_time_text, time_reader
from playlog_cli.loading.matches import RowError


def text_reader(name: str, source: TextSource, columns: Columns) -> Callable[[list[Cell]], str]:
    """Makes the function that reads an attribute from a row.

    Args:
        name: of the attribute, for messages.
        source: where it comes from.
        columns: where the columns are.
    """
    if not source.columns:
        return lambda _: source.constant
    indexes = [columns.index(column) for column in source.columns]
    if len(indexes) == 1 and source.values is None and not source.prefix and not source.split:
        (index,) = indexes
        return lambda row: cell_text(row[index])

    def read(row: list[Cell]) -> str:
        text = source.separator.join(filter(None, (cell_text(row[index]) for index in indexes)))
        if text and source.split:
            text = _part(name, text, source)
        if text and source.values is not None:
            if text not in source.values:
                known = ", ".join(map(repr, source.values))
                raise RowError(f"{name} is {shown(text)}: the log format has values for {known} only, so add this one")
            text = source.values[text]
        return source.prefix + text if text else ""

    return read


def _part(name: str, text: str, source: TextSource) -> str:
    before, found, after = text.partition(source.split)
    if not found:
        column = json.dumps(source.columns[0], ensure_ascii=False)
        raise RowError(
            f"{name} is part {source.part} of {shown(text)}, which has no {source.split!r}: if such rows are no music, "
            f'skip them: [[skip]] column = {column} except = ["*{source.split}*"]'
        )
    return (before if source.part == 1 else after).strip()


def skip_reader(skip: Skip, columns: Columns) -> Callable[[list[Cell]], bool]:
    """Makes the function that says whether a rule skips a row.

    Args:
        skip: the rule.
        columns: where the columns are.
    """
    index = columns.index(skip.column)
    patterns = [".*".join(map(re.escape, pattern.strip().split("*"))) for pattern in skip.patterns]
    matches = re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL).fullmatch

    def is_skipped(row: list[Cell]) -> bool:
        return bool(matches(cell_text(row[index]))) != skip.is_kept

    return is_skipped


def heading_reader(heading: Heading, columns: Columns) -> Callable[[list[Cell]], str]:
    """Makes the function that returns the date of a heading, or a blank if a row is none.

    Args:
        heading: the rule.
        columns: where the columns are.
    """
    index = columns.index(heading.column)

    def read(row: list[Cell]) -> str:
        text = cell_text(row[index])
        try:
            parse_time_text(text, heading.format)
        except ValueError:
            return ""
        return text

    return read


def end_reader(duration: EndDuration, columns: Columns) -> Callable[[list[Cell]], datetime | time | None]:
    """Makes the function that reads when a row ended.

    It returns a time of the day if the row has no date for it, and None if the cells of the end are blank.

    Args:
        duration: where the end comes from.
        columns: where the columns are.
    """
    indexes = [columns.index(column) for column in duration.end.columns]
    read_time = time_reader(duration.end, "the end")

    def read(row: list[Cell]) -> datetime | time | None:
        cells = [row[index] for index in indexes]
        if not any(map(cell_text, cells)):
            return None
        if isinstance(cells[0], time):  # of a spreadsheet
            return cells[0]
        end = read_time(cells)
        return end if duration.end.has_date else end.time()

    return read

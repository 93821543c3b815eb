"""Find the columns that a log format names in a file. Pure."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import PurePath

from playlog_cli.errors import listed, shown
from playlog_cli.loading.files.row import Cell, LogCells, RowsError
from playlog_cli.loading.formats.model import (
    Column,
    ColumnDuration,
    EndDuration,
    FormatError,
    LogFormat,
)
from playlog_cli.loading.matches import RowError

_PART = re.compile(r"\{(\w+)\}")
FILE_PART = re.compile(r"\{([^\W\d]\w*)(?::(\d{1,3}))?\}")
_PACKED = re.compile(r"\.(gz|xz|bz2)$", re.IGNORECASE)


def columns_of(log_format: LogFormat) -> tuple[Column, ...]:
    """The columns that a format names, each once."""
    found: list[Column] = [*log_format.matched_at.columns]
    for text in log_format.texts.values():
        found += text.columns
    found += [skip.column for skip in log_format.skips]
    found += [heading.column for heading in log_format.headings]
    match log_format.duration:
        case ColumnDuration(column):
            found.append(column)
        case EndDuration(end):
            found += end.columns
    return tuple(dict.fromkeys(found))


def _asked_by(log_format: LogFormat, column: Column) -> str:
    """What in a format names a column: an attribute, or a rule."""
    duration = log_format.duration
    ends = duration.end.columns if isinstance(duration, EndDuration) else ()
    asking = [
        ("matched_at", log_format.matched_at.columns),
        *((name, text.columns) for name, text in log_format.texts.items()),
        ("duration_seconds", (duration.column,) if isinstance(duration, ColumnDuration) else ends),
        *((f"skip rule {number}", (skip.column,)) for number, skip in enumerate(log_format.skips, start=1)),
    ]
    return next((name for name, columns in asking if column in columns), "a heading")


def header_check(log_format: LogFormat) -> Callable[[Sequence[str]], bool]:
    """Makes the function that says whether a row names the columns of a format: all but those that a file may lack."""
    optional = {_folded(name) for name in log_format.optional_columns}
    columns = columns_of(log_format)
    names = {_folded(each) for each in columns if isinstance(each, str) and not _PART.fullmatch(each)} - optional
    highest = max([each for each in columns if isinstance(each, int)], default=0)
    return lambda cells: len(cells) >= highest and names <= {_folded(cell) for cell in cells}


def file_parts(pattern: str | None, name: str) -> dict[str, str]:
    """The parts of a file's name.

    Args:
        pattern: like ``{station}_{day:8}.csv``, in which 8 is a number of characters and ``*`` stands for any
            characters; None for no parts.
        name: of the file, without its folder.

    Raises:
        RowsError: the name is not like the pattern, or is in two ways.
    """
    if pattern is None:
        return {}
    name = unicodedata.normalize("NFC", PurePath(name).name)  # macOS takes accents off their letters
    pattern = unicodedata.normalize("NFC", pattern)
    for text in (name, _PACKED.sub("", name)):
        short, long = (re.fullmatch(_expression(pattern, many), text) for many in (".+?", ".+"))
        if short and long:
            break
    else:
        raise RowsError(f"is called {shown(name)}: by the log format its name must be like {pattern}")
    for part, value in short.groupdict().items():
        if value != long[part]:
            raise RowsError(
                f"is called {shown(name)}, in which {{{part}}} of {pattern} may be {value!r} or {long[part]!r}: give a "
                "part its number of characters, like {day:8}"
            )
    return {f"{{{part}}}": value for part, value in short.groupdict().items()}


def _expression(pattern: str, many: str) -> str:
    """A file name's pattern as a regular expression. ``many`` is that of a part whose length is not given."""
    expression = ""
    for piece in re.split(r"(\{[^{}]*\}|\*)", pattern):
        if part := FILE_PART.fullmatch(piece):
            expression += f"(?P<{part[1]}>{f'.{{{part[2]}}}' if part[2] else many})"
        else:
            expression += many.replace("+", "*") if piece == "*" else re.escape(piece)
    return expression


class Columns:
    """Where the columns of a format are in the rows of a file.

    Args:
        log_format: the format.
        header: names of the file's columns; None if it names none.
        parts: of the file's name, by ``{part}``.

    Raises:
        RowsError: the file lacks a column.
    """

    def __init__(self, log_format: LogFormat, header: Sequence[str] | None, parts: dict[str, str]) -> None:
        self._format = log_format
        self._header = header
        self._numbers = _numbers(header or ())
        self._optional = {_folded(name) for name in log_format.optional_columns}
        self._parts = {**parts, **{f"{{{heading.part}}}": "" for heading in log_format.headings}}
        self._blank = log_format.blank
        named = columns_of(log_format)
        highest = max([column for column in named if isinstance(column, int)], default=0)
        self._width = len(header) if header is not None else highest
        self._extra: list[Cell] = ["", *self._parts.values()]
        self._names = tuple(map(str, named))
        self._indexes = tuple(self.index(column) for column in named)

    def index(self, column: Column) -> int:
        """Where a column is in the rows that ``complete`` returns.

        Raises:
            RowsError: the file lacks it.
        """
        if isinstance(column, int):
            if self._header is not None and column > self._width:
                asked = _asked_by(self._format, column)
                raise RowsError(
                    f"has {self._width} columns: the log format names column {column} for {asked}"
                    f"{_constant_instead(column, asked)}"
                )
            return column - 1
        if column in self._parts:
            return self._width + 1 + list(self._parts).index(column)
        found = self._numbers.get(_folded(column), [])
        if len(found) == 1:
            return found[0]
        if found:
            raise RowsError(
                f"has {len(found)} columns {shown(column)}: name the one by its number, {found[0] + 1} or so"
            )
        if _folded(column) in self._optional:
            return self._width
        if _PART.fullmatch(column):
            raise RowsError(f"has no column {column}: give the log format a file_name with this part")
        if self._header is None:
            raise RowsError(f"names no columns: the log format must say {shown(column)} by its number from 1")
        raise RowsError(self._missing(column, self._header))

    def _missing(self, column: str, header: Sequence[str]) -> str:
        """What to say about a column that the file lacks."""
        asked = _asked_by(self._format, column)
        names = {_folded(name): name for name in header}
        close = get_close_matches(_folded(column), names, n=1)
        advice = f" (did you mean {shown(names[close[0]])}?)" if close else _constant_instead(column, asked)
        return f"has no column {shown(column)} for {asked}{advice}; its columns are {listed(header)}"

    def complete(self, cells: list[Cell]) -> list[Cell]:
        """A row with as many cells as there are columns, without spaces around them, and then the parts."""
        cells = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
        if self._blank:
            cells = ["" if cell in self._blank else cell for cell in cells]
        missing = self._width - len(cells)
        if missing > 0:
            return cells + [""] * missing + self._extra
        return cells[: self._width] + self._extra if missing < 0 else cells + self._extra

    def check_width(self, cells: list[Cell], *, has_end: bool) -> None:
        """Checks that a row is no wider than the header, except for blank cells, and is whole.

        Args:
            cells: of the row.
            has_end: whether its last line ends. Then cells at its end may be missing.

        Raises:
            RowError: it is wider: a cell holds the delimiter, so that those after it are in wrong columns. Or the file
                ends within it.
        """
        if not has_end and len(cells) < self._width:
            raise RowError(
                f"the file ends within this row, which has {len(cells)} of {self._width} cells: fetch the file again, "
                "or end the row with a line end if it is whole"
            )
        if self._header is not None and len(cells) > self._width and any(cells[self._width :]):
            raise RowError(
                f"the row has {len(cells)} cells and the header {self._width}: put a cell that holds the delimiter in "
                "quotes, and each row on a line of its own"
            )

    def set_part(self, part: str, text: str) -> None:
        """Sets a part that the rows below a heading have."""
        self._extra[1 + list(self._parts).index(f"{{{part}}}")] = text

    def is_header_again(self, row: list[Cell]) -> bool:
        """Whether a row repeats the header, as in files that were put together."""
        return self._header is not None and row[0] == self._header[0] and tuple(row[: self._width]) == self._header

    def source(self, row: list[Cell]) -> LogCells:
        """The cells that the format names."""
        return LogCells(self._names, self._indexes, row)


def _constant_instead(column: Column, asked: str) -> str:
    """Advice for a value that was written where a column belongs; blank for what can have no constant."""
    if asked == "matched_at" or " " in asked:
        return ""
    return f"; if it is the value of each row, write {{ constant = {json.dumps(column, ensure_ascii=False)} }}"


def _numbers(header: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, name in enumerate(header):
        found.setdefault(_folded(name), []).append(number)
    return found


def _folded(name: str) -> str:
    """A column's name as it is compared: without case, and with single spaces."""
    return " ".join(name.casefold().split())


def check_columns(log_format: LogFormat) -> None:
    """Checks what can be known of a format's columns without a file.

    Raises:
        FormatError: a column is a part of the file's name that ``file_name`` does not have.
    """
    parts = {part[1] for part in FILE_PART.finditer(log_format.file_name or "")}
    parts |= {heading.part for heading in log_format.headings}
    for column in columns_of(log_format):
        found = _PART.fullmatch(column) if isinstance(column, str) else None
        if found and found[1] not in parts:
            raise FormatError(f"the column {column} is a part that neither file_name nor a heading has")
        if log_format.fixed_width and not found and column not in log_format.fixed_width:
            raise FormatError(
                f"the column is {shown(column)}, which fixed_width does not have: its columns are "
                f"{', '.join(map(repr, log_format.fixed_width))}"
            )
        if isinstance(column, str) and not found and not log_format.has_header:
            raise FormatError(
                f"the column is {shown(column)}, but header is false: name columns by their numbers from 1"
            )

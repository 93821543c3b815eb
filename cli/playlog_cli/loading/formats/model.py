"""A log format as values: where each attribute of a match comes from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

Column: TypeAlias = str | int
"""A column by its name, by its number from 1, or as ``{part}`` of the file's name."""


class FormatError(Exception):
    """A log format is wrong. The message names the key, and says what would be right."""


class Ambiguous(StrEnum):
    """What a local time is that the clock shows twice, where the order of the rows does not decide it."""

    EARLIER = "earlier"
    LATER = "later"
    ERROR = "error"


class TrackFrom(StrEnum):
    """What a ``track_id`` is made of."""

    ISRC = "isrc"
    TRACK_ID = "track_id"
    ARTIST_TITLE = "artist-title"


class Clock(StrEnum):
    """A way to write a duration."""

    SECONDS = "ss.fff"
    SECONDS_COMMA = "ss,fff"
    MILLISECONDS = "milliseconds"
    MINUTES = "m:ss"
    HOURS = "h:mm:ss"

    @property
    def example(self) -> str:
        """A duration as this writes it."""
        return {"ss.fff": "215.5", "ss,fff": "215,5", "milliseconds": "215500", "m:ss": "3:35"}.get(self, "0:03:35")


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where a text comes from.

    Attributes:
        columns: whose cells are joined; empty for a constant.
        separator: between the cells.
        split: what parts the text in two; blank if it stays whole. Further ones after the first belong to part 2.
        part: 1 for what stands before it, 2 for what stands after it.
        constant: the text of every row, if there are no columns.
        values: what stands for each text of the file; None leaves texts as they are.
        prefix: in front of a text that is not blank.
    """

    columns: tuple[Column, ...] = ()
    separator: str = " "
    split: str = ""
    part: int = 1
    constant: str = ""
    values: Mapping[str, str] | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class TimeSource:
    """Where a date and time comes from.

    Attributes:
        columns: whose cells are joined with a space.
        format: of ``strptime``, or ``iso``, ``unix`` (seconds) or ``unix-ms`` (milliseconds).
        has_date: whether the format has a date. Only an end may have a time of the day alone.
    """

    columns: tuple[Column, ...]
    format: str
    has_date: bool = True


@dataclass(frozen=True, slots=True)
class ColumnDuration:
    """A duration that a column states."""

    column: Column
    clock: Clock


@dataclass(frozen=True, slots=True)
class ConstantDuration:
    """The same duration for each row, in seconds."""

    seconds: str


@dataclass(frozen=True, slots=True)
class EndDuration:
    """A duration up to an end that the row states."""

    end: TimeSource


@dataclass(frozen=True, slots=True)
class NextRowDuration:
    """A duration up to the next row of the station.

    Attributes:
        at_most: the longest, in seconds.
    """

    at_most: int


DurationSource: TypeAlias = ColumnDuration | ConstantDuration | EndDuration | NextRowDuration


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows that are no matches: jingles, advertisements, totals.

    Attributes:
        column: whose cell decides.
        patterns: texts in which ``*`` stands for any characters; upper and lower case are the same.
        is_kept: whether the patterns say which rows are kept, and all others are skipped.
    """

    column: Column
    patterns: tuple[str, ...]
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Rows that hold a date for the rows below them, and are no matches.

    Attributes:
        part: the date's name, by which ``{part}`` is a column.
        column: whose cell is the date.
        format: of ``strptime``. A row is a heading if its cell is written like that.
    """

    part: str
    column: Column
    format: str


@dataclass(frozen=True, slots=True)
class LogFormat:
    """How a station's file reads.

    Attributes:
        name: of the format.
        matched_at: where the time comes from.
        texts: where each other attribute comes from, by the attribute's name.
        duration: where the duration comes from; None if the file has none.
        track_from: what a ``track_id`` is made of: the first that a row has.
        skips: which rows are no matches.
        headings: which rows hold a date for those below them.
        delimiter: between cells; None for the one that the first line has most often.
        quote: around cells that hold the delimiter; empty if quotes have no meaning.
        encoding: of the text; None for UTF-8, or for UTF-16 with a byte order mark.
        has_header: whether the first row names the columns.
        skip_lines: number of lines before the header, or before the first row.
        optional_columns: columns that a file may lack.
        time_zone: of local times; None if the format leaves it to the user.
        ambiguous: what a local time is that the clock shows twice.
        blank: texts that mean an empty cell.
        sheet: name of the sheet in a workbook; None for the first.
        rows: path of the lists in objects of JSON whose members are the rows; None if each object is a row.
        file_name: pattern of the file's name, like ``{station}_{day}.csv``; None if the name says nothing.
        fixed_width: columns without a delimiter: the first character of each, from 1, and its number of characters.
    """

    name: str
    matched_at: TimeSource
    texts: Mapping[str, TextSource] = field(default_factory=dict)
    duration: DurationSource | None = None
    track_from: tuple[TrackFrom, ...] = tuple(TrackFrom)
    skips: tuple[Skip, ...] = ()
    headings: tuple[Heading, ...] = ()
    delimiter: str | None = None
    quote: str = '"'
    encoding: str | None = None
    has_header: bool = True
    skip_lines: int = 0
    optional_columns: frozenset[str] = frozenset()
    time_zone: ZoneInfo | None = None
    ambiguous: Ambiguous = Ambiguous.ERROR
    blank: frozenset[str] = frozenset()
    sheet: str | None = None
    rows: str | None = None
    file_name: str | None = None
    fixed_width: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def has_local_times(self) -> bool:
        """Whether times certainly have no offset. An ISO 8601 time shows only in its row whether it has one."""
        return self.matched_at.format not in ("iso", "unix", "unix-ms") and "%z" not in self.matched_at.format

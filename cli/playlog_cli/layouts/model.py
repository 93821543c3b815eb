"""What a layout says. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Unit(StrEnum):
    """What a row of the file is."""

    PLAY = "play"
    TRACK = "track"
    TRACK_AND_STATION = "track and station"


class Quoting(StrEnum):
    """Which cells stand in quotes."""

    NEEDED = "needed"  # those that hold the delimiter, the quote or a line end
    TEXTS = "texts"  # all but numbers
    NONE = "none"


class LineEnd(StrEnum):
    """What ends a row."""

    CRLF = "crlf"
    LF = "lf"

    @property
    def characters(self) -> str:
        """The characters themselves."""
        return {LineEnd.CRLF: "\r\n", LineEnd.LF: "\n"}[self]


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that the user must give.

    Attributes:
        about: what it means.
        values: of which it must be one; empty for any.
        is_number: whether it must be a number, like ``12.5``.
    """

    about: str
    values: tuple[str, ...] = ()
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the file.

    Attributes:
        name: in the header.
        field: where its cells come from; None for a constant or an empty column.
        constant: its cells, if they are all the same.
        format: of times, as ``strftime`` has it, and of durations, like ``hh:mm:ss``; None for the usual form.
        is_required: whether a row without it is reported.
        is_number: whether its cells are numbers, which stand without quotes. Another text is reported.
    """

    name: str
    field: str | None
    constant: str
    format: str | None
    is_required: bool
    is_number: bool


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Which plays are left out of the file. A play must meet one of the conditions.

    Attributes:
        field: whose value decides.
        why: the reason, in words.
        values: texts that the field must not have.
        is_blank: whether a play without a value is left out.
        below: plays whose number is lower are left out.
    """

    field: str
    why: str
    values: frozenset[str] = frozenset()
    is_blank: bool = False
    below: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file looks.

    Attributes:
        name: by which a user names it.
        columns: in their order.
        unit: what a row is.
        file_name: a pattern, like ``{station_id}_{from:%Y-%m}.csv``.
        settings: values that the user must give, by name.
        alternatives: groups of columns of which a row needs one, like ISRC, or album and label.
        leave_out: which plays are left out.
        delimiter: between cells.
        quote: around cells; empty if there is none.
        quoting: which cells stand in quotes.
        line_end: what ends a row.
        encoding: of the text.
        is_plain_ascii: whether accents are taken away, so that ``É`` becomes ``E``.
        is_upper_case: whether texts are in capital letters.
        removed: characters that are taken out of texts.
        has_header: whether the first row has the names of the columns.
        is_of_one_station: whether the file must have the plays of one station alone.
    """

    name: str
    columns: Sequence[Column]
    unit: Unit
    file_name: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    alternatives: Sequence[Sequence[Sequence[str]]] = ()
    leave_out: Sequence[LeaveOut] = ()
    delimiter: str = ","
    quote: str = '"'
    quoting: Quoting = Quoting.NEEDED
    line_end: LineEnd = LineEnd.CRLF
    encoding: str = "utf-8"
    is_plain_ascii: bool = False
    is_upper_case: bool = False
    removed: str = ""
    has_header: bool = True
    is_of_one_station: bool = False

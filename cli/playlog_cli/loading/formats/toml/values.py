"""Values of a TOML file, each checked, with messages that name the key. Pure."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from playlog_cli.errors import shown
from playlog_cli.loading.formats.model import Column, FormatError

MOST_COLUMNS = 16_384  # of a sheet in Excel; a row is filled up to the highest that a format names
# The keys of a format that must stand above its first table, and that are no attributes of matches.
KEYS_OF_FORMATS = (
    "delimiter",
    "quote",
    "encoding",
    "header",
    "skip_lines",
    "optional_columns",
    "time_zone",
    "ambiguous",
    "blank",
    "sheet",
    "rows",
    "file_name",
    "track_from",
)
_Choice = TypeVar("_Choice", bound=StrEnum)


def check_keys(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Checks that a table has no key that means nothing.

    Raises:
        FormatError: it has one.
    """
    for key in table:
        if key not in known:
            if key in KEYS_OF_FORMATS:
                raise FormatError(misplaced(key, where))
            close = get_close_matches(key, known, n=1)
            wanted = f"did you mean {close[0]}?" if close else f"the keys there are {', '.join(known)}"
            raise FormatError(f"{where} has a key {shown(key)} that means nothing: {wanted}")


def misplaced(key: str, where: str) -> str:
    """What to do about a key of the format below the head of a table, which TOML takes for a key of the table."""
    return f"{key} stands below {where}, and belongs to the whole format: move its line to the top, above [match]"


def flag(value: Any, key: str) -> bool:
    """A boolean.

    Raises:
        FormatError: the value is not one.
    """
    if not isinstance(value, bool):
        raise FormatError(f"{key} {described(value)}: it must be true or false")
    return value


def whole_number(value: Any, key: str, least: int, most: int) -> int:
    """A whole number from ``least`` to ``most``.

    Raises:
        FormatError: the value is not one.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise FormatError(f"{key} {described(value)}: it must be a whole number from {least} to {most:,}")
    return value


def text(value: Any, key: str, example: str) -> str:
    """A text that is not blank.

    Raises:
        FormatError: the value is not one.
    """
    if not isinstance(value, str) or not value.strip():
        raise FormatError(f"{key} {described(value)}: it must be a text, like {example}")
    return value


def texts(value: Any, key: str, example: str) -> tuple[str, ...]:
    """A list of texts, which may be blank.

    Raises:
        FormatError: the value is not one.
    """
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise FormatError(f"{key} {described(value)}: it must be a list of texts, like {example}")
    return tuple(value)


def choice(kind: type[_Choice], value: Any, key: str) -> _Choice:
    """One of the values of an enumeration.

    Raises:
        FormatError: the value is not one.
    """
    if not isinstance(value, str) or value not in list(kind):
        raise FormatError(f"{key} {described(value)}: it must be {' or '.join(repr(str(one)) for one in kind)}")
    return kind(value)


def column(value: Any, key: str) -> Column:
    """A column: a name, or a number from 1.

    Raises:
        FormatError: the value is not one.
    """
    is_number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_COLUMNS
    if not is_number and not (isinstance(value, str) and value.strip()):
        raise FormatError(
            f'{key} {described(value)}: it must be a column, by its name like "Title" or its number from 1 to '
            f"{MOST_COLUMNS:,}"
        )
    return value if isinstance(value, int) else value.strip()


def columns(value: Any, key: str) -> tuple[Column, ...]:
    """A list of columns.

    Raises:
        FormatError: the value is not one.
    """
    if not isinstance(value, list) or not value:
        raise FormatError(f'{key} {described(value)}: it must be a list of columns, like ["Date", "Time"]')
    return tuple(column(each, key) for each in value)


def described(value: Any) -> str:
    """A value as a message tells it, in the words of TOML."""
    match value:
        case None:
            return "is missing"
        case bool():
            return f"is {str(value).lower()}"
        case _:
            return f"is {shown(value)}"

"""Values of cells, and how CSV writes them. Pure."""

from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

# None is an empty cell.
Value: TypeAlias = str | int | bool | Decimal | datetime | date | None

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_MARK = "'"


def marked(text: str) -> str:
    """A cell of a CSV file that a spreadsheet must not take for a formula: with an apostrophe before it."""
    return _MARK + text if _is_like_formula(text) else text


def unmarked(text: str) -> str:
    """A cell as it was before ``marked``. A title like ``'Round Midnight`` keeps its apostrophe."""
    return text[1:] if text.startswith(_MARK) and _is_like_formula(text) else text


def _is_like_formula(text: str) -> bool:
    return text.lstrip(_MARK).startswith(_FORMULA_STARTS)


def text_of(value: Value) -> str:
    """A value as CSV has it: nothing for None, ISO 8601 for times, digits for numbers.

    Example:
        >>> text_of(Decimal("1.50")), text_of(True), text_of("=1+1")
        ('1.50', 'true', "'=1+1")
    """
    match value:
        case None:
            return ""
        case str():
            return marked(value)
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def json_of(value: Value) -> str | int | bool | None:
    """A value as JSON has it: decimal numbers and times are text."""
    return value if value is None or isinstance(value, str | int) else text_of(value)

"""What the values of a column look like: dates, times, durations, ISRCs. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from playlog_cli.loading.formats.reading.times import EXCEL, parse_time_text
from playlog_cli.loading.isrc import normalise

SHARE = 0.8  # of a column's values: the others may be totals, or broken
_MOST_VALUES = 500

_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
)
_CLOCKS = (
    "%H:%M:%S",
    "%I:%M:%S %p",
    "%H:%M",
    "%I:%M %p",
    "%I:%M:%S%p",
    "%I:%M%p",
    "%H:%M:%S.%f",
    "%H.%M.%S",
    "%H.%M",
    "%Hh%M",
)
_BETWEEN = (" ", "T", ", ", " - ")
_UNIX = (re.compile(r"[0-9]{10}(\.[0-9]+)?"), re.compile(r"[0-9]{13}"))
_WITH_FRACTION = re.compile(r"[.,]\d")
_WHOLE_MINUTES = re.compile(r"(0?[1-9]|[1-9]\d):[0-5]\d:00")  # an hour or more
_CLOCK_DURATIONS = (
    ("m:ss", re.compile(r"\d{1,3}:[0-5]\d([.,]\d+)?")),
    ("h:mm:ss", re.compile(r"\d?\d:[0-5]\d:[0-5]\d([.,]\d+)?")),
)
_DATA = re.compile(r"[\d.,:/\- ]*\d[\d.,:/\- ]*")


@dataclass(frozen=True, slots=True)
class Guess:
    """A format that the values of a column may have.

    Attributes:
        format: as a log format names it.
        example: a value.
    """

    format: str
    example: str


def looks_like_data(text: str) -> bool:
    """Whether a text is a number, a date, a time or an ISRC, which no column is called."""
    return bool(_DATA.fullmatch(text)) or normalise(text) is not None


def is_isrc_column(values: Sequence[str]) -> bool:
    """Whether most values are ISRCs."""
    return _share(values, lambda text: normalise(text) is not None)


def date_formats(values: Sequence[str]) -> list[Guess]:
    """The formats by which most values are dates."""
    return _by_formats(values, _DATES)


def clock_formats(values: Sequence[str]) -> list[Guess]:
    """The formats by which most values are times of the day."""
    return _by_formats(values, _CLOCKS)


def moment_formats(values: Sequence[str]) -> list[Guess]:
    """The formats by which most values are dates with times."""
    if not values:
        return []
    for name, pattern in zip(("unix", "unix-ms"), _UNIX, strict=True):
        if _share(values, lambda text, pattern=pattern: bool(pattern.fullmatch(text))):  # type: ignore[misc]
            return [Guess(name, values[0])]
    if _share(values, _is_iso):
        return [Guess("iso", values[0])]
    if _share(values, lambda text: bool(_WITH_FRACTION.search(text)) and _parses(text, EXCEL)):
        return [Guess(EXCEL, values[0])]
    # A date before a time leaves few formats to try: the date's.
    dates = [each for between in _BETWEEN for each in _by_formats([_before(text, between) for text in values], _DATES)]
    formats = [f"{date.format}{between}{clock}" for date in dates for between in _BETWEEN for clock in _CLOCKS]
    return _by_formats(values, tuple(dict.fromkeys(formats)))


def duration_format(values: Sequence[str]) -> Guess | None:
    """How most values write a duration."""
    for name, pattern in _CLOCK_DURATIONS:
        if _share(values, lambda text, pattern=pattern: bool(pattern.fullmatch(text))):  # type: ignore[misc]
            return Guess(name, values[0])
    if _share(values, lambda text: bool(re.fullmatch(r"\d+,\d+", text))):
        return Guess("ss,fff", values[0])
    if not _share(values, lambda text: bool(re.fullmatch(r"\d+(\.\d+)?", text))):
        return None
    middle = sorted(float(text) for text in values if re.fullmatch(r"\d+(\.\d+)?", text))[len(values) // 2 :][:1]
    return Guess("milliseconds" if middle and middle[0] > 5_000 else "ss.fff", values[0])


def looks_like_hours(values: Sequence[str]) -> bool:
    """Whether most durations would last an hour or more, each of whole minutes: minutes and seconds taken for hours."""
    return _share(values, lambda text: bool(_WHOLE_MINUTES.fullmatch(text)))


def is_day_number(text: str) -> bool:
    """Whether a text may be a day number of Excel."""
    return bool(re.fullmatch(r"\d{5}", text)) and _parses(text, EXCEL)


def is_part_of_day(text: str) -> bool:
    """Whether a text may be a time of the day as a part of a day, as Excel has it."""
    return bool(re.fullmatch(r"0?[.,]\d+", text))


def are_excel_times(days: Sequence[str], clocks: Sequence[str]) -> bool:
    """Whether two columns are the days and the times of the day of Excel."""
    return _share(days, is_day_number) and _share(clocks, is_part_of_day)


def _is_iso(text: str) -> bool:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return False
    return ":" in text and found.year > 1900


def _by_formats(values: Sequence[str], formats: Sequence[str]) -> list[Guess]:
    found = []
    for each in formats:
        if _share(values, lambda text, each=each: _parses(text, each)):  # type: ignore[misc]
            found.append(Guess(each, values[0]))
    return found


def _parses(text: str, time_format: str) -> bool:
    try:
        parse_time_text(text, time_format)
    except ValueError:
        return False
    return True


def _before(text: str, between: str) -> str:
    """What stands before the time of the day: all before the last ``between`` that a digit with a colon follows."""
    found = re.match(rf"(.*?){re.escape(between)}\d?\d[:.h]\d\d", text)
    return found[1] if found else text


def _share(values: Sequence[str], is_such: Callable[[str], bool]) -> bool:
    tried = values[:_MOST_VALUES]
    return bool(tried) and sum(map(is_such, tried)) >= SHARE * len(tried)

"""Read dates, times and durations as logs write them. Pure."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from playlog_cli.errors import shown
from playlog_cli.loading.files.row import Cell, cell_text
from playlog_cli.loading.formats.model import Clock, TimeSource
from playlog_cli.loading.formats.reading.fast_times import numeric_parser
from playlog_cli.loading.matches import RowError

TimeReader: TypeAlias = Callable[[list[Cell]], datetime]
"""Receives the cells of a time. Returns an instant in UTC, or a local time without an offset."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_MS = 10**11  # in 1973: a smaller number is of seconds
_EARLIEST_SECONDS = 10**8  # in 1973: a smaller number is something else, like the date 20260314
_NUMBER = re.compile(
    r"[+-]?([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})"
)  # without an exponent, of which 1e999999999 has 1 GB of digits
_LONGEST_ISO_DATE = 10  # characters of 2026-03-14; with an hour there are more
EXCEL = "excel"
# ECMA-376 part 1, 18.17.4.1: day 60 is a 29 February that 1900 never had, so later days count from here.
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a local time
_EXCEL_DAYS = (20_000, 80_000)
_GIVE_FORMAT = 'Then give the log format a format for it, like "%Y%m%d"'
_HALF = re.compile(r"\b([ap])\s*\.?\s*m?\b\.?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,6}):(?=\d\d?:))?(\d{1,6}):(\d\d)(?:[.,](\d{1,20}))?")


def time_reader(source: TimeSource, name: str) -> TimeReader:
    """Makes the function that reads a time.

    Args:
        source: where the time comes from.
        name: of the attribute, for messages.
    """
    match source.format:
        case "unix" | "unix-ms":
            return lambda cells: _unix(cells, name, source.format)
        case "iso":
            return lambda cells: _iso(cells, name)
        case _:
            return lambda cells: _by_format(cells, name, source.format)


@lru_cache(maxsize=4096)  # a log has the same durations again and again
def seconds_of(cell: Cell, clock: Clock) -> str | None:
    """A duration in seconds, as a decimal number.

    Args:
        cell: as the file has it.
        clock: how the file writes durations.

    Returns:
        None if the cell is blank.

    Raises:
        RowError: the cell is not written like that.
    """
    if isinstance(cell, time):  # a spreadsheet shows a length as a time of the day
        cell = timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)
    if isinstance(cell, timedelta):
        _check_hours(cell, clock)
        return _plain(Decimal(cell.days * 86_400 + cell.seconds) + Decimal(cell.microseconds) / 1_000_000)
    text = cell_text(cell)
    if not text:
        return None
    if clock in (Clock.MINUTES, Clock.HOURS):
        return _plain(_clock_seconds(text, clock))
    number = text.replace(",", ".") if clock is Clock.SECONDS_COMMA else text
    if not _NUMBER.fullmatch(number):
        raise RowError(f"duration_seconds is {shown(text)}: by the log format it must be written like {clock.example}")
    value = Decimal(number)
    return _plain(value / 1000 if clock is Clock.MILLISECONDS else value)


def _check_hours(span: timedelta, clock: Clock) -> None:
    """Refuses 3:35 that a spreadsheet took for 3 hours. Only the clock h:mm:ss says that whole minutes are meant."""
    minutes, rest = divmod(span, timedelta(minutes=1))
    if clock is not Clock.HOURS and minutes >= 60 and not rest:
        typed = f"{minutes // 60}:{minutes % 60:02}"
        raise RowError(
            f"duration_seconds is {cell_text(span)}, {minutes // 60} hours: a spreadsheet reads {typed} as hours and "
            f'minutes, so write 0:{minutes // 60:02}:{minutes % 60:02} there, or say format = "h:mm:ss"'
        )


def _clock_seconds(text: str, clock: Clock) -> Decimal:
    found = _CLOCK.fullmatch(text)
    if not found or int(found[3]) > 59 or (clock is Clock.HOURS and not found[1]) or (found[1] and int(found[2]) > 59):
        raise RowError(f"duration_seconds is {shown(text)}: by the log format it must be written like {clock.example}")
    hours, minutes, seconds, fraction = found.groups()
    return Decimal(int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)) + Decimal(f"0.{fraction or 0}")


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def parse_time_text(text: str, time_format: str) -> datetime:
    """Reads a time by a format of ``strptime``. Also takes ``a.m.``, ``a`` and the like for AM and PM.

    Args:
        text: the time.
        time_format: its format.

    Returns:
        A local time without an offset, or an instant if the format has ``%z``.

    Raises:
        ValueError: the text is not written like that.
    """
    if time_format == EXCEL:
        return _excel(text)
    if "%p" in time_format:
        text = _HALF.sub(lambda found: f"{found[1].upper()}M", text)
    parse = numeric_parser(time_format)
    if parse and (found := parse(text)):
        return found
    return datetime.strptime(text, time_format)  # noqa: DTZ007 - the caller knows the zone


def _excel(text: str) -> datetime:
    """The date and time of a day number of Excel, to the second. A date and a clock apart are added.

    Raises:
        ValueError: it is no day number, or not between 1954 and 2119.
    """
    numbers = [number.replace(",", ".") for number in text.split()]
    if not all(map(_NUMBER.fullmatch, numbers)):
        raise ValueError(text)
    days = sum(map(Decimal, numbers))
    if not _EXCEL_DAYS[0] <= days <= _EXCEL_DAYS[1]:
        raise ValueError(text)
    return _EXCEL_EPOCH + timedelta(seconds=round(days * 86_400))


def _joined(cells: list[Cell], name: str, time_format: str = "") -> str:
    """The cells as one text. A date of a spreadsheet beside a clock that is a text is written as the format has it."""
    if len(cells) > 1 and isinstance(cells[0], date) and isinstance(cells[1], str) and "%" in time_format:
        cells = [cells[0].strftime(time_format.partition(" ")[0]), *cells[1:]]
    text = " ".join(filter(None, map(cell_text, cells)))
    if not text:
        raise RowError(f"{name} is blank: each row needs its date and time; skip rows that are no plays with [[skip]]")
    return text


def _of_spreadsheet(cells: list[Cell]) -> datetime | None:
    """The date and time of cells that are no texts; None if one of them is a text."""
    match cells:
        case [datetime() as moment]:
            return moment
        case [datetime() as day, time() as clock]:  # a date at midnight
            return datetime.combine(day.date(), clock)
        case [date() as day, time() as clock]:
            return datetime.combine(day, clock)
        case [date() as day, timedelta() as since_midnight]:
            return datetime(day.year, day.month, day.day) + since_midnight  # noqa: DTZ001 - a local time
    return None


def _by_format(cells: list[Cell], name: str, time_format: str) -> datetime:
    if not isinstance(cells[0], str) and (found := _of_spreadsheet(cells)):
        return found
    text = _joined(cells, name, time_format)
    try:
        return parse_time_text(text, time_format)
    except ValueError:
        moment = datetime(2026, 3, 14, 17, 5, 9)  # noqa: DTZ001 - an example of a local time
        example = "46095.7119" if time_format == EXCEL else moment.strftime(time_format)
        raise RowError(f"{name} is {shown(text)}: by the log format it must be a time like {example!r}") from None


def _iso(cells: list[Cell], name: str) -> datetime:
    if not isinstance(cells[0], str) and (found := _of_spreadsheet(cells)):
        return found
    text = _joined(cells, name)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RowError(
            f"{name} is {shown(text)}: it must be a time like '2026-03-14 17:05:09'; if the log writes times in "
            "another way, give the log format a format for it"
        ) from None
    if len(text) <= _LONGEST_ISO_DATE:
        raise RowError(
            f"{name} is {shown(text)}, which has no time of the day: join the columns of date and time, like "
            'columns = ["Date", "Time"]'
        )
    return found


def _unix(cells: list[Cell], name: str, time_format: str) -> datetime:
    text = _joined(cells, name)
    try:
        if not _NUMBER.fullmatch(text):
            raise ValueError(text)
        number = Decimal(text)
        micros = int(number * (1_000_000 if time_format == "unix" else 1_000))
        if time_format == "unix-ms" and abs(number) < _EARLIEST_MS:
            raise RowError(f"{name} is {shown(text)}, which is too small for milliseconds: the format must be unix")
        if time_format == "unix" and number < _EARLIEST_SECONDS:
            raise RowError(f"{name} is {shown(text)}, which is too small for seconds: is it a date? {_GIVE_FORMAT}")
        return _EPOCH + timedelta(microseconds=micros)
    except (ValueError, OverflowError):
        unit, other = ("seconds", "unix-ms") if time_format == "unix" else ("milliseconds", "unix")
        raise RowError(
            f"{name} is {shown(text)}: it must be a number of {unit} since 1970; another format is {other}"
        ) from None

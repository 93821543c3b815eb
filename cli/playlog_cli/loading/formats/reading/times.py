"""Read dates, times and durations as logs write them. Pure."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
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
_HALF = re.compile(r"\b([ap])\s*\.?\s*m?\b\.?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+):(?=\d\d?:))?(\d+):(\d\d)(?:[.,](\d+))?")


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
        if clock is Clock.MINUTES and cell.hour:
            raise RowError(
                f"duration_seconds is {cell.isoformat()}, {cell.hour} hours: a spreadsheet reads {cell.hour}:"
                f"{cell.minute:02} as hours and minutes, so write 0:{cell.hour:02}:{cell.minute:02} there"
            )
        cell = timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)
    if isinstance(cell, timedelta):
        return _plain(Decimal(cell.days * 86_400 + cell.seconds) + Decimal(cell.microseconds) / 1_000_000)
    text = cell_text(cell)
    if not text:
        return None
    if clock in (Clock.MINUTES, Clock.HOURS):
        return _plain(_clock_seconds(text, clock))
    number = text.replace(",", ".") if clock is Clock.SECONDS_COMMA else text
    try:
        value = Decimal(number)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise RowError(f"duration_seconds is {shown(text)}: by the log format it must be written like {clock.example}")
    return _plain(value / 1000 if clock is Clock.MILLISECONDS else value)


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
    if "%p" in time_format:
        text = _HALF.sub(lambda found: f"{found[1].upper()}M", text)
    parse = numeric_parser(time_format)
    if parse and (found := parse(text)):
        return found
    return datetime.strptime(text, time_format)  # noqa: DTZ007 - the caller knows the zone


def _joined(cells: list[Cell], name: str) -> str:
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
        case [date() as day]:
            return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a local time
    return None


def _by_format(cells: list[Cell], name: str, time_format: str) -> datetime:
    if not isinstance(cells[0], str) and (found := _of_spreadsheet(cells)):
        return found
    text = _joined(cells, name)
    try:
        return parse_time_text(text, time_format)
    except ValueError:
        example = datetime(2026, 3, 14, 17, 5, 9).strftime(time_format)  # noqa: DTZ001 - an example of a local time
        raise RowError(f"{name} is {shown(text)}: by the log format it must be a time like {example!r}") from None


def _iso(cells: list[Cell], name: str) -> datetime:
    if not isinstance(cells[0], str) and (found := _of_spreadsheet(cells)):
        return found
    text = _joined(cells, name)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RowError(
            f"{name} is {shown(text)}: it must be a time like '2026-03-14 17:05:09'; if the log writes times in "
            "another way, give the log format a format for it"
        ) from None


def _unix(cells: list[Cell], name: str, time_format: str) -> datetime:
    text = _joined(cells, name)
    try:
        number = Decimal(text)
        micros = int(number * (1_000_000 if time_format == "unix" else 1_000))
        if time_format == "unix-ms" and abs(number) < _EARLIEST_MS:
            raise RowError(f"{name} is {shown(text)}, which is too small for milliseconds: the format must be unix")
        return _EPOCH + timedelta(microseconds=micros)
    except (InvalidOperation, ValueError, OverflowError):
        unit, other = ("seconds", "unix-ms") if time_format == "unix" else ("milliseconds", "unix")
        raise RowError(
            f"{name} is {shown(text)}: it must be a number of {unit} since 1970; another format is {other}"
        ) from None

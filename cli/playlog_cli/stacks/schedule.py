"""When a schedule of EventBridge fires next: ``rate(2 minutes)``, ``cron(0/5 8-17 ? * MON-FRI *)``.

The rules are those of the Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules (legacy)":
six fields, in UTC, and one of the day of the month and the day of the week is ``?``.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS_OF_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # 1 is Sunday
LAST_YEAR = 2199
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\(([^)]*)\)")
# An expression like 29 February meets no day for years; past so many days none is looked for.
DAYS_LOOKED_AT = 366 * 9


def interval(expression: str) -> timedelta | None:
    """The time between two runs of ``rate(...)``; None of another expression."""
    found = _RATE.fullmatch(expression.strip())
    return timedelta(**{f"{found[2]}s": int(found[1])}) if found else None


def next_time(expression: str, after: datetime) -> datetime | None:
    """The first time of ``cron(...)`` that is later than a given one.

    Args:
        expression: as the rule has it.
        after: with an offset.

    Returns:
        It, in UTC; None where there is none, or the expression is no cron expression that this reads.
    """
    try:
        cron = _parse(expression)
    except ValueError:
        return None
    if cron is None:
        return None
    first = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    for days in range(DAYS_LOOKED_AT):
        day = first.date() + timedelta(days)
        if not cron.falls_on(day):
            continue
        earliest = (first.hour, first.minute) if days == 0 else (0, 0)
        for time in ((hour, minute) for hour in sorted(cron.hours) for minute in sorted(cron.minutes)):
            if time >= earliest:
                return datetime(day.year, day.month, day.day, *time, tzinfo=UTC)
    return None


@dataclass(frozen=True)
class _Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    day_fits: Callable[[date], bool]

    def falls_on(self, day: date) -> bool:
        return day.year in self.years and day.month in self.months and self.day_fits(day)


def _parse(expression: str) -> _Cron | None:
    found = _CRON.fullmatch(expression.strip())
    if not found:
        return None
    minutes, hours, days, months, weekdays, years = found[1].split()
    return _Cron(
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        months=_numbers(months, 1, 12, MONTHS),
        years=_numbers(years, 1970, LAST_YEAR),
        day_fits=_day_of_month(days) if weekdays == "?" else _day_of_week(weekdays),
    )


def _numbers(field: str, least: int, most: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """The numbers of a field: ``*``, ``5``, ``1-5``, ``0/15``, ``MON-FRI``, and lists of these."""

    def number(text: str) -> int:
        value = names.index(text.upper()) + least if text.upper() in names else int(text)
        if not least <= value <= most:
            raise ValueError(f"{text} is not from {least} to {most}")
        return value

    numbers: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = least, most
        else:
            start = number(first)
            end = number(last) if dash else most if step else start
        # A span may go over the end: FRI-MON.
        whole = range(start, end + 1) if start <= end else [*range(start, most + 1), *range(least, end + 1)]
        numbers.update(list(whole)[:: int(step or 1)])
    return frozenset(numbers)


def _day_of_month(field: str) -> Callable[[date], bool]:
    def last(day: date) -> int:
        return monthrange(day.year, day.month)[1]

    if field == "L":
        return lambda day: day.day == last(day)
    if field.endswith("W"):
        near = 31 if field == "LW" else int(field[:-1])
        return lambda day: day == _nearest_weekday(day.replace(day=min(near, last(day))))
    days = _numbers(field, 1, 31)
    return lambda day: day.day in days


def _nearest_weekday(day: date) -> date:
    """The weekday nearest to a day, in the same month."""
    shifts = {5: (-1, 2), 6: (1, -2)}.get(day.weekday(), (0,))
    return next(near for shift in shifts if (near := day + timedelta(shift)).month == day.month)


def _day_of_week(field: str) -> Callable[[date], bool]:
    def weekday(day: date) -> int:
        return (day.weekday() + 1) % 7 + 1

    weekdays, hash_sign, nth = field.partition("#")
    if hash_sign:
        (only,) = _numbers(weekdays, 1, 7, DAYS_OF_WEEK)
        return lambda day: weekday(day) == only and (day.day - 1) // 7 + 1 == int(nth)
    if field == "L":
        return lambda day: weekday(day) == 7
    if field.endswith("L"):
        (only,) = _numbers(field[:-1], 1, 7, DAYS_OF_WEEK)
        return lambda day: weekday(day) == only and (day + timedelta(7)).month != day.month
    every = _numbers(field, 1, 7, DAYS_OF_WEEK)
    return lambda day: weekday(day) in every

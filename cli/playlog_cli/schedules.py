"""Schedule expressions of EventBridge rules: are they valid, and when do they fire next?

Source: Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules (legacy)". A rate is a positive
number and a unit, singular for 1 and plural for others. A cron expression has six fields, in UTC: minutes, hours, day
of month, month, day of week, year. One of the two days is ``?``, and the other is not.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from playlog_cli.errors import shown

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS_OF_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # 1 is Sunday
LAST_YEAR = 2199
_RATE = re.compile(r"rate\((\d+) (minutes?|hours?|days?)\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
# 29 February may be 8 years away. Later days are not looked for.
DAYS_LOOKED_AT = 366 * 9


def problem_of(expression: str) -> str | None:
    """Why EventBridge would refuse a schedule expression, and what would be right; None if it is valid.

    Args:
        expression: like ``rate(2 minutes)`` or ``cron(0/5 8-17 ? * MON-FRI *)``.
    """
    try:
        if expression.startswith("cron("):
            _parse_cron(expression)
        else:
            _parse_rate(expression)
    except ValueError as error:
        return f"{shown(expression)}: {error}"
    return None


def interval(expression: str) -> timedelta | None:
    """The time between two runs of a valid ``rate(...)``; None for any other expression."""
    try:
        return _parse_rate(expression)
    except ValueError:
        return None


def next_time(expression: str, after: datetime) -> datetime | None:
    """The first time of ``cron(...)`` after a given one.

    Args:
        expression: the rule's schedule expression.
        after: with an offset.

    Returns:
        The time, in UTC; None if there is none within nine years, or the expression is not a valid cron expression.
    """
    try:
        cron = _parse_cron(expression)
    except ValueError:
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


def _parse_rate(expression: str) -> timedelta:
    found = _RATE.fullmatch(expression)
    if not found:
        raise ValueError("it must be like rate(2 minutes), or cron(0/5 8-17 ? * MON-FRI *) with six fields")
    number, unit = int(found[1]), found[2].removesuffix("s")
    if number == 0:
        raise ValueError("the number must be 1 or more")
    right = unit if number == 1 else f"{unit}s"
    if found[2] != right:
        raise ValueError(f"write rate({number} {right}): the unit is singular for 1, and plural for other numbers")
    return timedelta(**{f"{unit}s": number})


@dataclass(frozen=True)
class _Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    day_fits: Callable[[date], bool]

    def falls_on(self, day: date) -> bool:
        return day.year in self.years and day.month in self.months and self.day_fits(day)


def _parse_cron(expression: str) -> _Cron:
    found = _CRON.fullmatch(expression)
    if not found:
        raise ValueError("it must be like cron(0/5 8-17 ? * MON-FRI *)")
    fields = found[1].split()
    if len(fields) != 6:
        names = "minutes, hours, day of month, month, day of week, year"
        raise ValueError(f"it has {len(fields)} fields and must have six: {names}")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ValueError("exactly one of day of month and day of week must be ?")
    return _Cron(
        minutes=_field("minutes", minutes, 0, 59),
        hours=_field("hours", hours, 0, 23),
        months=_field("month", months, 1, 12, MONTHS),
        years=_field("year", years, 1970, LAST_YEAR),
        day_fits=_named("day of month", days, _day_of_month)
        if weekdays == "?"
        else _named("day of week", weekdays, _day_of_week),
    )


def _named(name: str, field: str, parse: Callable[[str], Callable[[date], bool]]) -> Callable[[date], bool]:
    try:
        return parse(field)
    except ValueError as error:
        raise ValueError(f"{name} is {shown(field)}: {error}") from None


def _field(name: str, field: str, least: int, most: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    try:
        return _numbers(field, least, most, names)
    except ValueError as error:
        raise ValueError(f"{name} is {shown(field)}: {error}") from None


def _whole_number(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ValueError(f"{shown(text)} must be a number from {least} to {most}")
    return int(text)


def _numbers(field: str, least: int, most: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """The numbers of a field: ``*``, ``5``, ``1-5``, ``0/15``, ``MON-FRI``, and lists of these."""

    def number(text: str) -> int:
        return names.index(text.upper()) + least if text.upper() in names else _whole_number(text, least, most)

    numbers: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = _whole_number(step_text, 1, most) if slash else 1
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = least, most
        else:
            start = number(first)
            end = number(last) if dash else most if slash else start
        # A span may wrap around: FRI-MON.
        whole = range(start, end + 1) if start <= end else [*range(start, most + 1), *range(least, end + 1)]
        numbers.update(list(whole)[::step])
    return frozenset(numbers)


def _day_of_month(field: str) -> Callable[[date], bool]:
    def last(day: date) -> int:
        return monthrange(day.year, day.month)[1]

    if field == "L":
        return lambda day: day.day == last(day)
    if field.endswith("W"):
        near = 31 if field == "LW" else _whole_number(field[:-1], 1, 31)
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
        only, week = _one_day_of_week(weekdays), _whole_number(nth, 1, 5)
        return lambda day: weekday(day) == only and (day.day - 1) // 7 + 1 == week
    if field == "L":
        return lambda day: weekday(day) == 7
    if field.endswith("L"):
        only = _one_day_of_week(field[:-1])
        return lambda day: weekday(day) == only and (day + timedelta(7)).month != day.month
    every = _numbers(field, 1, 7, DAYS_OF_WEEK)
    return lambda day: weekday(day) in every


def _one_day_of_week(text: str) -> int:
    found = _numbers(text, 1, 7, DAYS_OF_WEEK)
    if len(found) != 1:
        raise ValueError(f"{shown(text)} must be one day, like 6 or FRI")
    return next(iter(found))

"""Local days and hours in SQL, from instants in microseconds since 1970 in UTC.

Python's time zones make the numbers, so that SQL needs none, and each engine gives the same day and hour.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

MICROSECOND = timedelta(microseconds=1)
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
# Counted from the first day of year 1, so that no number is below 0. ``date.fromordinal`` counts days from there.
_YEAR_1_US = 719_162 * DAY_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# No zone has ever changed its offset twice within this time.
_STEP = timedelta(hours=3)


def us(instant: datetime) -> int:
    """An instant as microseconds since 1970 in UTC."""
    return (instant - _EPOCH) // MICROSECOND


def local(column: str, zone: ZoneInfo, since: datetime, until: datetime) -> str:
    """SQL for the local time of an instant, in microseconds since the beginning of year 1.

    Args:
        column: has the instant.
        zone: the time zone.
        since: the earliest instant that the column can have.
        until: the first instant that is too late for the column.
    """
    offsets = list(_offsets(zone, since, until))
    last = f"{offsets[-1][1] + _YEAR_1_US}"
    if len(offsets) == 1:
        return f"({column} + {last})"
    earlier = " ".join(
        f"WHEN {column} < {us(change)} THEN {offset + _YEAR_1_US}" for (_, offset), (change, _) in pairwise(offsets)
    )
    return f"({column} + CASE {earlier} ELSE {last} END)"


def day(local_us: str) -> str:
    """SQL for the number of the day, from 0 on the first day of year 1."""
    # Both engines divide a multiple exactly, one with integers and the other with floating-point numbers.
    return f"CAST(({local_us} - MOD({local_us}, {DAY_US})) / {DAY_US} AS BIGINT)"


def hour(local_us: str) -> str:
    """SQL for the hour of the day, 0 to 23."""
    of_day = f"MOD({local_us}, {DAY_US})"
    return f"CAST(({of_day} - MOD({of_day}, {HOUR_US})) / {HOUR_US} AS BIGINT)"


def day_of(number: int) -> date:
    """The day that ``day`` gives the number of."""
    return date.fromordinal(number + 1)


def _offsets(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[tuple[datetime, int]]:
    """Each offset of a zone in a period, in microseconds, and from when it holds."""
    at, offset = since, _offset(since, zone)
    yield at, offset
    while at < until:
        later = min(at + _STEP, until)
        after = _offset(later, zone)
        if after != offset:
            yield _change(at, later, zone), after
        at, offset = later, after


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant with the offset of ``after``."""
    while after - before > MICROSECOND:
        middle = before + (after - before) // 2
        if _offset(middle, zone) == _offset(before, zone):
            before = middle
        else:
            after = middle
    return after


def _offset(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset // MICROSECOND

"""Numbers over time: failures per day and reason, and plays per hour and station."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from playlog.domain import timestamps
from playlog.domain.play import time_of

from playlog_cli.failures.counting import Count
from playlog_cli.failures.records import Selection
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import Span, query

INSTANT = timedelta(microseconds=1)
HOURS = 24
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class DaysOfFailures:
    """Failures per day.

    Attributes:
        days: the first one first.
        by_code: a number for each day, by reason code; codes without failures are left out.
    """

    days: tuple[date, ...]
    by_code: dict[str, tuple[int, ...]]

    @property
    def highest(self) -> int:
        """The most failures of a day."""
        return max((sum(day) for day in zip(*self.by_code.values(), strict=True)), default=0)


@dataclass(frozen=True)
class StationHours:
    """The plays of a station by the hour in which they began, in a time zone.

    Attributes:
        station_id: the station.
        today: 24 numbers; those of later hours are 0.
        before: 24 numbers, of the same weekday a week before.
        hour: the current hour, 0 to 23.
    """

    station_id: str
    today: tuple[int, ...]
    before: tuple[int, ...]
    hour: int

    @property
    def so_far(self) -> int:
        """Today's plays in the hours that are over."""
        return sum(self.today[: self.hour])

    @property
    def before_so_far(self) -> int:
        """The plays of the same hours a week before."""
        return sum(self.before[: self.hour])

    @property
    def is_low(self) -> bool:
        """Whether less than half as much was played as a week before."""
        return 2 * self.so_far < self.before_so_far


def failures_of(code: str, day: date, zone: ZoneInfo) -> Selection:
    """The failures of a reason code on a day.

    Args:
        code: the reason code.
        day: the day.
        zone: time zone in which it begins.
    """
    return Selection(code, since=_begin(day, zone), until=_end(day, zone))


def failures_by_day(
    days: Sequence[date], codes: Sequence[str], counts: Mapping[Selection, Count], zone: ZoneInfo
) -> DaysOfFailures:
    """Arranges counts by day.

    Args:
        days: the first one first.
        codes: the reason codes that may occur.
        counts: by what ``failures_of`` makes of each code and day.
        zone: time zone in which days begin.
    """
    found = {code: tuple(counts[failures_of(code, day, zone)].number for day in days) for code in codes}
    return DaysOfFailures(tuple(days), {code: of_code for code, of_code in found.items() if any(of_code)})


def hours_of_day(stack: Stack, station_id: str, day: date, zone: ZoneInfo) -> tuple[int, ...]:
    """Counts the plays of a station by the hour in which they began.

    Args:
        stack: where.
        station_id: the station.
        day: the day.
        zone: time zone of its hours.
    """
    span = Span("play_id", timestamps.to_text(_begin(day, zone)), timestamps.to_text(_end(day, zone)))
    pages = query(stack.dynamodb, stack.play_log_table, ["play_id"], ("station_id", station_id), span)
    counts = Counter(time_of(play["play_id"]["S"]).astimezone(zone).hour for page in pages for play in page)
    return tuple(counts[hour] for hour in range(HOURS))


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _end(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of a day."""
    return _begin(day + timedelta(days=1), zone) - INSTANT

"""The figures of a report: how many plays, how long, how many flagged, and what they come to. Pure.

``sums`` makes them: a line for each track, station, day or hour that was asked for.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from playlog_cli.reporting.rate_card import EXACT, RateCard, Rule

ZERO = Decimal(0)


class By(StrEnum):
    """What plays are grouped by."""

    TRACK = "track"
    STATION = "station"
    DAY = "day"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Period:
    """Days of a time zone, from the beginning of the first one to before the beginning of the last one.

    Attributes:
        start: the first day.
        end: the first day after the period, later than ``start``.
        zone: in which the days begin and end.
    """

    start: date
    end: date
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """The first instant, in UTC."""
        return _midnight(self.start, self.zone)

    @property
    def until(self) -> datetime:
        """The first instant after the period, in UTC."""
        return _midnight(self.end, self.zone)

    @property
    def days(self) -> list[date]:
        """Each day."""
        return [self.start + timedelta(days=number) for number in range((self.end - self.start).days)]


@dataclass(frozen=True, slots=True)
class Play:
    """What a report needs of an item of PlayLog.

    Attributes:
        station_id: that it was heard on.
        track_id: what was heard.
        played_at: when it began, with an offset.
        seconds: how long it was heard.
        matches: how many matches it accounts for.
        confidence: 0 to 100; None if none of its matches has one.
        flagged: whether a person should look at it.
        active: false for a play that was withdrawn.
        archived: whether it was put away.
    """

    station_id: str
    track_id: str
    played_at: datetime
    seconds: Decimal
    matches: int = 1
    confidence: Decimal | None = None
    flagged: bool = False
    active: bool = True
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What some plays add up to.

    Attributes:
        plays: how many.
        matches: how many matches they account for.
        seconds: how long they were heard.
        flagged: how many of them are flagged.
        exact: what they come to before rounding; 0 without a rate card.
        amount: what they come to.
    """

    plays: int = 0
    matches: int = 0
    seconds: Decimal = ZERO
    flagged: int = 0
    exact: Decimal = ZERO
    amount: Decimal = ZERO

    @property
    def flagged_share(self) -> Decimal:
        """Share of the plays that are flagged, 0 to 1, in 4 places."""
        return (Decimal(self.flagged) / (self.plays or 1)).quantize(Decimal("0.0001"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Sum):
    """A line of a report: the plays of a key that one rule covers.

    Attributes:
        key: track, station, day or hour, as the report is grouped.
        rule: that made the amount; None if no rule covers these plays, or without a rate card.
    """

    key: tuple[str, ...]
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class Charts:
    """Plays counted for the charts.

    Attributes:
        by_day: by day and station.
        by_station: by station.
        by_track: by track.
        by_hour: by hour of the day, 0 to 23, in the period's time zone.
    """

    by_day: Counter[tuple[date, str]] = field(default_factory=Counter)
    by_station: Counter[str] = field(default_factory=Counter)
    by_track: Counter[str] = field(default_factory=Counter)
    by_hour: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Figures:
    """What the plays of a period add up to.

    Attributes:
        period: in which they began.
        by: what they are grouped by: values of ``By``, or of ``naming.Key``.
        card: what they are paid by; None if nobody asked.
        lines: each play is in exactly one.
        withdrawn: plays that are not active: they are in no line.
        archived: how many of the plays in the lines were put away.
        charts: what the charts show of the plays in the lines.
    """

    period: Period
    by: Sequence[str]
    card: RateCard | None
    lines: Sequence[Line]
    withdrawn: int
    archived: int
    charts: Charts

    @property
    def total(self) -> Sum:
        """The sum of the lines: of their amounts as they stand there, after rounding."""
        return self._sum(self.lines)

    @property
    def by_rule(self) -> list[tuple[Rule | None, Sum]]:
        """Each rule of the card, in its order, with the sum of its lines, and last what no rule covers, if anything."""
        if self.card is None:
            return []
        lines: dict[Rule | None, list[Line]] = {rule: [] for rule in self.card.rules}
        for line in self.lines:
            lines.setdefault(line.rule, []).append(line)
        return [(rule, self._sum(of_rule)) for rule, of_rule in lines.items()]

    def _sum(self, lines: Sequence[Line]) -> Sum:
        """With the card's decimal places, even where there is no line."""
        sums = total(lines)
        return replace(sums, amount=self.card.rounded(sums.amount)) if self.card else sums


def total(sums: Iterable[Sum]) -> Sum:
    """What sums add up to, exactly."""
    plays = matches = flagged = 0
    seconds = exact = amount = ZERO
    for each in sums:
        plays += each.plays
        matches += each.matches
        flagged += each.flagged
        seconds = EXACT.add(seconds, each.seconds)
        exact = EXACT.add(exact, each.exact)
        amount = EXACT.add(amount, each.amount)
    return Sum(plays=plays, matches=matches, seconds=seconds, flagged=flagged, exact=exact, amount=amount)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The beginning of a day; where midnight does not exist, that is when the clock jumps over it."""
    return datetime.combine(day, time(), zone).astimezone(UTC)

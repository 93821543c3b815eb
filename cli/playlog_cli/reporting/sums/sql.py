"""The SQL of a report: one source of statements for DuckDB and for Athena. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from playlog_cli.exporting.conversion import UNKNOWN_MONTH
from playlog_cli.exporting.engine import literal
from playlog_cli.reporting.figures import By, Period
from playlog_cli.reporting.rate_card import RateCard
from playlog_cli.reporting.sums import clock
from playlog_cli.reporting.sums.rules import CardSql

COLUMN = {By.TRACK: "track_id", By.STATION: "station_id", By.DAY: "day", By.HOUR: "hour"}
_DOUBTFUL = """(malformed IS NOT NULL OR played_at_us IS NULL OR station_id IS NULL OR track_id IS NULL
    OR match_count IS NULL OR duration_seconds IS NULL OR duration_seconds < 0 OR duration_seconds >= 1000000000)"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which plays are read.

    Attributes:
        period: in which they began.
        stations: of which alone; none for all.
        tracks: of which alone; none for all.
    """

    period: Period
    stations: Sequence[str] = ()
    tracks: Sequence[str] = ()

    @property
    def condition(self) -> str:
        """SQL for whether a play is selected."""
        first, last = clock.us(self.period.since), clock.us(self.period.until) - 1
        months = ", ".join(map(literal, months_of(self.period)))
        return f"month IN ({months}) AND played_at_us BETWEEN {first} AND {last} AND {self.is_of_names}"

    @property
    def is_of_names(self) -> str:
        """SQL for whether a play is of the selected stations and tracks."""
        conditions = []
        if self.stations:
            conditions.append(f"station_id IN ({', '.join(map(literal, self.stations))})")
        if self.tracks:
            conditions.append(f"track_id IN ({', '.join(map(literal, self.tracks))})")
        return " AND ".join(conditions) or "TRUE"


def sums(selection: Selection, by: Sequence[By], card: RateCard | None) -> str:
    """The sums of the plays that are active.

    Args:
        selection: which plays.
        by: what they are grouped by.
        card: gives each play its rule.

    Returns:
        A statement. Its columns: a part of the key for each of ``by``, the number of the rule (NULL if none covers the
        plays), plays, matches, seconds, flagged, archived.
    """
    parts = ", ".join(COLUMN[each] for each in by)
    of_card = CardSql.of(card) if card else None
    return f"""
        WITH heard AS (
            SELECT p.track_id, p.station_id, p.match_count, p.duration_seconds, p.avg_confidence_score, p.flagged,
                p.is_archived, p.played_at_us, {_here("p.played_at_us", selection)} AS here_us,
                {of_card.class_number if of_card else "0"} AS class
            FROM plays p
            {of_card.class_join if of_card else ""}
            WHERE COALESCE(p.active, TRUE) AND {selection.condition}
        ), timed AS (
            SELECT *, {clock.day("here_us")} AS day, {clock.hour("here_us")} AS hour,
                {_card_hour(of_card, selection)} AS card_hour, {of_card.reached if of_card else "0"} AS reached
            FROM heard
        )
        SELECT {parts}, {"r.rule" if of_card else "CAST(NULL AS INTEGER)"} AS rule, COUNT(*) AS plays,
            SUM(match_count) AS matches, SUM(duration_seconds) AS seconds, COUNT(*) FILTER (WHERE flagged) AS flagged,
            COUNT(*) FILTER (WHERE is_archived) AS archived
        FROM timed
        {of_card.rule_join if of_card else ""}
        GROUP BY {parts}{", r.rule" if of_card else ""}
    """


def counts(selection: Selection, by: Sequence[By]) -> str:
    """How many plays are active, for the charts.

    Args:
        selection: which plays.
        by: what they are grouped by.

    Returns:
        A statement. Its columns: a part of the key for each of ``by``, plays.
    """
    parts = ", ".join(COLUMN[each] for each in by)
    return f"""
        SELECT {parts}, COUNT(*) AS plays
        FROM (
            SELECT track_id, station_id, {clock.day("here_us")} AS day, {clock.hour("here_us")} AS hour
            FROM (
                SELECT track_id, station_id, {_here("played_at_us", selection)} AS here_us
                FROM plays
                WHERE COALESCE(active, TRUE) AND {selection.condition}
            ) h
        ) t
        GROUP BY {parts}
    """


def exceptions(selection: Selection) -> str:
    """The plays that are not active, and those that need a closer look before they are added up.

    Returns:
        A statement. Its columns: station, track, how many plays are not active, how many need a closer look.
    """
    return f"""
        SELECT station_id, track_id, SUM(CASE WHEN active THEN 0 ELSE 1 END) AS withdrawn,
            SUM(CASE WHEN doubtful THEN 1 ELSE 0 END) AS doubtful
        FROM (
            SELECT station_id, track_id, COALESCE(active, TRUE) AS active, {_DOUBTFUL} AS doubtful
            FROM plays
            WHERE {selection.condition} OR played_at_us IS NULL AND {selection.is_of_names}
        ) p
        WHERE NOT active OR doubtful
        GROUP BY station_id, track_id
    """


def doubtful(selection: Selection, columns: str) -> str:
    """The plays that cannot be added up, or that need a closer look, because an attribute is not as the contract says.

    A play without a valid time is in no period. So each of them is one of these.

    Args:
        selection: which plays.
        columns: SQL for what to return.
    """
    return f"""
        SELECT {columns}
        FROM plays
        WHERE {_DOUBTFUL} AND ({selection.condition} OR played_at_us IS NULL AND {selection.is_of_names})
    """


def _card_hour(of_card: CardSql | None, selection: Selection) -> str:
    """The hour of the day at the station, if a rule asks for it."""
    if of_card is None or not of_card.asks_for_hours:
        return "0"
    period = selection.period
    return clock.hour(of_card.time("played_at_us", period.since, period.until))


def _here(column: str, selection: Selection) -> str:
    """The local time of the period, in microseconds."""
    period = selection.period
    return clock.local(column, period.zone, period.since, period.until)


def months_of(period: Period) -> list[str]:
    """The months that can hold a play of a period, in UTC, and the name for plays without a valid time."""
    day, last = period.since.date(), (period.until - timedelta(microseconds=1)).astimezone(UTC).date()
    months = []
    while (day.year, day.month) <= (last.year, last.month):
        months.append(f"{day:%Y-%m}")
        day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return [*months, UNKNOWN_MONTH]

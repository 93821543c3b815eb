"""The SQL of a report: one source of statements for DuckDB and for Athena. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from zoneinfo import ZoneInfo

from playlog_cli.exporting.engine import literal
from playlog_cli.reporting.figures import By, Period
from playlog_cli.reporting.rate_card import HOURS, RateCard, Rule
from playlog_cli.reporting.sums import clock

COLUMN = {By.TRACK: "track_id", By.STATION: "station_id", By.DAY: "day", By.HOUR: "hour"}
# The columns by which rows are grouped, in the order of GROUPING's bits.
PARTS = ("track_id", "station_id", "day", "hour", "rule")
_CONFIDENCE_PLACES = 35


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
        return f"played_at_us BETWEEN {first} AND {last} AND {self.is_of_names}"

    @property
    def is_of_names(self) -> str:
        """SQL for whether a play is of the selected stations and tracks."""
        conditions = []
        if self.stations:
            conditions.append(f"station_id IN ({_listed(self.stations)})")
        if self.tracks:
            conditions.append(f"track_id IN ({_listed(self.tracks)})")
        return " AND ".join(conditions) or "TRUE"


def sums(selection: Selection, groups: Iterable[frozenset[str]], card: RateCard | None) -> str:
    """The sums of the plays that are active.

    Args:
        selection: which plays.
        groups: sets of ``PARTS``: each play is in one row of each set.
        card: gives each play its rule.

    Returns:
        A statement. Its columns: which parts the row is *not* grouped by (bits of GROUPING), the parts (NULL where not
        grouped by, and for the rule also where no rule covers the plays), plays, matches, seconds, flagged, archived.
    """
    sets = ", ".join("(" + ", ".join(part for part in PARTS if part in group) + ")" for group in groups)
    return f"""
        WITH heard AS (
            SELECT track_id, station_id, match_count, duration_seconds, avg_confidence_score,
                CASE WHEN flagged THEN 1 ELSE 0 END AS flagged, CASE WHEN is_archived THEN 1 ELSE 0 END AS archived,
                {_local("played_at_us", selection.period.zone, selection)} AS here_us,
                {_card_time(selection, card)} AS card_us
            FROM plays
            WHERE COALESCE(active, TRUE) AND {selection.condition}
        ), timed AS (
            SELECT *, {clock.day("here_us")} AS day, {clock.hour("here_us")} AS hour,
                {clock.hour("card_us")} AS card_hour
            FROM heard
        ), ruled AS (
            SELECT *, {_rule(card)} AS rule FROM timed
        )
        SELECT GROUPING({", ".join(PARTS)}) AS parts, {", ".join(PARTS)}, COUNT(*) AS plays,
            SUM(match_count) AS matches, SUM(duration_seconds) AS seconds, SUM(flagged) AS flagged,
            SUM(archived) AS archived
        FROM ruled
        GROUP BY GROUPING SETS ({sets})
    """


def withdrawn(selection: Selection) -> str:
    """How many plays of each station and track are not active."""
    return f"""
        SELECT station_id, track_id, COUNT(*) AS plays
        FROM plays
        WHERE NOT COALESCE(active, TRUE) AND {selection.condition}
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
        WHERE (malformed IS NOT NULL OR station_id IS NULL OR track_id IS NULL OR match_count IS NULL
                OR duration_seconds IS NULL OR duration_seconds < 0 OR duration_seconds >= 1000000000)
                AND {selection.condition}
            OR played_at_us IS NULL AND {selection.is_of_names}
    """


def _local(column: str, zone: ZoneInfo, selection: Selection) -> str:
    return clock.local(column, zone, selection.period.since, selection.period.until)


def _card_time(selection: Selection, card: RateCard | None) -> str:
    """The local time of each play at its station, if a rule asks for the hour."""
    if card is None or all(rule.hours is HOURS for rule in card.rules):
        return "0"
    stations: defaultdict[ZoneInfo, list[str]] = defaultdict(list)
    for station, zone in sorted(card.time_zones.items()):
        if zone != card.time_zone:
            stations[zone].append(station)
    otherwise = _local("played_at_us", card.time_zone, selection) if card.time_zone else "0"
    if not stations:
        return otherwise
    cases = " ".join(
        f"WHEN station_id IN ({_listed(names)}) THEN {_local('played_at_us', zone, selection)}"
        for zone, names in stations.items()
    )
    return f"CASE {cases} ELSE {otherwise} END"


def _rule(card: RateCard | None) -> str:
    """The number of the first rule that fits; NULL if none does."""
    if card is None or not card.rules:
        return "CAST(NULL AS INTEGER)"
    cases = " ".join(f"WHEN {_fits(rule)} THEN {number}" for number, rule in enumerate(card.rules))
    return f"CASE {cases} END"


def _fits(rule: Rule) -> str:
    conditions = []
    if rule.stations is not None:
        conditions.append(f"station_id IN ({_listed(sorted(rule.stations))})")
    if rule.min_confidence is not None:
        conditions.append(f"avg_confidence_score >= CAST('{_least(rule.min_confidence)}' AS DECIMAL(38,35))")
    if rule.hours is not HOURS:
        conditions.append(f"card_hour IN ({', '.join(map(str, sorted(rule.hours)))})")
    return " AND ".join(conditions) or "TRUE"


def _least(confidence: Decimal) -> str:
    """The smallest confidence of an export's column that reaches another one."""
    unit = Decimal(1).scaleb(-_CONFIDENCE_PLACES)
    return format(confidence.quantize(unit, rounding=ROUND_CEILING, context=Context(prec=80)), "f")


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(literal, texts))

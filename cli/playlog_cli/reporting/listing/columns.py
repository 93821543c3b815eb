"""The columns of a list of plays. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from playlog_cli.catalog.entry import Entry
from playlog_cli.reporting.listing.listed_play import ListedPlay
from playlog_cli.tabular.cells import Value


class Column(NamedTuple):
    """A column.

    Attributes:
        name: in CSV, JSON, XLSX and Parquet.
        value: of a play with what the catalog says about its track.
        type: of DuckDB, for Parquet.
    """

    name: str
    value: Callable[[ListedPlay, Entry], Value]
    type: str = "VARCHAR"


COLUMNS: tuple[Column, ...] = (
    Column("played_at", lambda play, _entry: play.played_at, "TIMESTAMP WITH TIME ZONE"),
    Column("stopped_at", lambda play, _entry: play.stopped_at, "TIMESTAMP WITH TIME ZONE"),
    Column("station_id", lambda play, _entry: play.station_id),
    Column("station_program_id", lambda play, _entry: play.program_id or None),
    Column("source", lambda play, _entry: play.source or None),
    Column("track_id", lambda play, _entry: play.track_id),
    Column("title", lambda _play, entry: entry.title or None),
    Column("artist", lambda _play, entry: entry.artist or None),
    Column("album", lambda _play, entry: entry.album or None),
    Column("label", lambda _play, entry: entry.label or None),
    Column("isrc", lambda _play, entry: entry.isrc or None),
    Column("composers", lambda _play, entry: entry.composers or None),
    Column("duration_seconds", lambda play, _entry: play.seconds, "DECIMAL(18, 6)"),
    Column("match_count", lambda play, _entry: play.match_count, "BIGINT"),
    Column("avg_confidence_score", lambda play, _entry: play.confidence, "DOUBLE"),
    Column("flagged", lambda play, _entry: play.flagged, "BOOLEAN"),
    Column("active", lambda play, _entry: play.active, "BOOLEAN"),
    Column("is_archived", lambda play, _entry: play.archived, "BOOLEAN"),
    Column("play_id", lambda play, _entry: play.play_id),
)


def values_of(play: ListedPlay, entry: Entry, zone: ZoneInfo) -> list[Value]:
    """A value for each of the columns.

    Args:
        play: the play.
        entry: what the catalog says about its track.
        zone: of the times.
    """
    values = (column.value(play, entry) for column in COLUMNS)
    return [value.astimezone(zone) if isinstance(value, datetime) else value for value in values]

"""Figures of plays that a test makes, by the engine that the command uses."""

import atexit
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import cache

from playlog_cli.exporting.columns import PLAYS
from playlog_cli.exporting.engine import Engine, literal, open_engine
from playlog_cli.exporting.opened import create_view
from playlog_cli.reporting.figures import By, Figures, Period, Play
from playlog_cli.reporting.rate_card import RateCard
from playlog_cli.reporting.sums import adding, clock
from playlog_cli.reporting.sums.sql import Selection

GIVEN = (
    "station_id",
    "track_id",
    "played_at_us",
    "duration_seconds",
    "match_count",
    "avg_confidence_score",
    "flagged",
    "active",
    "is_archived",
)
_OPEN = ExitStack()
atexit.register(_OPEN.close)


@cache
def engine() -> Engine:
    """One engine for all tests of a process: to start it takes longer than a test."""
    return _OPEN.enter_context(open_engine())


def figures_of(plays: Iterable[Play], period: Period, by: Sequence[By], card: RateCard | None = None) -> Figures:
    """What plays add up to."""
    put(engine(), plays)
    return adding.figures_of(engine(), Selection(period), by, card).figures


def put(shared: Engine, plays: Iterable[Play]) -> None:
    """Makes plays the table ``plays`` of an engine."""
    create_view(shared, PLAYS, [])
    rows = ", ".join(map(_row, plays))
    if rows:
        columns = (
            f'CAST({column.name if column.name in GIVEN else "NULL"} AS {column.type}) AS "{column.name}"'
            for column in PLAYS.columns
        )
        shared.connection.execute(
            f"CREATE OR REPLACE VIEW plays AS SELECT {', '.join(columns)}, "
            "strftime(make_timestamp(CAST(played_at_us AS BIGINT)), '%Y-%m') AS month "
            f"FROM (VALUES {rows}) AS given ({', '.join(GIVEN)})"
        )


def _row(play: Play) -> str:
    values = [
        literal(play.station_id),
        literal(play.track_id),
        str(clock.us(play.played_at)),
        f"'{play.seconds:f}'",
        str(play.matches),
        "NULL" if play.confidence is None else f"'{play.confidence:f}'",
        *(str(flag).upper() for flag in (play.flagged, play.active, play.archived)),
    ]
    return f"({', '.join(values)})"

"""A number that tells apart the plays that a report has added up: ``listed_play.digest_of`` in SQL of DuckDB."""

from playlog_cli.exporting.engine import Engine
from playlog_cli.reporting.listing.listed_play import CONFIDENCE_PLACES, DIGESTS, SECONDS_PLACES, SEPARATOR
from playlog_cli.reporting.sums.sql import Selection

_WORDS, _DIGITS, _BITS = 8, 8, 32  # of a SHA-256 in hexadecimal digits


def plays_and_digest(engine: Engine, selection: Selection) -> tuple[int, int]:
    """How many plays are selected, with those that were withdrawn, and their digest.

    Args:
        engine: has the table ``plays`` with the columns of an export.
        selection: which plays.
    """
    values = f"""
        station_id, play_id, track_id, CAST(played_at_us AS VARCHAR),
        CAST(CAST(duration_seconds AS DECIMAL(18, {SECONDS_PLACES})) AS VARCHAR),
        COALESCE(CAST(CAST(avg_confidence_score AS DECIMAL(38, {CONFIDENCE_PLACES})) AS VARCHAR), ''),
        CAST(COALESCE(flagged, FALSE) AS VARCHAR), CAST(COALESCE(active, TRUE) AS VARCHAR)"""
    words = ", ".join(
        f"SUM(CAST('0x' || substr(hash, {number * _DIGITS + 1}, {_DIGITS}) AS UBIGINT))" for number in range(_WORDS)
    )
    statement = f"""
        SELECT COUNT(*), {words}
        FROM (
            SELECT sha256(concat_ws(chr({ord(SEPARATOR)}), {values})) AS hash FROM plays WHERE {selection.condition}
        ) p
    """
    ((count, *sums),) = engine.rows(statement)
    digest = sum(int(part or 0) << _BITS * (_WORDS - 1 - number) for number, part in enumerate(sums))
    return count, digest % DIGESTS

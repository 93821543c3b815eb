"""The invariants in SQL: which matches and plays of an export contradict them, for DuckDB and for Athena. Pure.

A statement may return a match or a play that is in order. It never omits one that is not: what it returns is checked
by ``invariants``, as the audit of the tables does.
"""

from collections.abc import Sequence

from playlog_cli.auditing.items import MATCH_ATTRIBUTES, PLAY_ATTRIBUTES, RECORD_ATTRIBUTES
from playlog_cli.exporting.columns import FAILURES, MATCHES, PLAYS
from playlog_cli.exporting.items import columns_of, listed

MATCH_COLUMNS = columns_of(MATCHES, MATCH_ATTRIBUTES)
PLAY_COLUMNS = columns_of(PLAYS, PLAY_ATTRIBUTES)
RECORD_COLUMNS = columns_of(FAILURES, RECORD_ATTRIBUTES)

# ``items.ALIKE`` in microseconds and points of confidence, and a little less: the numbers here are not rounded alike.
_ALIKE_US = 9
_ALIKE_POINTS = "0.0000099"

_IS_PLAYED = "COALESCE({0}.processed, FALSE)"
_NAMES_PLAY = f"({_IS_PLAYED} AND COALESCE({{0}}.station_id, '') <> '' AND COALESCE({{0}}.play_id, '') <> '')"
_HAS_FAILED = "(COALESCE({0}.failed_reason, '') <> '')"
_HAS_SHARD = "({0}.unprocessed_shard IS NOT NULL OR COALESCE({0}.malformed LIKE '%unprocessed_shard%', FALSE))"
_ATTEMPTS = "CASE WHEN {0}.attempts > 0 THEN {0}.attempts ELSE 0 END"


def states(shards: int) -> str:
    """How many matches are in each state.

    Args:
        shards: the stack's ``UnprocessedShards``, 1 to 64.

    Returns:
        A statement. Its columns: the name of a ``State``, and a number.
    """
    return f"SELECT state, COUNT(*) AS matches FROM (SELECT {_state(shards)} AS state FROM matches m) s GROUP BY state"


def matches(shards: int) -> str:
    """The matches that contradict themselves or the record of their last attempt.

    Args:
        shards: the stack's ``UnprocessedShards``, 1 to 64.

    Returns:
        A statement. Its columns: those of the match, whether its play exists, those of the record (NULL if there is
        none). A match whose attempts cannot be read has a row for each of its records. In the order of ``match_id``.
    """
    return f"""
        WITH odd AS (
            SELECT m.match_id
            FROM (SELECT *, {_state(shards)} AS state, {_ATTEMPTS.format("m")} AS tried FROM matches m) m
            LEFT JOIN failures r ON r.match_id = m.match_id AND r.attempt = m.tried AND {_is_readable("r", ["attempt"])}
            WHERE m.state IN ('stranded', 'in two states')
                OR m.state = 'waiting' AND (COALESCE(m.play_id, '') <> '' OR COALESCE(m.processed_at, '') <> '')
                OR m.state IN ('waiting', 'failed') AND m.expires_at IS NOT NULL
                OR {_IS_PLAYED.format("m")}
                    AND (NOT {_NAMES_PLAY.format("m")} OR COALESCE(m.processed_at, '') = '')
                OR (m.state = 'failed' OR m.tried > 0) AND r.match_id IS NULL
                OR m.state = 'failed'
                    AND (m.failed_reason <> COALESCE(r.reason, '') OR COALESCE(r.will_retry, TRUE))
                OR {_is_malformed("m", MATCH_ATTRIBUTES)}
        )
        SELECT {listed(MATCH_COLUMNS, "m.")}, p.play_id IS NOT NULL AS has_play, {listed(RECORD_COLUMNS, "r.")}
        FROM odd
        JOIN matches m ON m.match_id = odd.match_id
        LEFT JOIN plays p ON p.station_id = m.station_id AND p.play_id = m.play_id
        LEFT JOIN failures r ON r.match_id = m.match_id AND {_is_last_attempt()}
        ORDER BY m.match_id
    """


def plays(now: float) -> str:
    """The plays that contradict their matches, and the matches that name a play that is not there.

    Args:
        now: in epoch seconds: which matches may have expired.

    A play whose matches may have expired may have fewer of them than it says. If its creator is there, it must be one
    of them.

    Returns:
        A statement. Its columns: the key of the play (station and id), the columns of the play, those of the match that
        it says created it, those of one of its matches, those of that match's last record. All are NULL where there is
        no such item. In the order of the key; a play has a row for each of its matches.
    """
    return f"""
        WITH accounts AS (
            SELECT station_id, play_id, COUNT(*) AS matches, COUNT(matched_at_us) AS starts,
                MIN(matched_at_us) AS start_us, COUNT(stop_us) AS stops, MAX(stop_us) AS stop_us,
                SUM(score) AS score, COUNT(score) AS scores, MIN(match_id) AS first_id, MAX(match_id) AS last_id,
                MAX(doubtful) AS doubtful
            FROM (
                SELECT m.*, m.matched_at_us + CAST(m.duration_seconds * 1000000 AS BIGINT) AS stop_us,
                    CAST(m.avg_confidence_score AS DOUBLE) AS score,
                    CASE WHEN {_is_malformed("m", MATCH_ATTRIBUTES)} THEN 1 ELSE 0 END AS doubtful
                FROM matches m
                WHERE {_NAMES_PLAY.format("m")}
            ) m
            GROUP BY station_id, play_id
        ), suspects AS (
            SELECT COALESCE(a.station_id, p.station_id) AS station_id, COALESCE(a.play_id, p.play_id) AS play_id
            FROM accounts a
            FULL OUTER JOIN plays p ON p.station_id = a.station_id AND p.play_id = a.play_id
            WHERE p.play_id IS NULL OR {_is_malformed("p", PLAY_ATTRIBUTES)} OR a.doubtful = 1
                OR ({_contradictions()})
                    AND NOT ({_may_lack_matches(now)} AND COALESCE(a.matches, 0) < COALESCE(p.match_count, 0))
            UNION
            SELECT p.station_id, p.play_id
            FROM plays p
            JOIN matches c ON c.match_id = p.match_id
            WHERE {_may_lack_matches(now)}
                AND NOT ({_NAMES_PLAY.format("c")} AND c.station_id = p.station_id AND c.play_id = p.play_id)
        )
        SELECT s.station_id, s.play_id, {listed(PLAY_COLUMNS, "p.")}, {listed(MATCH_COLUMNS, "c.")},
            {listed(MATCH_COLUMNS, "m.")}, {listed(RECORD_COLUMNS, "r.")}
        FROM suspects s
        LEFT JOIN plays p ON p.station_id = s.station_id AND p.play_id = s.play_id
        LEFT JOIN matches c ON c.match_id = p.match_id
        LEFT JOIN matches m ON m.station_id = s.station_id AND m.play_id = s.play_id AND m.processed
        LEFT JOIN failures r ON r.match_id = m.match_id AND p.play_id IS NULL AND {_is_last_attempt()}
        ORDER BY s.station_id, s.play_id, m.match_id
    """


def _state(shards: int) -> str:
    """The name of the ``State`` that a match ``m`` shows."""
    in_range = ", ".join(f"'{number}'" for number in range(shards))
    shard, played, failed = (each.format("m") for each in (_HAS_SHARD, _IS_PLAYED, _HAS_FAILED))
    marks = " + ".join(f"CASE WHEN {mark} THEN 1 ELSE 0 END" for mark in (shard, played, failed))
    return f"""
        CASE WHEN {marks} > 1 THEN 'in two states'
            WHEN {played} THEN 'played'
            WHEN {failed} THEN 'failed'
            WHEN COALESCE(m.unprocessed_shard, '') IN ({in_range}) AND COALESCE(m.matched_at, '') <> '' THEN 'waiting'
            ELSE 'stranded' END
    """


def _contradictions() -> str:
    """Whether a play ``p`` contradicts the sums of its matches, ``a``. What either does not say is not compared."""
    return f"""
        COALESCE(a.matches, 0) <> COALESCE(p.match_count, 0) OR COALESCE(a.matches, 0) = 0
        OR COALESCE(p.match_id, '') <> a.first_id AND COALESCE(p.match_id, '') <> a.last_id
        OR a.starts = a.matches AND ABS(p.start_time_us - a.start_us) > {_ALIKE_US}
        OR a.stops = a.matches AND ABS(p.stop_time_us - a.stop_us) > {_ALIKE_US}
        OR a.scores > 0 AND ABS(CAST(p.avg_confidence_score AS DOUBLE) - a.score / a.scores) > {_ALIKE_POINTS}
    """


def _may_lack_matches(now: float) -> str:
    """Whether matches of a play ``p`` may have expired."""
    return f"COALESCE(p.matches_expire_at <= {int(now)}, FALSE)"


def _is_last_attempt() -> str:
    """Whether a record ``r`` can be that of the last attempt of a match ``m``."""
    return (
        f"(r.attempt = {_ATTEMPTS.format('m')} OR {_is_malformed('m', ['attempts'])} "
        f"OR {_is_malformed('r', ['attempt'])})"
    )


def _is_malformed(alias: str, names: Sequence[str]) -> str:
    """Whether one of some attributes of a row is not as the contract says, or not held exactly by its column."""
    any_of = " OR ".join(f"{alias}.malformed LIKE '%{name}%'" for name in names)
    return f"({alias}.malformed IS NOT NULL AND ({any_of}))"


def _is_readable(alias: str, names: Sequence[str]) -> str:
    return f"NOT {_is_malformed(alias, names)}"

"""The invariants in SQL: which matches and plays of an export contradict them, for DuckDB and for Athena. Pure.

A statement may return a match or a play that is in order. It never omits one that is not: what it returns is checked
by ``invariants``, as the audit of the tables does.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from playlog_cli.auditing.items import MATCH_ATTRIBUTES, PLAY_ATTRIBUTES, RECORD_ATTRIBUTES
from playlog_cli.exporting.columns import FAILURES, MATCHES, PLAYS
from playlog_cli.exporting.engine import Query
from playlog_cli.exporting.items import columns_of, listed

Brief: TypeAlias = Callable[..., str]  # ``Statements.brief``

MATCH_COLUMNS = columns_of(MATCHES, MATCH_ATTRIBUTES)
PLAY_COLUMNS = columns_of(PLAYS, PLAY_ATTRIBUTES)
RECORD_COLUMNS = columns_of(FAILURES, RECORD_ATTRIBUTES)

# ``items.ALIKE`` in microseconds and points of confidence, and a little less: the numbers here are not rounded alike.
_ALIKE_US = 9
_ALIKE_POINTS = "0.0000099"

# Of a play ``p`` and a match ``m`` that names it: there is no other match, and they agree.
_AGREE = f"""
    p.match_count = 1 AND m.id = p.creator AND NOT p.is_doubtful AND NOT m.is_doubtful
    AND COALESCE(ABS(p.start_us - m.start_us) <= {_ALIKE_US}, TRUE)
    AND COALESCE(ABS(p.stop_us - m.stop_us) <= {_ALIKE_US}, TRUE) AND COALESCE(p.score = m.score, TRUE)
"""
# Of a play and those of its matches that do not agree with it by themselves. What either does not say is not compared.
_POINTS = "CAST({0} AS DECIMAL(18,9))"  # enough digits to compare means, and few enough to add up any number of them
_CONTRADICT = f"""
    COUNT(id) <> MAX(match_count) OR COUNT(id) = 0 OR MAX(CASE WHEN id = creator THEN 1 ELSE 0 END) = 0
    OR COUNT(start_us) = COUNT(id) AND ABS(MAX(says_start_us) - MIN(start_us)) > {_ALIKE_US}
    OR COUNT(stop_us) = COUNT(id) AND ABS(MAX(says_stop_us) - MAX(stop_us)) > {_ALIKE_US}
    OR COUNT(score) > 0 AND ABS(MAX({_POINTS.format("says_score")}) * COUNT(score) - SUM({_POINTS.format("score")}))
        > {_ALIKE_POINTS} * COUNT(score)
"""

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


def matches(shards: int) -> Query:
    """The matches that contradict themselves or the record of their last attempt.

    Args:
        shards: the stack's ``UnprocessedShards``, 1 to 64.

    Returns:
        A query. Its columns: those of the match, whether its play exists, those of the record (NULL if there is none).
        A match whose attempts cannot be read has a row for each of its records. In the order of ``match_id``.
    """
    odd = f"""
        SELECT m.match_id
        FROM (
            SELECT m.*, {_state(shards)} AS state, {_ATTEMPTS.format("m")} AS tried
            FROM matches m
            WHERE NOT {_is_plainly_played("m")}
        ) m
        LEFT JOIN failures r ON r.match_id = m.match_id AND r.attempt = m.tried AND {_is_readable("r", ["attempt"])}
        WHERE m.state IN ('stranded', 'in two states')
            OR m.state = 'waiting' AND (COALESCE(m.play_id, '') <> '' OR COALESCE(m.processed_at, '') <> '')
            OR m.state IN ('waiting', 'failed') AND m.expires_at IS NOT NULL
            OR {_IS_PLAYED.format("m")} AND (NOT {_NAMES_PLAY.format("m")} OR COALESCE(m.processed_at, '') = '')
            OR (m.state = 'failed' OR m.tried > 0) AND r.match_id IS NULL
            OR m.state = 'failed' AND (m.failed_reason <> COALESCE(r.reason, '') OR COALESCE(r.will_retry, TRUE))
            OR {_is_malformed("m", MATCH_ATTRIBUTES)}
    """
    return Query(
        {"odd": odd},
        f"""
        SELECT {listed(MATCH_COLUMNS, "m.")}, p.play_id IS NOT NULL AS has_play, {listed(RECORD_COLUMNS, "r.")}
        FROM odd
        JOIN matches m ON m.match_id = odd.match_id
        LEFT JOIN plays p ON p.station_id = m.station_id AND p.play_id = m.play_id
        LEFT JOIN failures r ON r.match_id = m.match_id AND {_is_last_attempt()}
        ORDER BY m.match_id
        """,
    )


def plays(now: float, brief: Brief) -> Query:
    """The plays that contradict their matches, and the matches that name a play that is not there.

    Args:
        now: in epoch seconds: which matches may have expired.
        brief: of the engine that answers.

    A play whose matches may have expired may have fewer of them than it says. If its creator is there, it must be one
    of them.

    Returns:
        A query. Its columns: what stands for the key of a play, the columns of the play, those of the match that it
        says created it, those of one of its matches, those of that match's last record. All are NULL where there is no
        such item. In the order of the key, then of the match's id. A row joins a play and a match of another play if
        their keys have the same ``brief``.
    """
    key_of_play, key_of_match = (brief(f"{alias}.station_id", f"{alias}.play_id") for alias in ("p", "m"))
    return Query(
        {"suspects": _suspects(now, brief)},
        f"""
        SELECT s.play_key, {listed(PLAY_COLUMNS, "p.")}, {listed(MATCH_COLUMNS, "c.")}, {listed(MATCH_COLUMNS, "m.")},
            {listed(RECORD_COLUMNS, "r.")}
        FROM suspects s
        LEFT JOIN plays p ON {key_of_play} = s.play_key
        LEFT JOIN matches c ON c.match_id = p.match_id
        LEFT JOIN matches m ON {key_of_match} = s.play_key AND {_NAMES_PLAY.format("m")}
        LEFT JOIN failures r ON r.match_id = m.match_id AND {_is_last_attempt()}
        ORDER BY s.play_key, m.match_id
        """,
    )


def _suspects(now: float, brief: Brief) -> str:
    """What stands for the keys of the plays that need to be checked.

    Most plays have one match, and agree with it: a join finds them, and only the others are grouped and added up. What
    a play and its matches must agree in are numbers, and numbers stand for texts, so that little memory is needed.
    """
    of_plays = f"""
        SELECT {brief("p.station_id", "p.play_id")} AS play_key, {brief("p.match_id")} AS creator,
            COALESCE(p.match_count, 0) AS match_count, p.start_time_us AS start_us, p.stop_time_us AS stop_us,
            p.avg_confidence_score AS score, {_is_malformed("p", PLAY_ATTRIBUTES)} AS is_doubtful,
            {_may_lack_matches(now)} AS may_lack_matches
        FROM plays p
    """
    of_matches = f"""
        SELECT {brief("m.station_id", "m.play_id")} AS play_key, {brief("m.match_id")} AS id,
            m.matched_at_us AS start_us, m.matched_at_us + CAST(m.duration_seconds * 1000000 AS BIGINT) AS stop_us,
            m.avg_confidence_score AS score, {_is_malformed("m", MATCH_ATTRIBUTES)} AS is_doubtful
        FROM matches m
        WHERE {_NAMES_PLAY.format("m")}
    """
    return f"""
        SELECT play_key
        FROM (
            SELECT COALESCE(p.play_key, m.play_key) AS play_key, p.creator, p.match_count, p.may_lack_matches,
                p.start_us AS says_start_us, p.stop_us AS says_stop_us, p.score AS says_score,
                m.id, m.start_us, m.stop_us, m.score, COALESCE(p.is_doubtful OR m.is_doubtful, FALSE) AS is_doubtful
            FROM ({of_matches}) m
            FULL OUTER JOIN ({of_plays}) p ON p.play_key = m.play_key
            WHERE NOT COALESCE({_AGREE}, FALSE)
        ) pairs
        GROUP BY play_key
        HAVING COUNT(match_count) = 0 OR MAX(CASE WHEN is_doubtful THEN 1 ELSE 0 END) = 1
            OR ({_CONTRADICT})
                AND NOT (MAX(CASE WHEN may_lack_matches THEN 1 ELSE 0 END) = 1 AND COUNT(id) < MAX(match_count))
        UNION
        SELECT {brief("p.station_id", "p.play_id")} AS play_key
        FROM plays p
        JOIN matches c ON {brief("c.match_id")} = {brief("p.match_id")}
        WHERE {_may_lack_matches(now)}
            AND NOT ({_NAMES_PLAY.format("c")} AND c.station_id = p.station_id AND c.play_id = p.play_id)
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


def _is_plainly_played(alias: str) -> str:
    """Whether a match shows that it is played, and nothing else: it needs no look at a record."""
    return f"""(
        {_NAMES_PLAY.format(alias)} AND COALESCE({alias}.processed_at, '') <> '' AND {alias}.malformed IS NULL
        AND {alias}.unprocessed_shard IS NULL AND NOT {_HAS_FAILED.format(alias)} AND COALESCE({alias}.attempts, 0) <= 0
    )"""


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

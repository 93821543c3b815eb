"""What a match, a play or a record says of itself, as far as the invariants need it. Pure."""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.domain.play import PlayKey, play_id_of
from playlog.domain.shards import shard_of
from playlog.dynamodb.limits import SORT_KEY_BYTES, text_bytes

from playlog_cli.errors import shown

# The attributes that the invariants depend on: an audit reads no others.
MATCH_ATTRIBUTES = (
    "match_id",
    "unprocessed_shard",
    "matched_at",
    "track_id",
    "station_id",
    "processed",
    "processed_at",
    "play_id",
    "duration_seconds",
    "avg_confidence_score",
    "attempts",
    "failed_reason",
    "expires_at",
)


PLAY_ATTRIBUTES = (
    "station_id",
    "play_id",
    "match_id",
    "match_count",
    "start_time",
    "stop_time",
    "avg_confidence_score",
    "matches_expire_at",
)


RECORD_ATTRIBUTES = ("match_id", "attempt", "reason", "will_retry")


# Seconds, or points of confidence: how far apart two sums in floating point may be and mean the same.
ALIKE = 1e-5


class State(StrEnum):
    """The state that a match shows. The contract has the first three: each match is in exactly one of them."""

    WAITING = "waiting"
    PLAYED = "played"
    FAILED = "failed"
    STRANDED = "stranded"
    IN_TWO_STATES = "in two states"


class Heard(NamedTuple):
    """What a play says of its airing, or its matches do. Times are in seconds since 1970.

    Attributes:
        start: earliest ``matched_at``; None where it is no time.
        stop: latest ``matched_at + duration_seconds``.
        mean: of the confidences of those that have one.
    """

    start: float | None
    stop: float | None
    mean: float | None


def state_of(match: Item, shards: int) -> State:
    """The state that a match shows.

    Args:
        match: item of MatchCache.
        shards: the stack's ``UnprocessedShards``, 1 to 64.
    """
    match marks_of(match):
        case []:
            return State.STRANDED
        case [State.WAITING]:
            return State.STRANDED if why_unread(match, shards) else State.WAITING
        case [state]:
            return state
        case _:
            return State.IN_TWO_STATES


def play_key(match: Item) -> PlayKey | None:
    """Key of the play that a match says accounts for it; None if it is not played, or names none."""
    station_id, play_id = text(match, "station_id"), text(match, "play_id")
    return PlayKey(sys.intern(station_id), play_id) if is_played(match) and station_id and play_id else None


def attempts(match: Item) -> int:
    """How many conversions of a match have failed; 0 where that is no number or below, as the converter counts."""
    return max(0, int(Decimal(match.get("attempts", {}).get("N", "0"))))


def match_count(play: Item) -> int:
    """How many matches a play says it accounts for; 0 where that is no number."""
    return int(Decimal(play.get("match_count", {}).get("N", "0")))


def text(item: Item, name: str) -> str:
    """The text of an attribute; empty if it is absent or has another type."""
    value: str = item.get(name, {}).get("S", "")
    return value


def may_lack_matches(play: Item, now: float) -> bool:
    """Whether matches of a play may have expired, so that they are no longer in MatchCache.

    The play says when its first match expires. So it does not matter what ``RetainPlayedDays`` is now.

    Args:
        play: item of PlayLog.
        now: in epoch seconds.
    """
    expires_at = number(play, "matches_expire_at")
    return expires_at is not None and expires_at <= now


def airing_of(play: Item) -> Heard:
    return Heard(time_of(play, "start_time"), time_of(play, "stop_time"), number(play, "avg_confidence_score"))


def time_of(item: Item, name: str) -> float | None:
    try:
        return timestamps.from_text(text(item, name)).timestamp()
    except ValueError:
        return None


def number(item: Item, name: str) -> float | None:
    return float(item[name]["N"]) if "N" in item.get(name, {}) else None


def difference(says: Heard, heard: Heard) -> str | None:
    """Where a play contradicts its matches, in words; None if nowhere. What either does not say is not compared."""
    for name, said, found in zip(("starts", "stops"), says, heard, strict=False):
        if said is not None and found is not None and abs(said - found) > ALIKE:
            return f"{name} at {clock(said)}, and by its matches at {clock(found)}"
    if says.mean is not None and heard.mean is not None and abs(says.mean - heard.mean) > ALIKE:
        return f"has a mean confidence of {says.mean:g}, and by its matches of {heard.mean:g}"
    return None


def clock(seconds: float) -> str:
    """A time in the format of the tables; in seconds if no calendar has it, as with a duration of 1E+100."""
    try:
        return timestamps.to_text(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError):
        return f"{seconds:g} seconds after 1970"


def home_shard(match: Item, shards: int) -> str:
    """The shard that a writer would have given a match (docs/contract.md, The three tables).

    Args:
        match: item of MatchCache.
        shards: the stack's ``UnprocessedShards``, 1 to 64.
    """
    station_id = text(match, "station_id")
    return shard_of(station_id if station_id.strip() else match["match_id"]["S"], shards)


def can_wait(match: Item) -> bool:
    """Whether the index of matches that wait can hold a match: it needs a time, if only one that a run will refuse."""
    return 0 < text_bytes(text(match, "matched_at")) <= SORT_KEY_BYTES


def own_play(match: Item) -> PlayKey | None:
    """Key of the play that a match would create; None if it cannot."""
    try:
        start = timestamps.from_text(text(match, "matched_at"))
    except ValueError:
        return None
    return PlayKey(text(match, "station_id"), play_id_of(start, text(match, "track_id")))


def marks_of(match: Item) -> list[State]:
    """The states whose mark a match has."""
    shown_states = (
        (State.WAITING, "NULL" not in match.get("unprocessed_shard", {"NULL": True})),
        (State.PLAYED, is_played(match)),
        (State.FAILED, bool(text(match, "failed_reason"))),
    )
    return [state for state, is_shown in shown_states if is_shown]


def is_played(match: Item) -> bool:
    return match.get("processed") == {"BOOL": True}


def why_unread(match: Item, shards: int) -> str | None:
    """Why no run reads a match that shows no other state; None if one does."""
    why = []
    shard = text(match, "unprocessed_shard")
    if "unprocessed_shard" not in match:
        why.append("it has no unprocessed_shard")
    elif shard not in map(str, range(shards)):
        why.append(f"its unprocessed_shard is {shown(shard)}, and the stack has '0' to '{shards - 1}'")
    if not text(match, "matched_at"):
        why.append("it has no matched_at")
    return "; ".join(why) or None


def key_of(play: Item) -> PlayKey:
    return PlayKey(sys.intern(play["station_id"]["S"]), play["play_id"]["S"])  # a million plays, a few stations

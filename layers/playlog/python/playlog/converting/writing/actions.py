"""The actions of a transaction that writes plays, in DynamoDB's JSON.

PynamoDB would build the same actions with many times the CPU time. ``tests/unit/converting/writing/test_actions.py``
compares both, attribute by attribute.

The two actions that every match needs are JSON templates: the one of its play, and its own. Each template is made once,
from the action as it reads here, and filled in for each match.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, TypeAlias

from playlog.converting.writing.guard import FIRST_REACH, Guard
from playlog.domain import timestamps
from playlog.domain.airing import Airing
from playlog.domain.match import Item, Match
from playlog.domain.play import Play, PlayKey, time_of

# A text as JSON, quoted. Most texts come again at once: a station, a track, the ids of a match and of its play.
_quoted = lru_cache(maxsize=1024)(json.JSONEncoder().encode)
# One entry of TransactItems.
Action: TypeAlias = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that a run writes.

    Attributes:
        match_cache: name of the table.
        play_log: name of the table.
        station_guard: name of the table. Only ``WithinGap`` uses it.
        retain_played: how long MatchCache keeps a played match; zero keeps it for ever.
    """

    match_cache: str
    play_log: str
    station_guard: str = ""
    retain_played: timedelta = timedelta(0)

    def expiry(self, now: datetime) -> int | None:
        """``expires_at`` of a match that is played now: epoch seconds; None if it is kept for ever."""
        return int((now + self.retain_played).timestamp()) if self.retain_played else None


def encode_airing(airing: Airing, play: Play, tables: Tables, now: datetime) -> list[str]:
    """The actions that write an airing, each in JSON: the play, then each match in order, then the flags.

    Args:
        airing: what is written.
        play: the play after the airing's matches were added to it.
        tables: where to write.
        now: the time of the write, with an offset.
    """
    written_at = timestamps.to_text(now)
    flags = [json.dumps(_flag_bridged(bridged, tables.play_log, written_at)) for bridged in airing.bridged]
    if not airing.matches:
        return flags
    return [
        _create_play(airing.matches[0], play, tables.play_log, written_at)
        if airing.play is None
        else json.dumps(_extend_play(airing.play, play, tables.play_log, written_at)),
        *_mark_played(airing.matches, play.key.play_id, tables, written_at, now),
        *flags,
    ]


def raise_guard(before: Guard, after: Guard, tables: Tables) -> Action:
    """The action that makes a transaction fail if another run wrote plays of the station since they were read.

    Args:
        before: the guard before the plays were read.
        after: the guard after the transaction.
        tables: where to write.
    """
    values = {
        ":version": {"N": str(after.version)},
        ":reach": {"N": _seconds(after.reach)},
    }
    if before.version:
        values[":read"] = {"N": str(before.version)}
    return {
        "Update": {
            "TableName": tables.station_guard,
            "Key": {"station_id": {"S": before.station_id}},
            "UpdateExpression": "SET version = :version, reach_seconds = :reach",
            "ConditionExpression": "version = :read" if before.version else "attribute_not_exists(version)",
            "ExpressionAttributeValues": values,
        }
    }


def read_guard(item: Item) -> Guard:
    """Reads a StationGuard item. Treats attributes with an invalid value as missing."""
    try:
        reach = timedelta(seconds=float(item["reach_seconds"]["N"]))
    except (KeyError, OverflowError):
        reach = FIRST_REACH
    return Guard(item["station_id"]["S"], int(item.get("version", {}).get("N", 0)), reach)


# The attributes that ``read_play`` needs.
PLAY_ATTRIBUTES = (
    "station_id",
    "play_id",
    "track_id",
    "start_time",
    "stop_time",
    "match_count",
    "avg_confidence_score",
    "confidence_sum",
    "confidence_count",
    "flagged",
    "bridged",
    "edited",
    "match_id",
    "matches_expire_at",
)


def read_play(item: Item) -> Play:
    """Reads a PlayLog item. A play with a missing or invalid attribute gets a ``defect``.

    Raises:
        ValueError: its ``play_id`` does not begin with a time.
    """
    key = PlayKey(item["station_id"]["S"], item["play_id"]["S"])
    try:
        return _play(key, {name: value for name, value in item.items() if "NULL" not in value})
    except (KeyError, ValueError, ArithmeticError) as error:
        created = time_of(key.play_id)
        defect = f"the play it belongs to cannot be read: {type(error).__name__}: {error}"
        track_id = key.play_id.partition("#")[2]
        return Play(key, track_id, created, created, 0, Decimal(0), 0, flagged=False, defect=defect)


def _play(key: PlayKey, item: Item) -> Play:
    mean = Decimal(item["avg_confidence_score"]["N"]) if "avg_confidence_score" in item else None
    match_count = int(item["match_count"]["N"])
    # A play that another program wrote has only the mean. Then the mean counts for all its matches.
    count = int(item["confidence_count"]["N"]) if "confidence_count" in item else match_count
    edits = item.get("edited", {}).get("L", [])
    play = Play(
        key,
        track_id=item["track_id"]["S"],
        start_time=timestamps.from_text(item["start_time"]["S"]),
        stop_time=timestamps.from_text(item["stop_time"]["S"]),
        match_count=match_count,
        confidence_sum=Decimal(0) if mean is None else _sum(item, mean * count),
        confidence_count=0 if mean is None else count,
        flagged=item.get("flagged", {}).get("BOOL", False),
        bridged=item.get("bridged", {}).get("BOOL", False),
        edits=len(edits),
        flag_edited=any(_edits_flag(entry) for entry in edits),
        created_by=item.get("match_id", {}).get("S", ""),
        matches_expire_at=int(item["matches_expire_at"]["N"]) if "matches_expire_at" in item else None,
    )
    time_of(key.play_id)  # raises ValueError if the key is invalid: a play's reach is counted from it
    return play


def _edits_flag(entry: Item) -> bool:
    """Whether an entry of ``edited`` is an edit of the flag (docs/contract.md, PlayLog)."""
    return bool(entry.get("M", {}).get("attribute") == {"S": "flagged"})


def _sum(item: Item, otherwise: Decimal) -> Decimal:
    return Decimal(item["confidence_sum"]["N"]) if "confidence_sum" in item else otherwise


def _create_play(first: Match, play: Play, table: str, written_at: str) -> str:
    carried, mean = first.carried, play.avg_confidence_score
    template = _create_play_template(
        table, tuple(carried), has_mean=mean is not None, expires=play.matches_expire_at is not None
    )
    values = {
        "station_id": _quoted(first.station_id),
        "play_id": _quoted(play.key.play_id),
        "track_id": _quoted(first.track_id),
        "source": _quoted(first.source),
        "match_id": _quoted(first.match_id),
        "start_time": f'"{timestamps.to_text(play.start_time)}"',
        "stop_time": f'"{timestamps.to_text(play.stop_time)}"',
        "duration_seconds": f'"{_seconds(play.stop_time - play.start_time)}"',
        "match_count": f'"{play.match_count}"',
        "avg_confidence_score": f'"{mean}"',
        "confidence_sum": f'"{play.confidence_sum}"',
        "confidence_count": f'"{play.confidence_count}"',
        "flagged": "true" if play.flagged else "false",
        "matches_expire_at": f'"{play.matches_expire_at}"',
        "written_at": f'"{written_at}"',
    }
    for name, text in carried.items():
        values[name] = _quoted(text)
    return template % values


@cache
def _create_play_template(table: str, carried: tuple[str, ...], *, has_mean: bool, expires: bool) -> str:
    item: Item = {
        **{name: {"S": _blank(name)} for name in carried},
        "station_id": {"S": _blank("station_id")},
        "play_id": {"S": _blank("play_id")},
        "track_id": {"S": _blank("track_id")},
        "source": {"S": _blank("source")},
        "match_id": {"S": _blank("match_id")},
        "match_count": {"N": _blank("match_count")},
        "played_at": {"S": _blank("start_time")},
        "start_time": {"S": _blank("start_time")},
        "stop_time": {"S": _blank("stop_time")},
        "duration_seconds": {"N": _blank("duration_seconds")},
        "active": {"BOOL": True},
        "claimed": {"BOOL": False},
        "flagged": {"BOOL": _blank("flagged")},
        "is_archived": {"BOOL": False},
        "created_at": {"S": _blank("written_at")},
        "updated_at": {"S": _blank("written_at")},
    }
    if has_mean:
        item["avg_confidence_score"] = {"N": _blank("avg_confidence_score")}
        item["confidence_sum"] = {"N": _blank("confidence_sum")}
        item["confidence_count"] = {"N": _blank("confidence_count")}
    if expires:
        item["matches_expire_at"] = {"N": _blank("matches_expire_at")}
    return _template(
        {
            "Put": {
                "TableName": table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(play_id)",
                # An existing play comes back with the rejection, so that joining it needs no read.
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }
    )


def _extend_play(before: Play, play: Play, table: str, written_at: str) -> Action:
    changes = {**_changing(play), "updated_at": {"S": written_at}}
    # match_count rises with every match, so an equal one means that no other run wrote the play since it was read. A
    # match that is counted already changes nothing that depends on it.
    condition = "match_count = :read"
    if play.flagged == before.flagged:
        del changes["flagged"]  # a person may have set it since the play was read
    else:
        condition += f" AND attribute_not_exists(edited[{before.edits}])"
    return {
        "Update": {
            "TableName": table,
            "Key": _key(play),
            "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in changes),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {
                ":read": {"N": str(before.match_count)},
                **{f":{name}": value for name, value in changes.items()},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def _flag_bridged(play: Play, table: str, written_at: str) -> Action:
    return {
        "Update": {
            "TableName": table,
            "Key": _key(play),
            "UpdateExpression": "SET flagged = :true, bridged = :true, updated_at = :now",
            "ConditionExpression": "attribute_exists(play_id)",
            "ExpressionAttributeValues": {":true": {"BOOL": True}, ":now": {"S": written_at}},
        }
    }


def _key(play: Play) -> Item:
    return {"station_id": {"S": play.key.station_id}, "play_id": {"S": play.key.play_id}}


def _changing(play: Play) -> Item:
    """The attributes that a further match can change."""
    start = {"S": timestamps.to_text(play.start_time)}
    item: Item = {
        "played_at": start,
        "start_time": start,
        "stop_time": {"S": timestamps.to_text(play.stop_time)},
        "duration_seconds": {"N": _seconds(play.stop_time - play.start_time)},
        "match_count": {"N": str(play.match_count)},
        "flagged": {"BOOL": play.flagged},
    }
    if play.avg_confidence_score is not None:
        item["avg_confidence_score"] = {"N": str(play.avg_confidence_score)}
        item["confidence_sum"] = {"N": str(play.confidence_sum)}
        item["confidence_count"] = {"N": str(play.confidence_count)}
    if play.matches_expire_at is not None:
        item["matches_expire_at"] = {"N": str(play.matches_expire_at)}
    return item


def _mark_played(
    matches: Iterable[Match], play_id: str, tables: Tables, written_at: str, now: datetime
) -> Iterable[str]:
    values = {"match_id": "", "play_id": _quoted(play_id), "written_at": f'"{written_at}"'}
    if tables.retain_played:
        values["expires_at"] = f'"{tables.expiry(now)}"'
    template = _mark_played_template(tables.match_cache, bool(tables.retain_played))
    for match in matches:
        values["match_id"] = _quoted(match.match_id)
        yield template % values


@cache
def _mark_played_template(table: str, expires: bool) -> str:
    expiry, no_expiry = (", expires_at = :expires", "") if expires else ("", ", expires_at")
    return _template(
        {
            "Update": {
                "TableName": table,
                "Key": {"match_id": {"S": _blank("match_id")}},
                "UpdateExpression": (
                    f"SET #processed = :true, processed_at = :now, play_id = :play{expiry} "
                    f"REMOVE unprocessed_shard, failed_reason{no_expiry}"
                ),
                # The index lags behind the table, and another run may be faster: only a waiting match is played.
                "ConditionExpression": "attribute_exists(unprocessed_shard) AND NOT #processed = :true",
                "ExpressionAttributeNames": {"#processed": "processed"},
                "ExpressionAttributeValues": {
                    ":true": {"BOOL": True},
                    ":now": {"S": _blank("written_at")},
                    ":play": {"S": _blank("play_id")},
                    **({":expires": {"N": _blank("expires_at")}} if expires else {}),
                },
            }
        }
    )


def _blank(name: str) -> str:
    """A placeholder in an action for a value that differs from match to match."""
    return f"\0{name}\0"


def _template(action: Action) -> str:
    """The action in JSON, with ``%`` placeholders."""
    text = json.dumps(action, separators=(",", ":"))
    return re.sub(r'"\\u0000(\w+)\\u0000"', r"%(\1)s", text)


def _seconds(duration: timedelta) -> str:
    """Seconds as a decimal number, exact to the microsecond, without trailing zeros."""
    if not duration.microseconds:
        return str(duration.days * 86_400 + duration.seconds)
    seconds = Decimal(duration // timedelta(microseconds=1)) / 1_000_000
    return f"{seconds.normalize():f}"

"""From a row of the old Django table MatchCache to what it is here: a match that waits, is played, or has failed.

Pure: ``loading.load`` does the writing. What the old system has played is played here as the converter would have
played it, so the converter's own rules validate it.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from playlog.converting.writing import actions
from playlog.domain import timestamps
from playlog.domain.airing import Airing
from playlog.domain.failure import Failure
from playlog.domain.match import Item, Match
from playlog.domain.play import Play
from playlog.domain.validation import validate
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import record_of
from playlog.schema import ReasonCode

from playlog_cli.errors import shown
from playlog_cli.loading.files.row import Number, Row, Value
from playlog_cli.loading.matches import RowError, Seen, match_of

# As PostgreSQL, MySQL and Django write them.
_BOOLEANS = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A match that the old system had not got to.

    Attributes:
        item: for MatchCache.
    """

    item: Item


@dataclass(frozen=True, slots=True)
class Played:
    """A match that the old system has played.

    Attributes:
        match: valid; its item is that of a waiting match.
    """

    match: Match


@dataclass(frozen=True, slots=True)
class Failed:
    """A match that has failed.

    Attributes:
        item: for MatchCache.
        record: for FailedPlayLog.
        was_played: whether the old system had played it: a person should know.
    """

    item: Item
    record: Item
    was_played: bool

    @property
    def match_id(self) -> str:
        """Key of the match in MatchCache."""
        text: str = self.item["match_id"]["S"]
        return text

    @property
    def reason(self) -> str:
        """Why."""
        text: str = self.item["failed_reason"]["S"]
        return text


State: TypeAlias = Waiting | Played | Failed


def state_of(row: Row, seen: Seen, shards: int, default_duration: timedelta, now: datetime) -> State | None:
    """What a row of the old table is here.

    Args:
        row: of the old table, by its columns.
        seen: the rows of this file before it.
        shards: the stack's ``UnprocessedShards``, 1 to 64.
        default_duration: length of a match, since the old table holds none.
        now: the time of the load, with an offset.

    Returns:
        None if the same row stands in the file before.

    Raises:
        RowError: it cannot be loaded, or says two things at once.
    """
    values = dict(row.values)
    match_id, processed, failed_reason = (values.pop(name, None) for name in ("id", "processed", "failed_reason"))
    was_processed = _boolean(processed)
    if was_processed and failed_reason:
        raise RowError(
            f"processed is {shown(processed)} and failed_reason {shown(failed_reason)}: whether it was played cannot "
            "be told, so export one of the two"
        )
    values["match_id"] = _key(match_id)
    if "matched_at" in values:
        values["matched_at"] = _time(values["matched_at"])
    item = match_of(Row(row.line, values), seen, shards, said=f"{was_processed} {failed_reason}")
    if item is None:
        return None
    if not was_processed and not failed_reason:
        return Waiting(item)
    verdict = validate(item, now=now, default_duration=default_duration)
    if failed_reason:
        code = verdict.reason_code if isinstance(verdict, Failure) else ReasonCode.UNEXPECTED
        return put_failed(Failure(item, code, failed_reason), now)
    return cannot_be_played(verdict, now) if isinstance(verdict, Failure) else Played(verdict)


def cannot_be_played(failure: Failure, now: datetime) -> Failed:
    """What a match that the old system has played is here, where it can be no play.

    Args:
        failure: why not.
        now: the time of the load, with an offset.
    """
    reason = f"{failure.reason}; the old system had it as played"
    return put_failed(Failure(failure.item, failure.reason_code, reason), now, was_played=True)


def encode_airing(airing: Airing, play: Play, tables: actions.Tables, now: datetime) -> list[str]:
    """Like ``actions.encode_airing``, for matches that are not in MatchCache yet: puts them, as played."""
    of_play, *_ = actions.encode_airing(airing, play, tables, now)
    played: Item = {
        "processed": {"BOOL": True},
        "processed_at": {"S": timestamps.to_text(now)},
        "play_id": {"S": play.key.play_id},
    }
    expiry = tables.expiry(now)
    if expiry is not None:
        played["expires_at"] = {"N": str(expiry)}
    puts = [put_new(tables.match_cache, {**_resting(match.item), **played}) for match in airing.matches]
    return [of_play, *map(json.dumps, puts)]


def put_new(table: str, item: Item) -> actions.Action:
    """Puts an item whose key begins with ``match_id``, unless there is one."""
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(match_id)"}}


def put_failed(failure: Failure, now: datetime, *, was_played: bool = False) -> Failed:
    # The old table does not say when: its task ran within minutes. So old failures stand in their own time, and the
    # newest are those of today.
    failed_at = _instant(failure.item["matched_at"]["S"])
    letter = DeadLetter.of(failure, max_attempts=1, now=min(now, failed_at or now))
    cut = DeadLetter.from_json(letter.to_json())  # the match is cut where it would not fit, as on its way through SQS
    record: Item = record_of(cut, cut.attempt, now).serialize()
    item = {
        **_resting(failure.item),
        "attempts": record["attempt"],
        "failed_reason": {"S": failure.reason},
    }
    return Failed(item, record, was_played)


def _resting(item: Item) -> Item:
    """The match without what makes it wait."""
    return {name: value for name, value in item.items() if name != "unprocessed_shard"}


def _boolean(value: Value) -> bool:
    text = str(value).lower()
    if text not in _BOOLEANS:
        found = "missing" if value is None else shown(value)
        raise RowError(f"processed is {found}: it must be t or f")
    return _BOOLEANS[text]


def _key(value: Value) -> str:
    match value:
        case str(text) | Number(text) if text.strip():
            return text
    raise RowError(f"id is {'missing' if value is None else shown(value)}: it must be the key of the old table")


def _time(text: str) -> str:
    """As the tables hold times, so that the index has them in their order; what is no time stays as it is."""
    instant = _instant(text)
    if instant:
        return timestamps.to_text(instant)
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return text
    raise RowError(f"matched_at is {shown(text)}, without an offset: export it as `matched_at AT TIME ZONE 'UTC'`")


def _instant(text: str) -> datetime | None:
    try:
        return timestamps.from_text(text)
    except ValueError:
        return None

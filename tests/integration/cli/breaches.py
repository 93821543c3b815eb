"""Tables that violate the invariants once in every way: what `playlog audit` must find in them."""

from typing import TYPE_CHECKING, NamedTuple

from playlog.domain.match import Item
from playlog_cli.auditing.invariants import Kind
from playlog_cli.stacks.stack import Stack

from tests.support.builders import make_item, without

if TYPE_CHECKING:
    from collections.abc import Iterable

TIME = "2026-03-14T07:00:00.000000+0000"
PLAY_ID = f"{TIME}#track-1"


class Breach(NamedTuple):
    """What a violation is about."""

    kind: Kind
    match_id: str | None = None
    play_id: str | None = None
    attempt: int | None = None


def played(match_id: str, play_id: str = PLAY_ID) -> Item:
    """A match that names a play."""
    match = make_item(match_id, processed={"BOOL": True}, processed_at={"S": TIME}, play_id={"S": play_id})
    return without(match, "unprocessed_shard")


def failed(match_id: str) -> Item:
    """A match that has failed, in its first attempt."""
    match = make_item(match_id, failed_reason={"S": "track_id is ' '"}, attempts={"N": "1"}, track_id={"S": " "})
    return without(match, "unprocessed_shard")


def play(play_id: str, match_count: int, creator: str) -> Item:
    """A play, with the attributes that the invariants depend on."""
    return {
        "station_id": {"S": "station-1"},
        "play_id": {"S": play_id},
        "match_id": {"S": creator},
        "match_count": {"N": str(match_count)},
    }


def record(match_id: str, reason: str) -> Item:
    """The record of a first attempt, with the attributes that the invariants depend on."""
    return {
        "match_id": {"S": match_id},
        "attempt": {"N": "1"},
        "reason": {"S": reason},
        "will_retry": {"BOOL": False},
    }


def break_the_law(stack: Stack) -> list[Breach]:
    """Violates the invariants once in every way.

    Returns:
        What is broken, in the order of an audit.
    """
    items: dict[str, Iterable[Item]] = {
        stack.match_cache_table: [
            without(make_item("stranded"), "unprocessed_shard"),
            played("in-two-states", "p-1") | {"unprocessed_shard": {"S": "3"}},
            played("without-play", "p-2"),
            without(played("without-time", "p-3"), "processed_at"),
            failed("without-record"),
            failed("record-differs"),
            played("miscounted", "p-4"),
            make_item("put-again"),
            played("joined", "p-6"),
            played("begins-later", "p-7"),
        ],
        stack.play_log_table: [
            play("p-1", 1, "in-two-states"),
            play("p-3", 1, "without-time"),
            play("p-4", 2, "miscounted"),
            play("p-5", 1, "gone"),
            play("p-6", 1, "put-again"),
            play("p-7", 1, "begins-later") | {"start_time": {"S": "2026-03-14T06:59:59.000000+0000"}},
        ],
        stack.failed_play_log_table: [record("record-differs", "source is 'TV'")],
    }
    for table, its_items in items.items():
        for item in its_items:
            stack.dynamodb.put_item(TableName=table, Item=item)
    return [
        Breach(Kind.STRANDED, "stranded"),
        Breach(Kind.IN_TWO_STATES, "in-two-states"),
        Breach(Kind.PLAYED_WITHOUT_PLAY, "without-play", "p-2"),
        Breach(Kind.PLAYED_WITHOUT_TIME, "without-time"),
        Breach(Kind.FAILED_WITHOUT_RECORD, "without-record", attempt=1),
        Breach(Kind.RECORD_DIFFERS, "record-differs", attempt=1),
        Breach(Kind.PLAY_MISCOUNTED, play_id="p-4"),
        Breach(Kind.PLAY_WITHOUT_MATCHES, play_id="p-5"),
        Breach(Kind.PLAY_OF_ANOTHER_MATCH, "put-again", "p-6"),
        Breach(Kind.PLAY_DIFFERS, play_id="p-7"),
    ]

"""Limits: what DynamoDB refuses of a page must neither stop the others of it nor be counted as an outage."""

from typing import Any

import pytest
from playlog.converting.writing.written import Written
from playlog.domain.match import Item, Match
from playlog.dynamodb import limits
from playlog.runtime.retry import Retry
from playlog.schema import ReasonCode

from tests.dynamodb.conftest import Database
from tests.dynamodb.made import WAITING, Conversion, match, write

INNOCENTS = 20


def put(database: Database, *matches: Match) -> None:
    """Writes matches as their writer does."""
    for each in matches:
        database.client.put_item(TableName=database.tables.match_cache, Item=each.item)


def large(match_id: str, bytes_: int, **attributes: Any) -> Match:
    """A match of a size in bytes, at most, of which an attribute of the writer's own has the most."""
    item: Item = {"match_id": {"S": match_id}, **WAITING, **attributes}
    rest = bytes_ - limits.item_bytes({**item, "lyrics": {"S": ""}})
    return match(match_id, item={**item, "lyrics": {"S": "x" * rest}})


def written(database: Database, retry: Retry, *matches: Match) -> Written:
    """Writes each match as a play of its own, in one page."""
    result = Written()
    write(database.client, database.tables, matches, result, retry)
    return result


def test_transaction_of_100_actions_is_taken(database: Database, unique: str) -> None:
    matches = [match(f"{unique}-{number}") for number in range(limits.TRANSACTION_ACTIONS // 2)]
    put(database, *matches)

    assert (
        database.transact(*(action for each in matches for action in Conversion.of(database.tables, each).actions))
        == []
    )


def test_transaction_of_101_actions_is_refused_so_pack_must_count_them(database: Database, unique: str) -> None:
    matches = [match(f"{unique}-{number}") for number in range(limits.TRANSACTION_ACTIONS // 2)]
    put(database, *matches)
    actions = [action for each in matches for action in Conversion.of(database.tables, each).actions]
    play_too_many, _ = Conversion.of(database.tables, match(unique)).actions

    assert database.refusal(*actions, play_too_many) == "ValidationException"


@pytest.mark.differs("local", how="tells of a condition that fails on the way before it tells of that")
def test_item_twice_in_a_transaction_is_refused_so_read_must_not_give_one_twice(
    database: Database, unique: str
) -> None:
    put(database, match(unique))
    twice = Conversion.of(database.tables, match(unique, station=f"{unique}-1")).actions
    twice += Conversion.of(database.tables, match(unique, station=f"{unique}-2")).actions

    assert database.refusal(*twice) == "ValidationException"


@pytest.mark.parametrize(
    ("station", "track", "reason"),
    [
        ("s" * (limits.PARTITION_KEY_BYTES + 1), "track", "station_id is 2,049 bytes long"),
        ("station", "t" * limits.SORT_KEY_BYTES, "track_id is 1,024 bytes long, which makes the play_id 1,056"),
    ],
    ids=["station_id", "track_id"],
)
def test_match_whose_play_has_too_long_a_key_fails_alone(
    database: Database, unique: str, retry: Retry, station: str, track: str, reason: str
) -> None:
    innocents = [match(f"{unique}-{number}") for number in range(INNOCENTS)]
    refused = match(f"{unique}-refused", station=station, track=track)
    put(database, refused, *innocents)

    result = written(database, retry, *innocents[:10], refused, *innocents[10:])

    assert (result.matches, result.plays, result.left) == (INNOCENTS, INNOCENTS, 0)
    (failure,) = result.failures
    assert (failure.match_id, failure.reason_code) == (refused.match_id, ReasonCode.REJECTED)
    assert failure.reason.startswith(reason)


@pytest.mark.parametrize(("station_bytes", "play_id_bytes"), [(limits.PARTITION_KEY_BYTES, limits.SORT_KEY_BYTES)])
def test_play_whose_key_is_as_long_as_can_be_is_paid(
    database: Database, unique: str, retry: Retry, station_bytes: int, play_id_bytes: int
) -> None:
    time_bytes = len(Conversion.of(database.tables, match(unique)).play.key.play_id) - len("track")
    longest = match(unique, station="s" * station_bytes, track=unique.ljust(play_id_bytes - time_bytes, "t"))
    put(database, longest)

    assert written(database, retry, longest).plays == 1


@pytest.mark.differs("memory", how="takes an update that makes an item larger than 400 KB")
@pytest.mark.differs("moto", how="counts an item larger than DynamoDB does, and refuses one of just below 400 KB")
def test_match_that_has_no_room_for_its_play_fails_alone(database: Database, unique: str, retry: Retry) -> None:
    innocents = [match(f"{unique}-{number}") for number in range(INNOCENTS)]
    refused = large(f"{unique}-refused", limits.ITEM_BYTES)
    put(database, refused, *innocents)

    result = written(database, retry, *innocents[:10], refused, *innocents[10:])

    assert (result.matches, result.left) == (INNOCENTS, 0)
    (failure,) = result.failures
    assert (failure.match_id, failure.reason_code) == (refused.match_id, ReasonCode.REJECTED)


@pytest.mark.differs("memory", how="takes a put of an item larger than 400 KB in a transaction")
@pytest.mark.differs("moto", how="counts an item larger than DynamoDB does, and refuses one of just below 400 KB")
def test_play_larger_than_an_item_can_be_fails_alone(database: Database, unique: str, retry: Retry) -> None:
    innocents = [match(f"{unique}-{number}") for number in range(INNOCENTS)]
    programme = "p" * (limits.ITEM_BYTES - 350)  # fits in the match, and with all that a play has more, not in the play
    item: Item = {"match_id": {"S": f"{unique}-refused"}, **WAITING, "station_program_id": {"S": programme}}
    refused = match(f"{unique}-refused", item=item, programme=programme)
    put(database, refused, *innocents)

    result = written(database, retry, *innocents[:10], refused, *innocents[10:])

    assert (result.matches, result.left) == (INNOCENTS, 0)
    (failure,) = result.failures
    assert (failure.match_id, failure.reason_code) == (refused.match_id, ReasonCode.REJECTED)


def test_matches_of_more_than_4_mb_together_are_all_paid(database: Database, unique: str, retry: Retry) -> None:
    matches = [large(f"{unique}-{number}", 350 * 1024) for number in range(2 * INNOCENTS)]
    put(database, *matches)

    result = written(database, retry, *matches)

    assert (result.matches, result.failures, result.left) == (len(matches), [], 0)


@pytest.mark.differs("memory", how="takes a transaction of more than 4 MB")
def test_transaction_of_more_than_4_mb_is_refused_so_pack_must_count_them(database: Database, unique: str) -> None:
    items = [large(f"{unique}-{number}", limits.ITEM_BYTES - 1).item for number in range(11)]

    assert database.refusal(*({"Put": {"TableName": database.tables.match_cache, "Item": item}} for item in items))

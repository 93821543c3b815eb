"""The conditions on a match and on a play: what stands between a match and its being paid twice, or never."""

from dataclasses import replace

import pytest
from playlog.converting.writing.actions import read_play

from tests.dynamodb.conftest import Database
from tests.dynamodb.made import NOON, WAITING, Conversion, match

AT_NOON = {"S": NOON.isoformat()}
REFUSED = "ConditionalCheckFailed"


@pytest.mark.parametrize(
    "attributes",
    [
        WAITING,
        {**WAITING, "processed": {"NULL": True}},
        {"unprocessed_shard": {"S": "a shard out of range"}, "matched_at": AT_NOON},
        {**WAITING, "failed_reason": {"S": "what a retry left"}, "attempts": {"N": "2"}},
    ],
    ids=["as written", "processed is NULL", "shard out of range, processed absent", "reason of a failure left"],
)
def test_match_that_waits_is_played_together_with_its_play(
    database: Database, unique: str, attributes: dict[str, dict[str, object]]
) -> None:
    database.put_match(unique, **attributes, isrc={"S": "the writer's own"})
    conversion = Conversion.of(database.tables, match(unique))

    assert database.transact(*conversion.actions) == []

    played = database.match(unique)
    assert played is not None
    assert played["processed"] == {"BOOL": True}
    assert played["play_id"] == {"S": conversion.play.key.play_id}
    assert played["isrc"] == {"S": "the writer's own"}
    assert not played.keys() & {"unprocessed_shard", "failed_reason"}
    play = database.play(*conversion.play.key)
    assert play is not None
    assert read_play(play) == conversion.play


@pytest.mark.parametrize(
    "attributes",
    [
        {"matched_at": AT_NOON, "processed": {"BOOL": True}, "play_id": {"S": "of another run"}},
        {"matched_at": AT_NOON, "processed": {"BOOL": False}, "failed_reason": {"S": "track_id is absent"}},
        {**WAITING, "processed": {"BOOL": True}},
    ],
    ids=["played", "failed", "played, with a shard"],
)
def test_match_that_the_index_still_shows_but_that_waits_no_more_is_not_paid_again(
    database: Database, unique: str, attributes: dict[str, dict[str, object]]
) -> None:
    before = database.put_match(unique, **attributes)
    conversion = Conversion.of(database.tables, match(unique))

    assert database.codes(*conversion.actions) == ["None", REFUSED]

    assert database.match(unique) == before
    assert database.play(*conversion.play.key) is None


def test_match_that_was_deleted_is_not_brought_back_as_a_played_one(database: Database, unique: str) -> None:
    conversion = Conversion.of(database.tables, match(unique))

    assert database.codes(*conversion.actions) == ["None", REFUSED]

    assert database.match(unique) is None


def test_play_that_is_there_already_comes_back_whole_so_that_it_can_be_joined(database: Database, unique: str) -> None:
    first, second = match(f"{unique}-1", station=unique), match(f"{unique}-2", station=unique)
    for each in (first, second):
        database.put_match(each.match_id, **WAITING)
    created = Conversion.of(database.tables, first)
    assert database.transact(*created.actions) == []

    about_play, about_match = database.transact(*Conversion.of(database.tables, second).actions)

    assert (about_play["Code"], about_match["Code"]) == (REFUSED, "None")
    assert about_play["Item"] == database.play(unique, created.play.key.play_id)
    joined = Conversion.of(database.tables, second, joins=read_play(about_play["Item"]))
    assert database.transact(*joined.actions) == []
    play = database.play(unique, created.play.key.play_id)
    assert play is not None
    assert play["match_count"] == {"N": "2"}
    assert play["match_id"] == {"S": first.match_id}


def test_play_that_another_run_has_extended_meanwhile_is_not_overwritten(database: Database, unique: str) -> None:
    first, second, third = (match(f"{unique}-{number}", station=unique) for number in range(3))
    for each in (first, second, third):
        database.put_match(each.match_id, **WAITING)
    created = Conversion.of(database.tables, first)
    joins_as_created = [Conversion.of(database.tables, each, joins=created.play) for each in (second, third)]
    assert database.transact(*created.actions) == []
    assert database.transact(*joins_as_created[0].actions) == []

    about_play, about_match = database.transact(*joins_as_created[1].actions)

    assert (about_play["Code"], about_match["Code"]) == (REFUSED, "None")
    assert read_play(about_play["Item"]).match_count == 2
    assert database.match(third.match_id) == {"match_id": {"S": third.match_id}, **WAITING}


@pytest.mark.parametrize("seen", [0, 1])
def test_flag_changes_only_if_no_person_has_edited_the_play_since_it_was_read(
    database: Database, unique: str, seen: int
) -> None:
    first, second = match(f"{unique}-1", station=unique), match(f"{unique}-2", station=unique)
    for each in (first, second):
        database.put_match(each.match_id, **WAITING)
    created = Conversion.of(database.tables, first)
    assert database.transact(*created.actions) == []
    database.client.update_item(
        TableName=database.tables.play_log,
        Key={"station_id": {"S": unique}, "play_id": {"S": created.play.key.play_id}},
        UpdateExpression="SET edited = :edits",
        ExpressionAttributeValues={":edits": {"L": [{"M": {"attribute": {"S": "active"}}}]}},
    )
    joins = Conversion.of(database.tables, second, joins=replace(created.play, edits=seen))
    flags = replace(joins, play=replace(joins.play, flagged=True))

    reasons = database.transact(*flags.actions)

    assert [reason["Code"] for reason in reasons] == ([] if seen else [REFUSED, "None"])
    play = database.play(unique, created.play.key.play_id)
    assert play is not None
    assert play["flagged"] == {"BOOL": bool(seen)}


def test_play_that_was_deleted_since_it_was_read_is_not_made_of_a_change_alone(database: Database, unique: str) -> None:
    database.put_match(unique, **WAITING)
    read = Conversion.of(database.tables, match("another", station=unique)).play
    joins = Conversion.of(database.tables, match(unique, station=unique), joins=read)

    about_play, about_match = database.transact(*joins.actions)

    # Without the item: that is how playlog knows that the play has to be created.
    assert (about_play["Code"], about_match["Code"]) == (REFUSED, "None")
    assert "Item" not in about_play
    assert database.play(unique, read.key.play_id) is None

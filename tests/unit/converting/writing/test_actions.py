"""The hot path's own wire format: what it writes must be what the models say, or readers go wrong."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog.converting.writing import actions
from playlog.converting.writing.actions import read_play
from playlog.converting.writing.guard import Guard
from playlog.domain.airing import Airing
from playlog.domain.match import Item, Match
from playlog.domain.play import Play
from playlog.dynamodb.models import MatchCache, PlayLog, StationGuard

from tests.support.actions import decode_airing
from tests.support.builders import MATCHED_AT, NOW, TABLES, make_match, make_play, scores, without

LATER = NOW + timedelta(minutes=2)

programmes = st.none() | st.text("abc é😀", min_size=1, max_size=5)
airings = st.lists(st.tuples(st.none() | scores, st.integers(1, 86_400), programmes), min_size=1, max_size=6).map(
    lambda heard: Airing.creating(
        tuple(
            make_match(f"m-{number}", score=score, seconds=seconds, station_program_id=programme)
            for number, (score, seconds, programme) in enumerate(heard)
        )
    )
)


def put(airing: Airing, flag_below: int = 0) -> Item:
    """The play that the airing creates."""
    play = airing.play_with_matches(Decimal(flag_below))
    item: Item = decode_airing(airing, play, TABLES, NOW)[0]["Put"]["Item"]
    return item


def applied(update: Mapping[str, Any], item: Item) -> Item:
    """The item after an update of the form ``SET a = :a, … REMOVE b, …``."""
    names, values = update.get("ExpressionAttributeNames", {}), update["ExpressionAttributeValues"]
    found = re.fullmatch(r"SET (?P<set>.+?)(?: REMOVE (?P<remove>.+))?", update["UpdateExpression"])
    assert found, update["UpdateExpression"]
    changed = dict(item) | dict(update["Key"])
    for assignment in found["set"].split(", "):
        name, value = assignment.split(" = ")
        changed[names.get(name, name)] = values[value]
    for name in (found["remove"] or "").split(", "):
        changed.pop(names.get(name, name), None)
    return changed


def modelled(airing: Airing, play: Play, *, created_at: Any = NOW, updated_at: Any = NOW) -> Item:
    """The same play as PynamoDB writes it. Its numbers are doubles."""
    mean = play.avg_confidence_score
    item: Item = PlayLog(
        station_id=airing.matches[0].station_id,
        play_id=play.key.play_id,
        track_id=airing.matches[0].track_id,
        station_program_id=airing.matches[0].carried.get("station_program_id"),
        source=airing.matches[0].source,
        match_id=airing.matches[0].match_id,
        match_count=play.match_count,
        played_at=play.start_time,
        start_time=play.start_time,
        stop_time=play.stop_time,
        duration_seconds=(play.stop_time - play.start_time).total_seconds(),
        avg_confidence_score=None if mean is None else float(mean),
        confidence_sum=None if mean is None else float(play.confidence_sum),
        confidence_count=None if mean is None else play.confidence_count,
        active=True,
        claimed=False,
        flagged=play.flagged,
        bridged=play.bridged or None,
        is_archived=False,
        created_at=created_at,
        updated_at=updated_at,
    ).serialize()
    return item


def in_doubles(item: Item) -> Item:
    """The item with its numbers as doubles, so that 180 and 180.0 are the same."""
    return {name: {"N": float(value["N"])} if "N" in value else value for name, value in item.items()}


@given(airings, st.integers(0, 100))
def test_a_new_play_is_what_the_model_says(airing: Airing, flag_below: int) -> None:
    play = airing.play_with_matches(Decimal(flag_below))

    assert in_doubles(put(airing, flag_below)) == in_doubles(modelled(airing, play))


@given(airings, airings)
def test_a_play_that_is_joined_is_what_the_model_says(created: Airing, joining: Airing) -> None:
    stored = put(created)
    airing = Airing.joining(read_play(stored), joining.matches)
    play = airing.play_with_matches(Decimal(0))

    update = decode_airing(airing, play, TABLES, LATER)[0]["Update"]

    assert in_doubles(applied(update, stored)) == in_doubles(modelled(created, play, updated_at=LATER))


@given(airings)
def test_a_match_that_is_played_is_what_the_model_says(airing: Airing) -> None:
    play = airing.play_with_matches(Decimal(0))

    _, *marks = decode_airing(airing, play, TABLES, NOW)

    for match, mark in zip(airing.matches, marks, strict=True):
        before = {**match.item, "failed_reason": {"S": "of an earlier attempt"}, "processed": {"BOOL": False}}
        marked = MatchCache(match.match_id, processed=True, processed_at=NOW, play_id=play.key.play_id).serialize()
        assert applied(mark["Update"], before) == {**without(match.item, "unprocessed_shard"), **marked}


any_text = st.text(st.characters(exclude_categories=()) | st.sampled_from('"\\\0%{}'), min_size=1, max_size=9)


@given(any_text, any_text, any_text, any_text)
def test_whatever_stands_in_a_matchs_text_stands_in_its_play(one: str, two: str, three: str, four: str) -> None:
    match = make_match(one, station_id=two, track_id=three, station_program_id=four)
    airing = Airing.creating((match,))

    play, mark = decode_airing(airing, airing.play_with_matches(Decimal(0)), TABLES, NOW)

    item = play["Put"]["Item"]
    names = "match_id", "station_id", "track_id", "station_program_id"
    assert [item[name]["S"] for name in names] == [one, two, three, four]
    assert item["play_id"]["S"].endswith(f"#{three}")
    assert mark["Update"]["Key"] == {"match_id": {"S": one}}
    assert mark["Update"]["ExpressionAttributeValues"][":play"] == item["play_id"]


def test_every_action_goes_to_its_table_and_key() -> None:
    match = make_match("m-7")
    new, joining = Airing.creating((match,)), Airing.joining(make_play(), (match,))

    create, mark = decode_airing(new, new.play_with_matches(Decimal(0)), TABLES, NOW)
    extend, _ = decode_airing(joining, joining.play_with_matches(Decimal(0)), TABLES, NOW)

    assert create["Put"]["TableName"] == extend["Update"]["TableName"] == "PlayLog"
    assert extend["Update"]["Key"] == {"station_id": {"S": "station-1"}, "play_id": {"S": make_play().key.play_id}}
    assert mark["Update"]["TableName"] == "MatchCache"
    assert mark["Update"]["Key"] == {"match_id": {"S": "m-7"}}


def test_a_bridged_play_is_flagged_as_the_model_says() -> None:
    of_later = Airing.creating((make_match(matched_at=MATCHED_AT + timedelta(minutes=9)),))
    later = of_later.play_with_matches(Decimal(0))
    airing = Airing.joining(make_play(), (make_match(),), (later,))

    flag = decode_airing(airing, airing.play_with_matches(Decimal(0)), TABLES, LATER)[-1]["Update"]

    bridged = applied(flag, put(of_later))
    assert flag["TableName"] == "PlayLog"
    assert in_doubles(bridged) == in_doubles(
        modelled(of_later, replace(later, flagged=True, bridged=True), updated_at=LATER)
    )
    assert read_play(bridged) == replace(later, flagged=True, bridged=True)


def test_a_flag_that_somebody_sets_while_a_match_joins_is_not_taken_away() -> None:
    airing = Airing.joining(make_play(), (make_match(),))

    update = decode_airing(airing, airing.play_with_matches(Decimal(0)), TABLES, NOW)[0]["Update"]

    assert applied(update, {"flagged": {"BOOL": True}})["flagged"] == {"BOOL": True}


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_guard_is_what_the_model_says(before: int, version: int, reach: timedelta) -> None:
    after = Guard("station-1", version, reach)

    update = actions.raise_guard(Guard("station-1", before), after, TABLES)["Update"]

    model = StationGuard("station-1", version=version, reach_seconds=reach.total_seconds()).serialize()
    assert update["TableName"] == "StationGuard"
    assert in_doubles(applied(update, {})) == in_doubles(model)
    assert abs(actions.read_guard(applied(update, {})).reach - reach) <= timedelta(microseconds=1)
    assert actions.read_guard(model).version == version


def test_an_airing_is_written_play_first_then_its_matches_in_order() -> None:
    airing = Airing.creating(tuple(make_match(f"m-{number}") for number in range(5)))

    play, *marks = decode_airing(airing, airing.play_with_matches(Decimal(0)), TABLES, NOW)

    assert set(play) == {"Put"}
    assert [mark["Update"]["Key"]["match_id"]["S"] for mark in marks] == [f"m-{number}" for number in range(5)]


@given(airings)
def test_a_play_that_is_read_is_the_play_that_was_written(airing: Airing) -> None:
    assert read_play(put(airing, flag_below=50)) == airing.play_with_matches(Decimal(50))


@given(airings)
def test_a_play_that_the_model_wrote_is_read(airing: Airing) -> None:
    play = airing.play_with_matches(Decimal(50))

    read = read_play(modelled(airing, play))

    assert float(read.confidence_sum) == float(play.confidence_sum)
    assert replace(read, confidence_sum=play.confidence_sum) == play


def contract_only(play: Play) -> Item:
    """A play as something else wrote it, with only the attributes of the contract."""
    item = modelled(Airing.creating((make_match(),)), play)
    return without(without(item, "confidence_sum"), "confidence_count")


def test_a_match_joins_a_play_that_has_only_the_contracts_attributes() -> None:
    play = read_play(contract_only(make_play([Decimal(80), Decimal(90)], match_count=2)))

    joined = Airing.joining(play, (make_match("m-3", score=Decimal(40)),)).play_with_matches(Decimal(0))

    assert joined.avg_confidence_score == 70
    assert joined.match_count == 3


def test_a_play_that_has_no_mean_gets_that_of_the_match_that_joins() -> None:
    play = read_play(contract_only(make_play(match_count=2)))

    joined = Airing.joining(play, (make_match("m-3", score=Decimal(40)),)).play_with_matches(Decimal(0))

    assert play.avg_confidence_score is None
    assert joined.avg_confidence_score == 40


@pytest.mark.parametrize("name", ["track_id", "start_time", "stop_time", "match_count"])
def test_a_play_that_misses_what_it_must_have_is_not_guessed(name: str) -> None:
    play = read_play(without(put(Airing.creating((make_match(),))), name))

    assert play.defect == f"the play it belongs to cannot be read: KeyError: '{name}'"
    assert (play.key, play.track_id, play.start_time) == (make_play().key, "track-1", MATCHED_AT)


@pytest.mark.parametrize(
    ("microseconds", "seconds"),
    [
        (1, "0.000001"),
        (180_000_000, "180"),
        (201_500_000, "201.5"),
        (86_400_000_000, "86400"),
        (3_000_000_000, "3000"),
    ],
)
def test_the_duration_that_is_paid_is_exact(microseconds: int, seconds: str) -> None:
    match: Match = replace(make_match(), duration=timedelta(microseconds=microseconds))

    assert put(Airing.creating((match,)))["duration_seconds"] == {"N": seconds}


def test_a_played_match_expires_after_the_days_that_the_stack_retains_it() -> None:
    retaining = replace(TABLES, retain_played=timedelta(days=90))
    airing = Airing.creating((make_match(),))

    _, mark = decode_airing(airing, airing.play_with_matches(Decimal(0)), retaining, NOW)

    assert mark["Update"]["ExpressionAttributeValues"][":expires"] == {"N": str(int(NOW.timestamp()) + 90 * 86_400)}
    assert "expires_at = :expires" in mark["Update"]["UpdateExpression"]


@pytest.mark.parametrize("expires", [None, 1_781_265_600])
def test_a_play_says_when_its_first_match_expires(expires: int | None) -> None:
    airing = Airing.creating((make_match(),))
    play = airing.play_with_matches(Decimal(0)).with_matches_that_expire(expires)

    create, _ = decode_airing(airing, play, TABLES, NOW)
    item = create["Put"]["Item"]
    assert item.get("matches_expire_at") == (None if expires is None else {"N": str(expires)})
    assert read_play(item).matches_expire_at == expires
    assert read_play(item) == play

    extend, _ = decode_airing(Airing.joining(play, (make_match("m-2"),)), play, TABLES, NOW)
    assert ("matches_expire_at = :matches_expire_at" in extend["Update"]["UpdateExpression"]) is (expires is not None)


def test_a_played_match_is_kept_for_ever_where_the_stack_retains_all() -> None:
    airing = Airing.creating((make_match(),))

    _, mark = decode_airing(airing, airing.play_with_matches(Decimal(0)), TABLES, NOW)

    assert "expires_at" not in json.dumps(mark["Update"]["ExpressionAttributeValues"])
    # A writer may have put one: it would count once the stack retains matches for a while.
    assert mark["Update"]["UpdateExpression"].endswith("REMOVE unprocessed_shard, failed_reason, expires_at")

"""The hot path's own wire format: what it writes must be what the models say, or readers go wrong."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog import wire
from playlog.airing import Airing, Play
from playlog.judge import TYPES
from playlog.match import Item, Match
from playlog.models import MatchCache, PlayLog
from playlog.wire import read_play

from tests.unit.builders import NOW, TABLES, make_match, make_play, scores, without

LATER = NOW + timedelta(minutes=2)

programmes = st.none() | st.text("abc é😀", min_size=1, max_size=5)
airings = st.lists(st.tuples(st.none() | scores, st.integers(1, 86_400), programmes), min_size=1, max_size=6).map(
    lambda heard: Airing(
        tuple(
            make_match(f"m-{number}", score=score, seconds=seconds, station_program_id=programme)
            for number, (score, seconds, programme) in enumerate(heard)
        )
    )
)


def put(airing: Airing, flag_below: int = 0) -> Item:
    """The play that the airing creates."""
    play = airing.play_with_matches(Decimal(flag_below))
    item: Item = wire.actions(airing, play, TABLES, NOW)[0]["Put"]["Item"]
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
        station_id=airing.first.station_id,
        play_id=play.play_id,
        track_id=airing.first.track_id,
        station_program_id=airing.first.station_program_id,
        source=airing.first.source,
        match_id=airing.first.match_id,
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
    airing = Airing(joining.matches, read_play(stored))
    play = airing.play_with_matches(Decimal(0))

    update = wire.actions(airing, play, TABLES, LATER)[0]["Update"]

    assert in_doubles(applied(update, stored)) == in_doubles(modelled(created, play, updated_at=LATER))


@given(airings)
def test_a_match_that_is_played_is_what_the_model_says(airing: Airing) -> None:
    play = airing.play_with_matches(Decimal(0))

    _, *marks = wire.actions(airing, play, TABLES, NOW)

    for match, mark in zip(airing.matches, marks, strict=True):
        before = {**match.item, "failed_reason": {"S": "of an earlier attempt"}, "processed": {"BOOL": False}}
        marked = MatchCache(match.match_id, processed=True, processed_at=NOW, play_id=play.play_id).serialize()
        assert applied(mark["Update"], before) == {**without(match.item, "unprocessed_shard"), **marked}


def test_every_action_goes_to_its_table_and_key() -> None:
    match = make_match("m-7")
    new, joining = Airing((match,)), Airing((match,), make_play())

    create, mark = wire.actions(new, new.play_with_matches(Decimal(0)), TABLES, NOW)
    extend, _ = wire.actions(joining, joining.play_with_matches(Decimal(0)), TABLES, NOW)

    assert create["Put"]["TableName"] == extend["Update"]["TableName"] == "PlayLog"
    assert extend["Update"]["Key"] == {"station_id": {"S": "station-1"}, "play_id": {"S": make_play().play_id}}
    assert mark["Update"]["TableName"] == "MatchCache"
    assert mark["Update"]["Key"] == {"match_id": {"S": "m-7"}}


def test_an_airing_is_written_play_first_then_its_matches_in_order() -> None:
    airing = Airing(tuple(make_match(f"m-{number}") for number in range(5)))

    play, *marks = wire.actions(airing, airing.play_with_matches(Decimal(0)), TABLES, NOW)

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
    item = modelled(Airing((make_match(),)), play)
    return without(without(item, "confidence_sum"), "confidence_count")


def test_a_match_joins_a_play_that_has_only_the_contracts_attributes() -> None:
    play = read_play(contract_only(make_play([Decimal(80), Decimal(90)], match_count=2)))

    joined = Airing((make_match("m-3", score=Decimal(40)),), play).play_with_matches(Decimal(0))

    assert joined.avg_confidence_score == 70
    assert joined.match_count == 3


def test_a_play_that_has_no_mean_gets_that_of_the_match_that_joins() -> None:
    play = read_play(contract_only(make_play(match_count=2)))

    joined = Airing((make_match("m-3", score=Decimal(40)),), play).play_with_matches(Decimal(0))

    assert play.avg_confidence_score is None
    assert joined.avg_confidence_score == 40


@pytest.mark.parametrize("name", ["play_id", "start_time", "stop_time", "match_count"])
def test_a_play_that_misses_what_it_must_have_is_not_guessed(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        read_play(without(put(Airing((make_match(),))), name))


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

    assert put(Airing((match,)))["duration_seconds"] == {"N": seconds}


def test_judge_and_model_agree_on_every_attribute_of_a_match() -> None:
    model = {name: attribute.attr_type for name, attribute in MatchCache.get_attributes().items()}

    assert model == TYPES

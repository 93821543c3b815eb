"""Transactions: as few as there can be, none that DynamoDB refuses for its size, and no play lost on the way."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playlog.converting.writing import actions
from playlog.converting.writing.packing import action_count, excess, pack, split
from playlog.domain.airing import Airing
from playlog.domain.match import Match
from playlog.domain.play import PlayKey
from playlog.dynamodb.limits import item_bytes

from tests.support.actions import decode_airing
from tests.support.builders import NOW, TABLES, make_match, make_play

MEGABYTE = 1024 * 1024


def airing(number: int, matches: int = 1, padding: int = 0) -> Airing:
    """A play of its own."""
    return Airing.creating(
        tuple(make_match(f"m-{number}-{n}", track_id=f"track-{number}", padding=padding) for n in range(matches))
    )


def written_bytes(transaction: Iterable[Airing]) -> int:
    """The size of the items that a transaction writes, as they will be."""
    size = 0
    for each in transaction:
        play, *marks = actions_of(each)
        size += item_bytes(play["Put"]["Item"])
        for match, mark in zip(each.matches, marks, strict=True):
            values = mark["Update"]["ExpressionAttributeValues"]
            added = {"processed": values[":true"], "processed_at": values[":now"], "play_id": values[":play"]}
            size += item_bytes({**match.item, **added})
    return size


def count_actions(transaction: Iterable[Airing]) -> int:
    return sum(len(actions_of(each)) for each in transaction)


def actions_of(each: Airing) -> list[actions.Action]:
    """The actions that write an airing."""
    return decode_airing(each, each.play_with_matches(Decimal(0)), TABLES, NOW)


# Plays whose actions add up to 100 in many ways; the page of large matches below adds up to 4 MB.
counts = st.sampled_from([1, 1, 1, 2, 3, 33, 48, 49, 50, 96, 97, 98, 99])
shapes = st.lists(st.tuples(counts, st.sampled_from([0, 0, 0, 100_000, 390_000])), max_size=8)


@settings(max_examples=20)
@given(st.lists(counts, max_size=12))
def test_no_transaction_has_more_actions_than_dynamodb_takes(matches: list[int]) -> None:
    for transaction in pack((airing(number, count) for number, count in enumerate(matches)), guarded=False):
        assert count_actions(transaction) <= 100


@pytest.mark.parametrize(("matches", "padding"), [(1, 390_000), (2, 350_000), (9, 390_000), (40, 40_000)])
def test_no_transaction_is_larger_than_dynamodb_takes(matches: int, padding: int) -> None:
    transactions = list(pack((airing(number, matches, padding) for number in range(20)), guarded=False))

    assert len(transactions) > 1
    for transaction in transactions:
        assert written_bytes(transaction) <= 4 * MEGABYTE


@settings(max_examples=20)
@given(shapes)
def test_every_play_is_written_once_and_in_order(found: list[tuple[int, int]]) -> None:
    airings = [airing(number, *shape) for number, shape in enumerate(found)]

    packed = [each for transaction in pack(airings, guarded=False) for each in transaction]

    assert packed == airings


@settings(max_examples=20)
@given(st.lists(counts, max_size=12))
def test_no_request_is_spent_where_the_one_before_had_room(matches: list[int]) -> None:
    transactions = list(pack((airing(number, count) for number, count in enumerate(matches)), guarded=False))

    assert all(transactions)
    for one, next_one in pairwise(transactions):
        assert count_actions(one) + action_count(next_one[0]) > 100


def test_plays_of_one_match_go_fifty_to_a_request() -> None:
    transactions = list(pack((airing(number) for number in range(1_000)), guarded=False))

    assert [len(transaction) for transaction in transactions] == [50] * 20


def test_plays_of_one_match_of_four_kilobytes_still_go_fifty_to_a_request() -> None:
    transactions = list(pack((airing(number, padding=4_000) for number in range(100)), guarded=False))

    assert [len(transaction) for transaction in transactions] == [50, 50]


@pytest.mark.parametrize("poisoned", [{"station_id": "s" * 2049}, {"track_id": "t" * 993}, {"padding": 409_000}])
def test_a_play_that_dynamodb_may_refuse_takes_no_other_with_it(poisoned: dict[str, Any]) -> None:
    suspect = Airing.creating((make_match("m-x", **poisoned),))

    transactions = list(pack([airing(1), airing(2), suspect, airing(3)], guarded=False))

    assert [suspect] in transactions
    others = [each for transaction in transactions if transaction != [suspect] for each in transaction]
    assert others == [airing(1), airing(2), airing(3)]


@pytest.mark.parametrize(
    ("match", "sentence"),
    [
        (make_match(station_id="ö" * 1_025), "station_id is 2,050 bytes long: a key holds at most 2,048"),
        (
            make_match(track_id="ö" * 497),
            "track_id is 994 bytes long, which makes the play_id 1,026: a key holds at most 1,024",
        ),
    ],
    ids=["station_id", "track_id"],
)
def test_a_key_that_is_too_long_is_named_with_its_length(match: Match, sentence: str) -> None:
    assert excess(Airing.creating((match,))) == sentence


def test_a_match_that_is_too_large_is_named_with_its_size() -> None:
    large = make_match("m-2", padding=408_000)

    sentence = excess(Airing.creating((make_match("m-1"), large)))

    assert sentence == f"the match is {item_bytes(large.item):,} bytes large: an item holds at most 409,600"


@pytest.mark.parametrize(
    "match",
    [make_match(station_id="ö" * 1_024), make_match(track_id="ö" * 496), make_match(padding=350_000)],
    ids=["station_id of 2,048 bytes", "play_id of 1,024 bytes", "match of 350 KB"],
)
def test_what_the_contract_allows_is_held_against_no_match(match: Match) -> None:
    assert excess(Airing.creating((match,))) is None


@settings(max_examples=20)
@given(st.lists(st.sampled_from([1, 2, 98, 99, 100, 197, 198, 199, 450]), max_size=3))
def test_an_airing_of_very_many_matches_loses_none(counts: list[int]) -> None:
    airings = [
        Airing.creating(tuple(make_match(f"m-{number}-{n}", track_id=f"track-{number}") for n in range(count)))
        for number, count in enumerate(counts)
    ]

    parts = list(split(airings, guarded=False))

    assert [match for part in parts for match in part.matches] == [m for airing in airings for m in airing.matches]
    assert all(action_count(part) <= 100 for part in parts)
    assert len(parts) == sum(-(-count // 99) for count in counts)


def test_the_parts_of_an_airing_join_the_play_that_it_joins() -> None:
    matches = tuple(make_match(f"m-{number}") for number in range(100))
    play = Airing.creating(matches[:1]).play_with_matches(Decimal(0))

    first, second = split([Airing.joining(play, matches)], guarded=False)

    assert first == Airing.joining(play, matches[:99])
    assert second == Airing.joining(play, matches[99:])


# --- Where airings have a gap, a guard goes along for each station of a transaction. ---


def test_a_guard_has_its_place_in_the_transaction() -> None:
    airings = [airing(number) for number in range(50)]

    transactions = list(pack(airings, guarded=True))

    assert [count_actions(transaction) for transaction in transactions] == [98, 2]


def test_each_station_of_a_transaction_has_a_guard() -> None:
    airings = [Airing.creating((make_match(f"m-{n}", station_id=f"station-{n}"),)) for n in range(40)]

    transactions = list(pack(airings, guarded=True))

    assert [len(transaction) for transaction in transactions] == [33, 7]


def test_an_airing_of_very_many_matches_leaves_room_for_its_guard() -> None:
    (first, second) = split([airing(1, 99)], guarded=True)

    assert action_count(first) == 99
    assert len(second.matches) == 1


@pytest.mark.parametrize(("matches", "flags"), [(1, 1), (1, 97), (1, 98), (97, 97), (200, 99), (3, 500)])
def test_all_the_plays_that_matches_bridge_are_flagged_and_before_the_match_can_be_gone(
    matches: int, flags: int
) -> None:
    bridged = tuple(replace(make_play(), key=PlayKey("station-1", f"play-{n}")) for n in range(flags))
    heard = tuple(make_match(f"m-{n}") for n in range(matches))

    parts = list(split([Airing.joining(make_play(), heard, bridged)], guarded=True))

    assert [match for part in parts for match in part.matches] == list(heard)
    assert [play for part in parts for play in part.bridged] == list(bridged)
    assert all(action_count(part) < 100 for part in parts)
    with_matches = next(number for number, part in enumerate(parts) if part.matches)
    assert not any(part.bridged for part in parts[with_matches + 1 :])


def test_a_play_that_is_joined_and_flagged_stands_in_no_transaction_twice() -> None:
    one, other = make_play(), replace(make_play(), key=PlayKey("station-1", "later"))
    joined = [
        Airing.joining(one, (make_match("m-1"),), (other,)),
        Airing.joining(other, (make_match("m-2"),)),
    ]

    assert list(pack(joined, guarded=True)) == [[joined[0]], [joined[1]]]

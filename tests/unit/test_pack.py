"""Transactions: as few as there can be, none that DynamoDB refuses for its size, and no play lost on the way."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playlog.airing import Airing
from playlog.limits import item_bytes
from playlog.match import Match
from playlog.pack import Entry, excess, pack, split

from tests.unit.builders import make_entry, make_match

MEGABYTE = 1024 * 1024


def entry(number: int, matches: int = 1, padding: int = 0) -> Entry:
    """A play of its own, with the actions that write it."""
    return make_entry(
        Airing(
            tuple(make_match(f"m-{number}-{n}", track_id=f"track-{number}", padding=padding) for n in range(matches))
        )
    )


def written_bytes(transaction: Iterable[Entry]) -> int:
    """The size of the items that a transaction writes, as they will be."""
    size = 0
    for entry in transaction:
        play, *marks = entry.actions
        size += item_bytes(play["Put"]["Item"])
        for match, mark in zip(entry.airing.matches, marks, strict=True):
            values = mark["Update"]["ExpressionAttributeValues"]
            added = {"processed": values[":true"], "processed_at": values[":now"], "play_id": values[":play"]}
            size += item_bytes({**match.item, **added})
    return size


def count_actions(transaction: Iterable[Entry]) -> int:
    return sum(len(entry.actions) for entry in transaction)


# Plays whose actions add up to 100 in many ways; the page of large matches below adds up to 4 MB.
counts = st.sampled_from([1, 1, 1, 2, 3, 33, 48, 49, 50, 96, 97, 98, 99])
shapes = st.lists(st.tuples(counts, st.sampled_from([0, 0, 0, 100_000, 390_000])), max_size=8)


@settings(max_examples=40)
@given(st.lists(counts, max_size=12))
def test_no_transaction_has_more_actions_than_dynamodb_takes(matches: list[int]) -> None:
    for transaction in pack(entry(number, count) for number, count in enumerate(matches)):
        assert count_actions(transaction) <= 100


@pytest.mark.parametrize(("matches", "padding"), [(1, 390_000), (2, 350_000), (9, 390_000), (40, 40_000)])
def test_no_transaction_is_larger_than_dynamodb_takes(matches: int, padding: int) -> None:
    transactions = list(pack(entry(number, matches, padding) for number in range(20)))

    assert len(transactions) > 1
    for transaction in transactions:
        assert written_bytes(transaction) <= 4 * MEGABYTE


@settings(max_examples=40)
@given(shapes)
def test_every_play_is_written_once_and_in_order(found: list[tuple[int, int]]) -> None:
    entries = [entry(number, *shape) for number, shape in enumerate(found)]

    packed = [entry for transaction in pack(entries) for entry in transaction]

    assert packed == entries


@settings(max_examples=40)
@given(st.lists(counts, max_size=12))
def test_no_request_is_spent_where_the_one_before_had_room(matches: list[int]) -> None:
    transactions = list(pack(entry(number, count) for number, count in enumerate(matches)))

    assert all(transactions)
    for one, next_one in pairwise(transactions):
        assert count_actions(one) + len(next_one[0].actions) > 100


def test_plays_of_one_match_go_fifty_to_a_request() -> None:
    transactions = list(pack(entry(number) for number in range(1_000)))

    assert [len(transaction) for transaction in transactions] == [50] * 20


def test_plays_of_one_match_of_four_kilobytes_still_go_fifty_to_a_request() -> None:
    transactions = list(pack(entry(number, padding=4_000) for number in range(100)))

    assert [len(transaction) for transaction in transactions] == [50, 50]


@pytest.mark.parametrize("poisoned", [{"station_id": "s" * 2049}, {"track_id": "t" * 993}, {"padding": 409_000}])
def test_a_play_that_dynamodb_may_refuse_takes_no_other_with_it(poisoned: dict[str, Any]) -> None:
    suspect = make_entry(Airing((make_match("m-x", **poisoned),)))

    transactions = list(pack([entry(1), entry(2), suspect, entry(3)]))

    assert [suspect] in transactions
    others = [entry for transaction in transactions if transaction != [suspect] for entry in transaction]
    assert others == [entry(1), entry(2), entry(3)]


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
    assert excess(make_entry(Airing((match,)))) == sentence


def test_a_match_that_is_too_large_is_named_with_its_size() -> None:
    large = make_match("m-2", padding=408_000)

    sentence = excess(make_entry(Airing((make_match("m-1"), large))))

    assert sentence == f"the match is {item_bytes(large.item):,} bytes large: an item holds at most 409,600"


@pytest.mark.parametrize(
    "match",
    [make_match(station_id="ö" * 1_024), make_match(track_id="ö" * 496), make_match(padding=350_000)],
    ids=["station_id of 2,048 bytes", "play_id of 1,024 bytes", "match of 350 KB"],
)
def test_what_the_contract_allows_is_held_against_no_match(match: Match) -> None:
    assert excess(make_entry(Airing((match,)))) is None


@settings(max_examples=40)
@given(st.lists(st.sampled_from([1, 2, 98, 99, 100, 197, 198, 199, 450]), max_size=3))
def test_an_airing_of_very_many_matches_loses_none(counts: list[int]) -> None:
    airings = [
        Airing(tuple(make_match(f"m-{number}-{n}", track_id=f"track-{number}") for n in range(count)))
        for number, count in enumerate(counts)
    ]

    parts = list(split(airings))

    assert [match for part in parts for match in part.matches] == [m for airing in airings for m in airing.matches]
    assert all(len(make_entry(part).actions) <= 100 for part in parts)
    assert len(parts) == sum(-(-count // 99) for count in counts)


def test_the_parts_of_an_airing_join_the_play_that_it_joins() -> None:
    matches = tuple(make_match(f"m-{number}") for number in range(100))
    play = Airing(matches[:1]).play_with_matches(Decimal(0))

    first, second = split([Airing(matches, play)])

    assert first == Airing(matches[:99], play)
    assert second == Airing(matches[99:], play)

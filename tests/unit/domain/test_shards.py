"""The shard of a station: writers in other languages compute it too, and must come to the same."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog.domain import shards
from playlog.domain.shards import shard_of

from tests.support.builders import texts


# The CRC-32 of "123456789" is 0xCBF43926: the check value of every catalogue of CRCs.
@pytest.mark.parametrize(("count", "shard"), [(1, "0"), (8, "6"), (16, "6"), (64, "38")])
def test_a_writer_in_another_language_comes_to_the_same_shard(count: int, shard: str) -> None:
    assert shard_of("123456789", count) == shard


def test_a_station_with_letters_beyond_ascii_is_hashed_as_utf_8() -> None:
    assert shard_of("Radio Köln", 64) == "35"


@given(texts, st.integers(1, 64))
def test_no_match_is_stranded_by_its_shard(station_id: str, count: int) -> None:
    assert shard_of(station_id, count) in [str(number) for number in range(count)]


def test_a_station_with_half_a_character_has_a_shard_like_any_other() -> None:
    assert shard_of("\ud83d", 8) in "01234567"


def test_stations_spread_over_all_shards() -> None:
    assert {shard_of(f"station-{number}", 8) for number in range(100)} == set("01234567")


def test_the_example_in_the_docstring_holds() -> None:
    outcome = doctest.testmod(shards)

    assert outcome.attempted > 0
    assert outcome.failed == 0

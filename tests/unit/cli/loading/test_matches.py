"""From rows to matches: every row that MatchCache can hold becomes a match, the same one each time it is loaded."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog.domain.match import Item
from playlog.domain.shards import shard_of
from playlog_cli.loading.files.row import Number, Row
from playlog_cli.loading.matches import MATCH_BYTES, RowError, Seen, match_of, number

SHARDS = 8
MATCHED_AT = "2026-03-14T08:00:00+01:00"


@pytest.fixture
def seen() -> Iterator[Seen]:
    with Seen() as seen:
        yield seen


def row(line: int = 2, /, **values: Any) -> Row:
    """A row with only what it must have, but for ``values``."""
    return Row(line, {"matched_at": MATCHED_AT, **values})


def match(seen: Seen, /, **values: Any) -> Item:
    """The match of a row that can be loaded."""
    item = match_of(row(**values), seen, SHARDS)
    assert item
    return item


def test_a_match_waits_in_the_shard_of_its_station(seen: Seen) -> None:
    assert match(seen, match_id="m-1", station_id="triplej", duration_seconds=Number("178"), title="Jump Down") == {
        "match_id": {"S": "m-1"},
        "matched_at": {"S": MATCHED_AT},
        "station_id": {"S": "triplej"},
        "duration_seconds": {"N": "178"},
        "title": {"S": "Jump Down"},
        "processed": {"BOOL": False},
        "unprocessed_shard": {"S": shard_of("triplej", SHARDS)},
    }


@pytest.mark.parametrize("station", [{}, {"station_id": "  "}, {"station_id": Number("7")}], ids=str)
def test_a_match_without_a_station_waits_in_the_shard_of_its_id(seen: Seen, station: dict[str, Any]) -> None:
    shards = {match(seen, match_id=f"m-{n}", **station)["unprocessed_shard"]["S"] for n in range(50)}
    assert shards == {shard_of(f"m-{n}", SHARDS) for n in range(50)}


def test_a_row_keeps_the_shard_that_it_brings(seen: Seen) -> None:
    own = str((int(shard_of("triplej", SHARDS)) + 1) % SHARDS)
    assert match(seen, station_id="triplej", unprocessed_shard=own)["unprocessed_shard"] == {"S": own}


@given(titles=st.lists(st.sampled_from(["Jump Down", "Bruises", "Ambling Alp"]), max_size=12))
def test_a_file_without_ids_gives_each_row_its_own_and_the_same_again(titles: list[str]) -> None:
    def ids(shards: int) -> list[str]:
        with Seen() as seen:
            items = [match_of(row(line, title=title), seen, shards) for line, title in enumerate(titles, start=2)]
        return [item["match_id"]["S"] for item in items if item]

    assert len(set(ids(SHARDS))) == len(titles)
    assert ids(SHARDS) == ids(64)  # the stack may have been given more shards since


def test_a_row_that_changes_in_any_way_is_another_match() -> None:
    ids = set()
    for values in ({}, {"title": "a"}, {"titl": "ea"}, {"title": Number("1")}, {"title": "1"}, {"title": ["1"]}):
        with Seen() as seen:
            ids.add(match(seen, **values)["match_id"]["S"])
    assert len(ids) == 6


def test_a_match_that_stands_in_the_file_twice_is_loaded_once(seen: Seen) -> None:
    assert match_of(row(2, match_id="m-1"), seen, SHARDS)
    assert match_of(row(3, match_id="m-1"), seen, SHARDS) is None
    with pytest.raises(RowError, match="match_id is 'm-1', which line 2 has with other content"):
        match_of(row(4, match_id="m-1", title="x"), seen, SHARDS)


@pytest.mark.parametrize(
    ("values", "attribute"),
    [
        ({"duration_seconds": Number("three minutes")}, {"S": "three minutes"}),
        ({"duration_seconds": Number("1e500")}, {"S": "1e500"}),
        ({"duration_seconds": Number("NaN")}, {"S": "NaN"}),
        ({"avg_confidence_score": Number("1" * 39)}, {"S": "1" * 39}),
        ({"attempts": "2"}, {"S": "2"}),
        ({"track_id": Number("5")}, {"N": "5"}),
        ({"track_id": ""}, {"S": ""}),
        ({"source": False}, {"BOOL": False}),
        ({"station_id": ["a", None]}, {"L": [{"S": "a"}, {"NULL": True}]}),
        ({"extra": {"deep": [Number("1.50"), True]}}, {"M": {"deep": {"L": [{"N": "1.50"}, {"BOOL": True}]}}}),
    ],
    ids=str,
)
def test_a_defect_is_loaded_as_it_is_for_the_converter_to_record(
    seen: Seen, values: dict[str, Any], attribute: dict[str, Any]
) -> None:
    (name,) = values
    assert match(seen, **values)[name] == attribute


def test_a_match_may_say_that_it_is_unprocessed(seen: Seen) -> None:
    assert match(seen, processed=False)["processed"] == {"BOOL": False}


def nested(levels: int) -> list[Any]:
    return [nested(levels - 1)] if levels > 1 else []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"matched_at": " "}, "matched_at is ' ', which is blank: it must be a time like"),
        ({"matched_at": Number("2026")}, "matched_at is 2026, which is no text: it must be a time like"),
        ({"matched_at": "2" * 1_025}, "matched_at is .* and has 1,025 bytes: it must have at most 1,024"),
        ({"match_id": ""}, "match_id is '', which is blank"),
        ({"match_id": Number("12")}, "match_id is 12, which is no text"),
        ({"match_id": "é" * 1_025}, "match_id is .* and has 2,050 bytes: it must have at most 2,048"),
        ({"unprocessed_shard": "8"}, "unprocessed_shard is '8': it must be text from '0' to '7', or be left out"),
        ({"unprocessed_shard": "03"}, "unprocessed_shard is '03'"),
        ({"unprocessed_shard": Number("3")}, "unprocessed_shard is 3: it must be text"),
        ({"processed": True}, "processed is True: a match is loaded unprocessed, so leave it out"),
        ({"processed": "no"}, "processed is 'no'"),
        ({"processed_at": MATCHED_AT}, "processed_at is '2026-.*': playlog writes it, so leave it out"),
        ({"play_id": "p"}, "play_id is 'p': playlog writes it"),
        ({"failed_reason": "r"}, "failed_reason is 'r': playlog writes it"),
        ({"title": "x" * MATCH_BYTES}, "the match has 358,.* bytes: it must stay under 358,400"),
        ({"title": "half \ud83d"}, "title.* holds half a character"),
        ({"half \ud83d": "x"}, "holds half a character"),
        ({"extra": {"\ud83d": "x"}}, "extra.* holds half a character"),
        ({"extra": [Number("1e126")]}, "extra holds '1e126': a number must have at most 38 digits"),
        ({"extra": nested(33)}, "extra is nested deeper than 32 levels"),
        ({"": "x"}, "an attribute has no name"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_matchcache_cannot_hold_is_said_with_what_would_be_right(
    seen: Seen, values: dict[str, Any], problem: str
) -> None:
    with pytest.raises(RowError, match=problem):
        match_of(row(**values), seen, SHARDS)


def test_a_match_without_a_time_is_not_loaded_to_be_stranded(seen: Seen) -> None:
    with pytest.raises(RowError, match="matched_at is missing: it must be a time like"):
        match_of(Row(2, {"match_id": "m-1"}), seen, SHARDS)


def test_what_is_just_within_the_limits_is_loaded(seen: Seen) -> None:
    assert match(seen, match_id="x" * 2_048, extra=nested(32))
    assert match(seen, match_id="m", title="x" * (MATCH_BYTES - 200))
    assert match(seen, matched_at="2" * 1_024)


@given(
    digits=st.integers(1, 10**38 - 1),
    exponent=st.integers(-129, 88),
    negative=st.booleans(),
    padding=st.sampled_from(["", " ", "\t"]),
)
def test_a_number_that_dynamodb_takes_keeps_its_value(digits: int, exponent: int, negative: bool, padding: str) -> None:
    text = f"{'-' if negative else ''}{digits}E{exponent}"
    taken = number(padding + text + padding)
    assert taken is not None
    assert Decimal(taken) == Decimal(text)
    assert len(Decimal(taken).as_tuple().digits) <= 38


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("178", "178"),
        ("+1.50", "1.50"),
        (".5", "0.5"),
        ("-0.0", "0"),
        ("0e999", "0"),
        ("1" + "0" * 50, "1E+50"),
        ("9.9e125", "9.9E+125"),
        ("1e126", None),
        ("1e-130", "1E-130"),
        ("9e-131", None),
        ("1" * 39, None),
        ("1e99999999999999999999", None),
        ("", None),
        ("1_000", None),
        ("1,5", None),
        ("٣", None),
        ("NaN", None),
        ("inf", None),
        ("0x1", None),
    ],
)
def test_a_number_is_what_dynamodb_can_hold_exactly(text: str, taken: str | None) -> None:
    assert number(text) == taken

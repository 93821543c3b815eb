"""Which matches are one play: too few groups lose plays, too many pay twice."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog.domain.airing import Airing
from playlog.domain.duplicates import ExactInstant
from playlog.domain.match import Match
from playlog.domain.validation import validate

from tests.support.builders import MATCHED_AT, NOW, make_item, make_match

# Few stations, tracks and instants, so that matches meet.
matches = st.lists(
    st.builds(
        make_match,
        st.integers(0, 10**6).map("m-{}".format),
        station_id=st.sampled_from(["station-1", "station-2"]),
        track_id=st.sampled_from(["track-1", "track-2"]),
        matched_at=st.integers(0, 2).map(lambda seconds: MATCHED_AT + timedelta(seconds=seconds)),
    ),
    unique_by=lambda match: match.match_id,
    max_size=30,
)


def at_one_instant(matches: list[Match]) -> list[Airing]:
    """The airings of matches where there is no gap."""
    return ExactInstant().group(matches, [])


def test_matches_of_the_same_station_track_and_instant_are_one_play() -> None:
    one, same = make_match("m-1"), make_match("m-2", seconds=60)

    assert at_one_instant([one, same]) == [Airing.creating((one, same))]


@pytest.mark.parametrize(
    "other",
    [
        make_match("m-2", station_id="station-2"),
        make_match("m-2", track_id="track-2"),
        make_match("m-2", matched_at=MATCHED_AT + timedelta(microseconds=1)),
    ],
    ids=["station", "track", "instant"],
)
def test_matches_that_differ_in_one_of_the_three_are_two_plays(other: Match) -> None:
    one = make_match("m-1")

    assert at_one_instant([one, other]) == [Airing.creating((one,)), Airing.creating((other,))]


def test_the_same_instant_in_different_offsets_is_not_paid_twice() -> None:
    texts = ["2026-03-14T08:00:00+01:00", "2026-03-14T07:00:00Z", "2026-03-14T12:30:00+05:30"]
    judged = [
        validate(make_item(f"m-{number}", matched_at={"S": text}), now=NOW, default_duration=timedelta(seconds=180))
        for number, text in enumerate(texts)
    ]
    found = [verdict for verdict in judged if isinstance(verdict, Match)]

    (airing,) = at_one_instant(found)

    assert airing.matches == tuple(found)
    assert airing.matches[0].matched_at == datetime(2026, 3, 14, 7, tzinfo=UTC)


@given(matches, st.randoms(use_true_random=False))
def test_the_order_in_which_the_index_gives_matches_changes_no_play(found: list[Match], random: Random) -> None:
    shuffled = random.sample(found, len(found))

    assert by_first_match(at_one_instant(shuffled)) == by_first_match(at_one_instant(found))


def by_first_match(airings: list[Airing]) -> dict[str, Airing]:
    return {airing.matches[0].match_id: airing for airing in airings}


@given(matches)
def test_no_match_is_lost_and_none_is_counted_twice(found: list[Match]) -> None:
    grouped = [match for airing in at_one_instant(found) for match in airing.matches]

    assert sorted(match.match_id for match in grouped) == sorted(match.match_id for match in found)


@given(matches)
def test_plays_are_written_in_the_order_of_time_of_their_page(found: list[Match]) -> None:
    found.sort(key=lambda match: match.matched_at)

    times = [airing.matches[0].matched_at for airing in at_one_instant(found)]

    assert times == sorted(times)

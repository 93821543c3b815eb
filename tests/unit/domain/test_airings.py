"""Which matches are one airing where airings have a gap: the plays that musicians are paid for.

The expectation is the rule of docs/airings.md in a few lines, over all the matches at once. The code meets them in
pages and runs, in any order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playlog.domain.duplicates import ExactInstant, WithinGap
from playlog.domain.match import Match
from playlog.domain.play import Play, PlayKey, play_id_of

from tests.support import airings
from tests.support.builders import MATCHED_AT, make_match

GAP = timedelta(seconds=30)


def heard(
    match_id: str, second: int, seconds: int = 10, *, track_id: str = "track-1", score: int | None = None
) -> Match:
    """A match that begins so many seconds after the hour."""
    return make_match(
        match_id,
        track_id=track_id,
        matched_at=MATCHED_AT + timedelta(seconds=second),
        seconds=seconds,
        score=None if score is None else Decimal(score),
    )


def written(second: int, seconds: int, *, bridged: bool = False) -> Play:
    """A play that PlayLog holds."""
    start = MATCHED_AT + timedelta(seconds=second)
    return Play(
        PlayKey("station-1", play_id_of(start, "track-1")),
        "track-1",
        start,
        start + timedelta(seconds=seconds),
        match_count=1,
        confidence_sum=Decimal(0),
        confidence_count=0,
        flagged=bridged,
        bridged=bridged,
    )


def expected(matches: Iterable[Match]) -> list[airings.Airing]:
    """The plays that there have to be, in some order."""
    detections = (
        airings.Detection(
            match.station_id,
            match.track_id,
            match.matched_at,
            match.matched_at + match.duration,
            match.avg_confidence_score,
        )
        for match in matches
    )
    return sorted(airings.airings(detections, GAP), key=repr)


@dataclass
class Log:
    """PlayLog as far as grouping can tell: what was grouped is written."""

    plays: dict[PlayKey, Play]

    def take(self, page: Sequence[Match]) -> None:
        """Groups and writes a page."""
        for airing in WithinGap(GAP).group(page, self.plays.values()):
            play = airing.play_with_matches(Decimal(0))
            assert (airing.play is None) == (play.key not in self.plays), "no play is created twice"
            self.plays[play.key] = play
            for bridged in airing.bridged:
                self.plays[bridged.key] = replace(self.plays[bridged.key], flagged=True, bridged=True)

    def shown(self) -> list[airings.Airing]:
        """The plays as they are."""
        found = [
            airings.Airing(
                play.key.station_id,
                play.track_id,
                play.start_time,
                play.stop_time,
                play.match_count,
                play.avg_confidence_score,
            )
            for play in self.plays.values()
        ]
        return sorted(found, key=repr)


# Few stations and tracks, and times so close that airings meet, touch and miss each other by a second.
matches = st.lists(
    st.builds(
        lambda number, station, track, second, seconds, score: replace(
            heard(f"m-{number}", second, seconds, track_id=track, score=score), station_id=station
        ),
        st.integers(0, 10**6),
        st.sampled_from(["station-1", "station-1", "station-2"]),
        st.sampled_from(["track-1", "track-1", "track-2"]),
        st.integers(0, 40).map(lambda step: step * 20) | st.integers(0, 800),
        st.sampled_from([1, 10, 10, 20, 180]),
        st.none() | st.integers(0, 100),
    ),
    unique_by=lambda match: match.match_id,
    max_size=25,
)


@settings(max_examples=50)
@given(matches)
def test_one_airing_is_one_play_with_the_times_count_and_mean_of_all_its_matches(found: list[Match]) -> None:
    log = Log({})

    log.take(found)

    assert log.shown() == expected(found)
    assert not any(play.bridged for play in log.plays.values())


@settings(max_examples=50)
@given(matches, st.randoms(use_true_random=False))
def test_an_airing_goes_on_across_pages_and_runs(found: list[Match], random: Random) -> None:
    found.sort(key=lambda match: match.matched_at)
    log = Log({})

    for page in pages(found, random):
        log.take(page)

    assert log.shown() == expected(found)


@settings(max_examples=75)
@given(matches, st.randoms(use_true_random=False))
def test_matches_in_any_order_of_arrival_give_the_same_plays_where_none_are_bridged(
    found: list[Match], random: Random
) -> None:
    log = Log({})

    for page in pages(random.sample(found, len(found)), random):
        log.take(page)

    if any(play.bridged for play in log.plays.values()):
        assert sum(play.match_count for play in log.plays.values()) == len(found), "no match is lost or counted twice"
        assert len(log.plays) > len(expected(found)), "a play is flagged only where an airing is two plays"
    else:
        assert log.shown() == expected(found)


def pages(found: Sequence[Match], random: Random) -> list[Sequence[Match]]:
    """Cuts matches into pages of at least one, at random."""
    cuts = sorted(random.sample(range(1, len(found)), random.randrange(len(found)))) if found else []
    return [found[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(found)], strict=True)]


@pytest.mark.parametrize(("second", "plays"), [(0, 1), (9, 1), (40, 1), (41, 2)])
def test_a_match_joins_when_it_begins_at_most_the_gap_after_the_stop(second: int, plays: int) -> None:
    assert len(WithinGap(GAP).group([heard("m-1", 0), heard("m-2", second)], [])) == plays


def test_the_stop_is_the_latest_of_all_matches_so_far() -> None:
    (airing,) = WithinGap(GAP).group([heard("m-1", 0, 100), heard("m-2", 5, 1), heard("m-3", 130)], [])

    assert len(airing.matches) == 3


@pytest.mark.parametrize("second", [40, 0, -40])
def test_a_late_match_joins_the_play_that_it_continues_or_precedes(second: int) -> None:
    play = written(0, 10)

    (airing,) = WithinGap(GAP).group([heard("m-1", second)], [play])

    assert (airing.play, airing.bridged) == (play, ())


def test_a_play_that_turns_out_to_begin_earlier_keeps_its_id() -> None:
    play = written(0, 10)

    (airing,) = WithinGap(GAP).group([heard("m-1", -40)], [play])

    after = airing.play_with_matches(Decimal(0))
    assert (after.key, after.start_time) == (play.key, play.start_time - timedelta(seconds=40))


def test_a_match_between_two_plays_that_touches_neither_is_a_play() -> None:
    (airing,) = WithinGap(GAP).group([heard("m-1", 100)], [written(0, 10), written(200, 10)])

    assert airing.play is None


def test_a_match_that_bridges_two_plays_joins_the_earlier_and_the_later_is_flagged() -> None:
    earlier, later = written(0, 10), written(70, 10)

    (airing,) = WithinGap(GAP).group([heard("m-1", 35)], [later, earlier])

    assert (airing.play, airing.bridged) == (earlier, (later,))


def test_a_match_that_bridges_three_plays_flags_both_later_ones() -> None:
    plays = [written(0, 10), written(70, 10), written(130, 10)]

    (airing,) = WithinGap(GAP).group([heard("m-1", 35, 80)], plays)

    assert (airing.play, airing.bridged) == (plays[0], (plays[1], plays[2]))


def test_matches_that_bridge_only_together_flag_the_later_play() -> None:
    earlier, later = written(0, 10), written(120, 10)

    (airing,) = WithinGap(GAP).group([heard("m-1", 40), heard("m-2", 80)], [earlier, later])

    assert (airing.play, airing.bridged) == (earlier, (later,))


def test_a_play_is_flagged_once_and_what_continues_it_alone_is_its_own() -> None:
    earlier, later = written(0, 45), written(70, 30, bridged=True)

    (airing,) = WithinGap(GAP).group([heard("m-1", 125)], [earlier, later])

    assert (airing.play, airing.bridged) == (later, ())


def test_a_flag_that_a_person_took_off_a_bridged_play_is_not_set_again() -> None:
    earlier, later = written(0, 10), replace(written(70, 10, bridged=True), flagged=False)

    (airing,) = WithinGap(GAP).group([heard("m-1", 35)], [earlier, later])

    assert (airing.play, airing.bridged) == (earlier, ())


@pytest.mark.parametrize("apart", [10, 40])
def test_plays_of_a_time_without_a_gap_are_not_flagged_for_being_close(apart: int) -> None:
    """They were told apart when they were written; a match that joins the first says nothing about that."""
    plays = [written(second, 10) for second in (0, apart, 2 * apart)]

    (airing,) = WithinGap(GAP).group([heard("m-1", 5, 1)], plays)

    assert (airing.play, airing.bridged) == (plays[0], ())


@pytest.mark.parametrize("change", [{"track_id": "track-2"}, {"station_id": "station-2"}])
def test_another_track_or_station_is_another_airing(change: dict[str, str]) -> None:
    other = replace(heard("m-2", 5), **change)  # type: ignore[arg-type]

    assert len(WithinGap(GAP).group([heard("m-1", 0), other], [])) == 2


def test_a_gap_of_zero_joins_only_the_same_instant() -> None:
    found = [heard("m-1", 0), heard("m-2", 0), heard("m-3", 5)]

    grouped = ExactInstant().group(found, [])

    assert [[match.match_id for match in airing.matches] for airing in grouped] == [["m-1", "m-2"], ["m-3"]]


def test_times_at_the_ends_of_the_calendar_are_times_like_any_other() -> None:
    ends = [
        replace(heard("m-1", 0), matched_at=datetime(1, 1, 1, tzinfo=UTC)),
        replace(heard("m-2", 0), matched_at=datetime(9999, 12, 31, 23, 59, 49, tzinfo=UTC)),
    ]
    last = replace(
        written(0, 10), start_time=datetime.max.replace(tzinfo=UTC), stop_time=datetime.max.replace(tzinfo=UTC)
    )

    first, joined = WithinGap(timedelta(days=1)).group(ends, [last])

    assert first.play is None
    assert joined.play == last

"""What a play says of its airing: royalties are paid on its times, count and mean."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog.domain.airing import Airing
from playlog.domain.match import Match
from playlog.domain.play import Play, PlayKey

from tests.support.builders import MATCHED_AT, make_match, make_play, scores

matches_of_an_airing = st.lists(st.tuples(st.none() | scores, st.integers(1, 86_400)), min_size=1, max_size=8).map(
    lambda heard: [
        make_match(f"m-{number:02}", score=score, seconds=seconds) for number, (score, seconds) in enumerate(heard)
    ]
)


def played(*matches: Match, play: Play | None = None, flag_below: int = 0) -> Play:
    return (Airing.joining(play, matches) if play else Airing.creating(matches)).play_with_matches(Decimal(flag_below))


def scored(*values: str | None) -> list[Match]:
    return [
        make_match(f"m-{number}", score=None if value is None else Decimal(value))
        for number, value in enumerate(values)
    ]


def test_a_play_of_one_match_is_that_match() -> None:
    match = make_match(seconds=201, score=Decimal("87.5"))

    assert played(match) == Play(
        PlayKey("station-1", "2026-03-14T07:00:00.000000+0000#track-1"),
        "track-1",
        start_time=MATCHED_AT,
        stop_time=MATCHED_AT + timedelta(seconds=201),
        match_count=1,
        confidence_sum=Decimal("87.5"),
        confidence_count=1,
        flagged=False,
        created_by=match.match_id,
    )


def test_a_play_lasts_as_long_as_the_longest_of_its_matches() -> None:
    play = played(make_match("m-1", seconds=200), make_match("m-2", seconds=240), make_match("m-3", seconds=60))

    assert play.stop_time - play.start_time == timedelta(seconds=240)


def test_a_short_match_that_joins_later_does_not_shorten_its_play() -> None:
    assert (
        played(make_match("m-2", seconds=60), play=make_play(seconds=240)).stop_time == make_play(seconds=240).stop_time
    )


def test_a_match_that_joins_a_play_is_counted_on_top_of_those_it_has() -> None:
    play = played(make_match("m-4"), make_match("m-5"), play=make_play(match_count=3))

    assert play.match_count == 5
    assert play.key == make_play().key


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        (["80"], "80"),
        (["80", "90"], "85"),
        (["80", None, "90", None], "85"),
        (["0", "0.3"], "0.15"),
        (["0"], "0"),
    ],
)
def test_the_mean_is_over_the_matches_that_have_a_confidence(values: list[str | None], mean: str) -> None:
    assert played(*scored(*values)).avg_confidence_score == Decimal(mean)


def test_a_mean_too_small_for_dynamodb_is_none_and_fails_no_match() -> None:
    assert played(*scored("1E-130", "0")).avg_confidence_score == 0


def test_a_play_none_of_whose_matches_has_a_confidence_has_none() -> None:
    assert played(*scored(None, None)).avg_confidence_score is None


@given(matches_of_an_airing, st.randoms(use_true_random=False))
def test_the_way_in_which_matches_came_together_changes_nothing_of_their_play(
    matches: list[Match], random: Random
) -> None:
    at_once = played(*matches, flag_below=50)

    one_by_one: Play | None = None
    for part in parts(random.sample(matches, len(matches)), random):
        one_by_one = played(*part, play=one_by_one, flag_below=50)

    assert one_by_one
    assert replace(one_by_one, created_by=at_once.created_by) == at_once


def test_the_match_that_created_a_play_is_not_counted_a_second_time() -> None:
    created = played(make_match("m-1", score=Decimal(80)))
    put_again, new = make_match("m-1", score=Decimal(80)), make_match("m-2", score=Decimal(90))

    assert played(put_again, play=created) == created
    assert played(put_again, new, play=created) == played(new, play=created)


def test_a_play_knows_when_its_first_match_expires() -> None:
    play = make_play()

    assert play.with_matches_that_expire(None).matches_expire_at is None
    for first, later, earliest in ((5, 7, 5), (7, 5, 5), (5, None, 5)):
        expiring = play.with_matches_that_expire(first).with_matches_that_expire(later)
        assert expiring.matches_expire_at == earliest


def parts(matches: Sequence[Match], random: Random) -> list[Sequence[Match]]:
    """Cuts matches into parts of at least one, at random."""
    cuts = sorted(random.sample(range(1, len(matches)), random.randrange(len(matches))))
    return [matches[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(matches)], strict=True)]


@pytest.mark.parametrize(
    ("values", "flag_below", "flagged"),
    [
        (["49.999999"], 50, True),
        (["50"], 50, False),
        (["40", "60"], 50, False),
        (["40", "59"], 50, True),
        (["0"], 0, False),
        ([None], 100, False),
    ],
)
def test_a_play_is_flagged_if_its_mean_is_below_the_threshold(
    values: list[str | None], flag_below: int, flagged: bool
) -> None:
    assert played(*scored(*values), flag_below=flag_below).flagged is flagged


@pytest.mark.parametrize(("score", "flagged"), [("10", True), ("90", False)])
def test_a_further_match_may_change_a_flag_that_the_mean_had_set(score: str, flagged: bool) -> None:
    before = make_play([Decimal(45)], flagged=True)

    assert played(*scored(score), play=before, flag_below=50).flagged is flagged


@pytest.mark.parametrize("score", ["10", "90", None])
def test_a_persons_flag_stays(score: str | None) -> None:
    before = make_play([Decimal(90)], flagged=True)

    assert played(*scored(score), play=before, flag_below=50).flagged


@pytest.mark.parametrize("score", ["10", "90", None])
def test_a_flag_that_a_person_took_away_stays_away(score: str | None) -> None:
    before = make_play([Decimal(40)], flagged=False)

    assert not played(*scored(score), play=before, flag_below=50).flagged

"""A bounded set of rounds. ``make chaos`` plays more, until it is told to stop."""

from collections.abc import Iterator

import pytest

from tests.chaos.__main__ import replay
from tests.chaos.faults import Fault
from tests.chaos.round import Arena, arena, play_round
from tests.chaos.stack import embedded_aws

# Each kind of fault by itself, by a seed that draws it, and then whatever the seeds draw.
SEEDS = {
    Fault.KILLED: 3,
    Fault.RUNS_AT_ONCE: 2,
    Fault.LETTERS_SHUFFLED: 3,
}
ALONE = [(SEEDS.get(fault, 1), [fault]) for fault in Fault]
MIXED = [(seed, list(Fault)) for seed in range(101, 106)]


@pytest.fixture(scope="module")
def here() -> Iterator[Arena]:
    with embedded_aws("chaos-test") as server, arena(server) as made:
        yield made


@pytest.mark.parametrize(("seed", "kinds"), ALONE, ids=[kinds[0].name for _, kinds in ALONE])
def test_no_match_is_lost_or_paid_twice_when_this_goes_wrong(here: Arena, seed: int, kinds: list[Fault]) -> None:
    outcome = play_round(here, seed, kinds)

    assert not outcome.violations, f"again with: {replay(seed, kinds)}"
    assert outcome.injected[kinds[0]], "the seed draws no such fault: it has to, or this shows nothing"


@pytest.mark.parametrize(("seed", "kinds"), MIXED, ids=[f"seed-{seed}" for seed, _ in MIXED])
def test_no_match_is_lost_or_paid_twice_when_much_goes_wrong(here: Arena, seed: int, kinds: list[Fault]) -> None:
    outcome = play_round(here, seed, kinds)

    assert not outcome.violations, f"again with: {replay(seed, [])}"

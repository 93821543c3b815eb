"""Plays rounds of one kind of fault until one of them finds a violation: ``tests.chaos.mutants`` runs this in a copy.

Arguments: the fault, the first seed, the one after the last, and the embedded AWS as JSON.
Standard output: ``Found`` as JSON, or null.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import playlog
from playlog_cli.embedded.session import Server

from tests.chaos.faults import Fault
from tests.chaos.round import arena, play_round

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Found:
    """What the first round that found something found.

    Attributes:
        seed: of the round.
        rounds: how many were played, it included.
        violations: sentences.
    """

    seed: int
    rounds: int
    violations: list[str]


def first_violation(fault: Fault, seeds: range, server: Server) -> Found | None:
    """Plays rounds until one finds a violation.

    Args:
        fault: the only kind of faults.
        seeds: of the rounds.
        server: an embedded AWS in which nobody else plays.

    Returns:
        What it found; None if none did.
    """
    with arena(server) as here:
        for rounds, seed in enumerate(seeds, start=1):
            if violations := play_round(here, seed, [fault]).violations:
                return Found(seed, rounds, violations)
    return None


if __name__ == "__main__":
    assert Path(playlog.__path__[0]).resolve().is_relative_to(ROOT), "another copy was imported"
    fault, first, stop, server = sys.argv[1:]
    found = first_violation(Fault(fault), range(int(first), int(stop)), Server(**json.loads(server)))
    print(json.dumps(found and asdict(found)))

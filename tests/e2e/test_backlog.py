"""A large backlog, and two runs at once: neither may cost more than agreed, lose a match or pay one twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from playlog.domain.match import Item
from playlog.domain.shards import shard_of
from playlog_cli.stacks.stack import Stack
from playlog_cli.wiring import built_template

from tests.e2e.one_run import Outcome
from tests.e2e.tables import ROOT, Tables, away_from_the_schedule
from tests.support import invariants

STATIONS = 40
BACKLOG = 20_000


def run(stack: Stack, tables: Tables) -> Outcome:
    """A run over these tables, in a process of its own."""
    template = built_template.load(ROOT / "template.yaml")
    variables = template.value(template.resources["ConvertMatchesFunction"].properties["Environment"]["Variables"])
    environment = {
        **os.environ,
        **{name: built_template.as_text(value) for name, value in variables.items()},
        "MATCH_CACHE_TABLE": tables.match_cache,
        "PLAY_LOG_TABLE": tables.play_log,
        "DEAD_LETTER_QUEUE_URL": stack.dead_letter_queue_url,
    }
    command = [sys.executable, "-m", "tests.e2e.one_run"]
    finished = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return Outcome(**json.loads(finished.stdout.splitlines()[-1]))


def make_matches(count: int, *, repeats: int = 1) -> Iterator[Item]:
    """Clean matches of many stations, each airing matched so many times."""
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    for number in range(count):
        airing = number // repeats
        station = f"station-{airing % STATIONS}"
        yield {
            "match_id": {"S": f"m-{number:06}"},
            "unprocessed_shard": {"S": shard_of(station, 8)},
            "matched_at": {"S": (begin + timedelta(seconds=200 * (airing // STATIONS))).isoformat()},
            "track_id": {"S": f"XX-PLY-26-{airing % 977:05}"},
            "station_id": {"S": station},
            "station_program_id": {"S": f"{station}/drive"},
            "source": {"S": "Radio"},
            "duration_seconds": {"N": "187"},
            "avg_confidence_score": {"N": "93.5"},
            "processed": {"BOOL": False},
            "artist": {"S": "Wren Alderly"},
            "title": {"S": "Slow Harbour"},
        }


def test_a_backlog_costs_no_more_requests_and_memory_than_agreed(stack: Stack) -> None:
    with away_from_the_schedule(stack, "backlog") as tables:
        tables.put(make_matches(BACKLOG))
        outcome = run(stack, tables)

    assert (outcome.answer["processed"], outcome.answer["plays"]) == (BACKLOG, BACKLOG)
    assert outcome.answer["waiting"] is False
    assert sum(outcome.requests.values()) <= 31 * BACKLOG / 1_000, outcome.requests
    assert outcome.peaks[-1] < 200
    grown = outcome.peaks[-1] - outcome.peaks[len(outcome.peaks) // 2]
    assert grown < 10, "the second half of the backlog must take no more than the first"


def test_two_runs_at_once_pay_nothing_twice(stack: Stack) -> None:
    count, repeats = 3_000, 3
    with away_from_the_schedule(stack, "at-once") as tables:
        tables.put(make_matches(count, repeats=repeats))
        with ThreadPoolExecutor(2) as pool:
            answers = [outcome.answer for outcome in pool.map(lambda _: run(stack, tables), range(2))]
        found = tables.items()

    assert invariants.violations(found, stack.shards) == []
    assert {play["match_count"]["N"] for play in found.plays} == {str(repeats)}
    assert len(found.plays) == count // repeats
    assert sum(answer["processed"] for answer in answers) == count
    assert sum(answer["plays"] for answer in answers) == count // repeats
    assert not any(answer["failed"] or answer["waiting"] for answer in answers)

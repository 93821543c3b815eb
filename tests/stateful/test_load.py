"""The history of an old system comes over whole and once, wherever its load breaks off and whatever else is at work."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from playlog.converting import run
from playlog.domain.match import Item
from playlog.runtime import retry
from playlog.runtime.telemetry import logger
from playlog_cli.loading import load
from playlog_cli.loading.load import load_files
from playlog_cli.loading.results import FileResult
from playlog_cli.stacks.stack import Stack

from tests.stateful.memory import Answer, Request
from tests.stateful.world import (
    ALL_SHARDS,
    FAILED_PLAY_LOG,
    SETTINGS,
    Clients,
    Clock,
    Fault,
    KilledError,
    Plan,
    World,
    clients,
)
from tests.support.invariants import states

COLUMNS = "id,track_id,station_id,station_program_id,matched_at,avg_confidence_score,processed,failed_reason"
# Matches of one play stand side by side and far from each other, and one of them waits.
EXPORT = [
    "1,t-1,s-1,,2024-03-01 08:00:00+00,90,t,",
    "2,t-1,s-1,7,2024-03-01 08:00:00+00,50,t,",
    "3,t-2,s-2,,2024-03-01 08:01:00.5+00,,t,",
    "4,t-2,s-2,,2024-03-01 08:05:00+00,70,f,",
    "5,t-9,s-1,,2024-03-01 08:06:00+00,70,f,Track matching query does not exist.",
    "6,,s-1,,2024-03-01 08:07:00+00,70,f,Track matching query does not exist.",
    "7,t-3,s-1,,2024-03-01 08:08:00+00,70,t,",
    "8,,s-2,,2024-03-01 08:09:00+00,70,t,",
    f"9,{'t' * 1_024},s-2,,2024-03-01 08:10:00+00,70,t,",
    "10,t-1,s-1,,2024-03-01 09:00:00+01,40,t,",
    "11,t-3,s-1,,2024-03-01 08:08:00+00,70,f,",
    "12,t-4,s-1,,2024-03-01 08:12:00+00,70,t,",
    "13,t-4,s-1,,2024-03-01 08:12:00+00,90,t,",
    "14,t-2,s-2,,2024-03-01 08:01:00.5+00,80,t,",
]
FAILED = {"5": "UNEXPECTED", "6": "MISSING_TRACK", "8": "MISSING_TRACK", "9": "REJECTED"}
STATES = {str(number): "played" for number in range(1, len(EXPORT) + 1)} | dict.fromkeys(FAILED, "failed")
STATES |= {"4": "waiting", "11": "waiting"}
# By station and play: how many matches, and their mean confidence.
PLAYS = {
    ("s-1", "2024-03-01T08:00:00.000000+0000#t-1"): (3, Decimal(60)),
    ("s-2", "2024-03-01T08:01:00.500000+0000#t-2"): (2, Decimal(80)),
    ("s-1", "2024-03-01T08:08:00.000000+0000#t-3"): (1, Decimal(70)),
    ("s-1", "2024-03-01T08:12:00.000000+0000#t-4"): (2, Decimal(80)),
}
# Of those that waited, one is of a play that there is.
PLAYS_IN_THE_END = PLAYS | {
    ("s-2", "2024-03-01T08:05:00.000000+0000#t-2"): (1, Decimal(70)),
    ("s-1", "2024-03-01T08:08:00.000000+0000#t-3"): (2, Decimal(70)),
}
FAULTS = [
    fault
    for fault in Fault
    if fault not in (Fault.PARTIAL, Fault.OUT_OF_TIME, Fault.RUN_OF_LAST_SHARD, Fault.LETTERS_STORED)
]


@dataclass
class Loading:
    """A world into which a file is loaded.

    Attributes:
        world: the tables.
        stack: the tables, as a command sees them.
        path: the file.
        transactions: how many the loads have sent.
        other_load_at: before which transaction of the next load a whole other load of the file takes place.
    """

    world: World
    stack: Stack
    path: Path
    transactions: int = 0
    other_load_at: int | None = None

    def __post_init__(self) -> None:
        self._answer = self.world.aws.answer
        self.world.aws.answer = self._meanwhile

    def load(self, plan: Plan) -> FileResult:
        """Loads the file.

        Args:
            plan: what the requests meet.

        Raises:
            KilledError: the command was killed.
        """
        with self.world.planned(plan):
            (result,) = load_files(self.stack, [self.path], lambda _: None).files
        return result

    def check_that_it_came_over(self) -> None:
        """Once it was loaded to its end and no run has been, each match is what it was in the old system."""
        assert self.in_states() == STATES
        assert {record["match_id"]["S"]: record["reason_code"]["S"] for record in self._records()} == FAILED
        assert self.plays() == PLAYS
        assert not self.world.violations

    def items(self) -> list[list[Item]]:
        """All that the tables hold."""
        return [self.world.items(table) for table in self.world.memory.tables]

    def in_states(self) -> dict[str, str]:
        """The state of each match, by its id."""
        matches = self.world.items(SETTINGS.match_cache_table)
        return {match["match_id"]["S"]: "+".join(states(match)) for match in matches}

    def plays(self) -> dict[tuple[str, str], tuple[int, Decimal | None]]:
        """By station and play: how many matches, and their mean confidence."""
        return {
            (play["station_id"]["S"], play["play_id"]["S"]): (
                int(play["match_count"]["N"]),
                Decimal(play["avg_confidence_score"]["N"]) if "avg_confidence_score" in play else None,
            )
            for play in self.world.plays
        }

    def _records(self) -> list[Item]:
        return self.world.items(FAILED_PLAY_LOG)

    def _meanwhile(self, operation: str, request: Request) -> Answer:
        self.transactions += operation == "TransactWriteItems"
        if self.transactions - 1 == self.other_load_at:
            self.other_load_at = None
            self.load({})
        return self._answer(operation, request)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients that take what a world answers."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with clients() as made:
        yield made


@pytest.fixture
def loadings(aws: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Loading]]:
    """Makes worlds, each empty, and the file to load: one request at a time, and several for so few matches."""
    clock = Clock()
    monkeypatch.setattr(retry, "time", clock)
    monkeypatch.setattr(run, "SIDE_BY_SIDE", 1)
    monkeypatch.setattr(load, "WRITERS", 1)
    monkeypatch.setattr("playlog_cli.loading.batches.PLAYED_TOGETHER", 3)
    monkeypatch.setattr("playlog_cli.loading.batches.TRANSACTION_ACTIONS", 4)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    path = tmp_path / "matchcache.csv"
    path.write_text("\n".join([COLUMNS, *EXPORT, ""]))
    stack = Stack(
        name="playlog",
        session=boto3.Session(),
        match_cache_table=SETTINGS.match_cache_table,
        play_log_table=SETTINGS.play_log_table,
        failed_play_log_table=FAILED_PLAY_LOG,
        dead_letter_queue_url=SETTINGS.dead_letter_queue_url,
        parking_lot_queue_url="https://queue/parking-lot",
        convert_matches_function="ConvertMatchesFunction",
        store_failures_function="StoreFailuresFunction",
        shards=len(ALL_SHARDS),
        default_duration=SETTINGS.default_duration,
        flag_below_confidence=SETTINGS.flag_below_confidence,
    )
    level = logger.log_level
    logger.setLevel("CRITICAL")  # without the log lines of hundreds of runs
    yield lambda: Loading(World(aws, clock), stack, path)
    logger.setLevel(level)


def test_each_match_is_what_it_was_and_loading_again_adds_nothing(loadings: Callable[[], Loading]) -> None:
    loading = loadings()
    result = loading.load({})
    assert (result.rows, result.added, result.bad_rows) == (len(EXPORT), len(EXPORT), ())
    assert (result.played, result.plays, result.failed) == (8, 4, 4)
    assert [(each.line, each.match_id) for each in result.not_played] == [(9, "8"), (10, "9")]
    loading.check_that_it_came_over()
    before = loading.items()
    again = loading.load({})
    assert (again.added, again.already_there, again.not_played) == (0, len(EXPORT), ())
    assert loading.items() == before
    loading.check_that_it_came_over()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_wherever_a_load_is_disturbed_the_law_holds_and_loading_again_brings_the_rest(
    loadings: Callable[[], Loading], fault: Fault
) -> None:
    undisturbed = loadings()
    undisturbed.load({})
    assert undisturbed.transactions >= 6
    for number in range(undisturbed.transactions):
        loading = loadings()
        with suppress(KilledError):
            loading.load({("TransactWriteItems", number): fault})
        assert not loading.world.violations
        loading.load({})
        if fault is not Fault.ANOTHER_RUN:
            loading.check_that_it_came_over()
        check_that_every_match_is_paid_once(loading)


def test_two_loads_at_once_are_as_one(loadings: Callable[[], Loading]) -> None:
    undisturbed = loadings()
    undisturbed.load({})
    for number in range(undisturbed.transactions):
        loading = loadings()
        loading.other_load_at = number
        result = loading.load({})
        assert result.added + result.already_there == len(EXPORT)
        loading.check_that_it_came_over()
        check_that_every_match_is_paid_once(loading)


def test_a_load_of_matches_that_expired_pays_no_play_twice(loadings: Callable[[], Loading]) -> None:
    loading = loadings()
    loading.stack = replace(loading.stack, retain_played=timedelta(days=1))
    loading.load({})
    assert not loading.world.violations
    loading.world.expire()
    assert set(loading.in_states().values()) == {"waiting", "failed"}

    again = loading.load({})

    assert (again.added, again.played, again.plays) == (8, 8, 0)
    assert loading.plays().keys() == PLAYS.keys()
    alone = [key for key, (matches, _) in PLAYS.items() if matches == 1]
    assert alone
    assert all(loading.plays()[key] == PLAYS[key] for key in alone)
    # The two that joined the play of the first count once more: nothing shows that they were counted.
    assert loading.plays()["s-1", "2024-03-01T08:00:00.000000+0000#t-1"] == (5, Decimal(54))
    assert not loading.world.violations


def test_a_play_that_is_there_already_is_joined(loadings: Callable[[], Loading]) -> None:
    loading = loadings()
    waits: Item = {
        "match_id": {"S": "new"},
        "unprocessed_shard": {"S": "0"},
        "matched_at": {"S": "2024-03-01T08:12:00Z"},
        "station_id": {"S": "s-1"},
        "track_id": {"S": "t-4"},
        "processed": {"BOOL": False},
    }
    loading.world.put(SETTINGS.match_cache_table, waits)
    loading.world.run({})
    result = loading.load({})
    assert (result.played, result.plays) == (8, 3)
    assert loading.plays()["s-1", "2024-03-01T08:12:00.000000+0000#t-4"] == (3, Decimal(80))
    assert not loading.world.violations


def check_that_every_match_is_paid_once(loading: Loading) -> None:
    """Whatever has been: once runs have taken what waited, all that can be played is."""
    while loading.world.run({}).message != "No unprocessed matches found":
        loading.world.store_all()
    assert loading.in_states() == {match_id: "failed" if match_id in FAILED else "played" for match_id in STATES}
    assert loading.plays() == PLAYS_IN_THE_END
    assert not loading.world.violations

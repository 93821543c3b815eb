"""Nothing lost, nothing paid twice: loads, runs, failures, retries, crashes and repeats, in any order.

Hypothesis draws the orders, always the same ones. ``World`` runs playlog's code as it is, and checks the invariants on
the tables after every request. The model below says what must become of each match.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from playlog.converting import run
from playlog.converting.run import RunError
from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.domain.shards import shard_of
from playlog.runtime import retry
from playlog.runtime.retry import UnavailableError
from playlog.runtime.telemetry import logger

from tests.stateful.world import (
    ALL_SHARDS,
    MAX_ATTEMPTS,
    SETTINGS,
    Clients,
    Clock,
    Fault,
    KilledError,
    Plan,
    World,
    clients,
)
from tests.support.airings import Airing, Detection, airings, summed
from tests.support.invariants import states

WAITING, PLAYED, FAILED = "waiting", "played", "failed"
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
STATIONS = ("station-1", "station-4")
# Their plays cannot be read: what is heard of this track goes wrong in a way that no rule foresees.
BROKEN_TRACK = "broken"
# Without a gap there are few instants, so that many matches are of one play. With one they overlap, touch, miss each
# other by a second, and stand between two others.
GAP = timedelta(seconds=30)
INSTANTS = {
    timedelta(0): tuple(NOON + timedelta(seconds=second) for second in (0, 240)),
    GAP: tuple(NOON + timedelta(seconds=second) for second in (0, 20, 61, 121, 182, 240, 470)),
}
MENDED: Item = {"track_id": {"S": "track-1"}, "duration_seconds": {"N": "30"}, "source": {"S": "Radio"}}
PLAYED_ALONE = ("processed_at", "play_id", "expires_at")
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
SEARCH = settings(
    max_examples=100,
    stateful_step_count=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
ANYWHERE: list[Fault] = [fault for fault in Fault if fault not in (Fault.CONFLICT, Fault.PARTIAL)]
FAULTS: dict[str, list[Fault]] = {
    "TransactWriteItems": [*ANYWHERE, Fault.CONFLICT],
    "Query": ANYWHERE,
    "BatchGetItem": ANYWHERE,
    "SendMessageBatch": [*ANYWHERE, Fault.PARTIAL],
}
MEETINGS = {
    operation: st.tuples(st.tuples(st.just(operation), st.integers(0, 2)), st.sampled_from(faults))
    for operation, faults in FAULTS.items()
}
# Transactions are where there is most to get wrong.
PLANS = st.lists(st.one_of(MEETINGS["TransactWriteItems"], *MEETINGS.values()), max_size=3).map(dict)


class Defect(Enum):
    """What is wrong with a match."""

    NONE = auto()
    TRACK = auto()
    DURATION = auto()
    TYPE = auto()
    TOO_LONG = auto()
    UNREADABLE_PLAY = auto()


DEFECTS: dict[Defect, Item] = {
    Defect.NONE: {},
    Defect.TRACK: {"track_id": {"S": " "}},
    Defect.DURATION: {"duration_seconds": {"N": "0"}},
    Defect.TYPE: {"source": {"N": "1"}},
    Defect.TOO_LONG: {"track_id": {"S": "t" * 1000}},
    Defect.UNREADABLE_PLAY: {"track_id": {"S": BROKEN_TRACK}},
}


@dataclass(frozen=True)
class Heard:
    """A match as it is drawn; so few of each that many are of one play.

    Its instant is one of ``INSTANTS``, by number. Its shard may be any: with another than the contract's, nothing is to
    be lost or doubled either.
    """

    shard: str
    station: str
    track: str
    instant: int
    seconds: int
    confidence: int
    defect: Defect


HEARD = st.builds(
    Heard,
    shard=st.sampled_from(ALL_SHARDS),
    station=st.sampled_from(STATIONS),
    track=st.sampled_from(["track-1", "track-2"]),
    instant=st.integers(0, 6),
    seconds=st.sampled_from([30, 200]),
    confidence=st.sampled_from([40, 95]),
    defect=st.one_of(st.just(Defect.NONE), st.sampled_from(Defect)),
)


@dataclass
class Expected:
    """The model: what is to become of a match, in the end, whatever happens on the way.

    Attributes:
        defect: what is wrong with it.
        attempts: how many conversions of it are to fail.
        settled: what has become of it, after which only a person changes it; None while it waits.
    """

    defect: Defect
    attempts: int
    settled: Item | None = None

    @classmethod
    def of(cls, defect: Defect) -> "Expected":
        return cls(defect, {Defect.NONE: 0, Defect.UNREADABLE_PLAY: MAX_ATTEMPTS}.get(defect, 1))

    @property
    def state(self) -> str:
        return PLAYED if self.defect is Defect.NONE else FAILED

    def retried(self, *, mended: bool) -> "Expected":
        return Expected(Defect.NONE, self.attempts) if mended else Expected(self.defect, self.attempts + 1)


class AnyOrder(RuleBasedStateMachine):
    """Anything that may happen, and what must hold whatever does."""

    matches: Bundle[str] = Bundle("matches")

    def __init__(self, aws: Clients, clock: Clock, gap: timedelta) -> None:
        super().__init__()
        self.world = World(aws, clock, gap=gap)
        self.instants = INSTANTS[gap]
        self.expected: dict[str, Expected] = {}

    @initialize(retained=st.booleans())
    def some_plays_cannot_be_read(self, retained: bool) -> None:
        self.world.retain_played = timedelta(days=retained)
        for station in STATIONS:
            for instant in self.instants:
                play_id = f"{timestamps.to_text(instant)}#{BROKEN_TRACK}"
                self.world.put(SETTINGS.play_log_table, {"station_id": {"S": station}, "play_id": {"S": play_id}})

    @rule(target=matches, heard=st.lists(HEARD, max_size=4), plan=PLANS, lag=st.integers(0, 6))
    def load_and_run(self, heard: list[Heard], plan: Plan, lag: int) -> MultipleResults[str]:
        loaded = [self._load(each) for each in heard]
        self.world.memory.lag = lag
        self._run(plan)
        return multiple(*loaded)

    @rule(
        target=matches,
        heard=st.lists(HEARD, min_size=2, max_size=6),
        request=st.sampled_from([("TransactWriteItems", 0), ("TransactWriteItems", 1)]),
        meets=st.sampled_from([Fault.ANOTHER_RUN, Fault.RUN_OF_LAST_SHARD]),
    )
    def runs_meet(self, heard: list[Heard], request: tuple[str, int], meets: Fault) -> MultipleResults[str]:
        """Another run writes between what a run has read and what it writes: other matches of the same airing, say."""
        loaded = [self._load(each) for each in heard]
        self._run({request: meets})
        return multiple(*loaded)

    @precondition(lambda self: self.world.memory.letters)
    @rule(data=st.data(), plan=PLANS)
    def letter_comes(self, data: st.DataObject, plan: Plan) -> None:
        """For the first time or again, early or late: a letter that was pushed may come at any time."""
        letter = data.draw(st.sampled_from(self.world.memory.letters))
        try:
            self.world.store(letter, plan)
        except (KilledError, UnavailableError):
            assert plan, "a letter that nothing was in the way of could not be stored"

    @rule()
    def queue_is_worked_off(self) -> None:
        self.world.store_all()

    @rule(match_id=matches, mended=st.booleans())
    def person_retries(self, match_id: str, mended: bool) -> None:
        match = self._match(match_id)
        if states(match) != [FAILED]:
            return
        again = {name: value for name, value in match.items() if name != "failed_reason"}
        again["unprocessed_shard"] = {"S": shard_of(match["station_id"]["S"], len(ALL_SHARDS))}
        self.world.put(SETTINGS.match_cache_table, {**again, **(MENDED if mended else {})})
        self.expected[match_id] = self.expected[match_id].retried(mended=mended)

    @rule(match_id=matches)
    def match_expires(self, match_id: str) -> None:
        self.world.expire([match_id])

    @rule(match_id=matches)
    def expired_match_is_delivered_again(self, match_id: str) -> None:
        is_there = (match_id,) in self.world.memory.tables[SETTINGS.match_cache_table].items
        # A dead letter of its first life would be one of its second as well.
        if is_there or self.expected[match_id].attempts:
            return
        again = {name: value for name, value in self._match(match_id).items() if name not in PLAYED_ALONE}
        shard = shard_of(again["station_id"]["S"], len(ALL_SHARDS))
        self.world.put(
            SETTINGS.match_cache_table, {**again, "unprocessed_shard": {"S": shard}, "processed": {"BOOL": False}}
        )
        self.expected[match_id] = Expected.of(Defect.NONE)

    @invariant()
    def law_has_held_after_every_request(self) -> None:
        self.world.check()
        assert not self.world.violations

    @invariant()
    def matches_become_what_they_deserve_and_stay_it(self) -> None:
        for match_id, expected in self.expected.items():
            match = self._match(match_id)
            if expected.settled is not None:
                assert match == expected.settled, f"it was {expected.settled}"
            elif states(match) != [WAITING]:
                assert states(match) == [expected.state], match
                expected.settled = match

    @invariant()
    def no_letter_tells_of_a_match_that_was_always_good(self) -> None:
        for letter in self.world.memory.letters:
            assert self.expected[json.loads(letter)["match_id"]].attempts > 0, letter

    def teardown(self) -> None:
        """Once nothing goes wrong any more, every match becomes what it deserves."""
        if self.world.violations:
            return  # it has failed already
        self.world.memory.lag = 0
        self.world.store_all()
        runs = 0
        while self.world.run({}).message != "No unprocessed matches found":
            self.world.store_all()
            runs += 1
            assert runs <= MAX_ATTEMPTS, "matches wait for ever"
        for match_id, expected in self.expected.items():
            match = self._match(match_id)
            assert states(match) == [expected.state], match
            assert int(match.get("attempts", {"N": "0"})["N"]) == expected.attempts, match
        self._check_what_is_paid()
        assert not self.world.violations

    def _load(self, heard: Heard) -> str:
        match_id = f"match-{len(self.expected)}"
        good: Item = {
            "match_id": {"S": match_id},
            "unprocessed_shard": {"S": heard.shard},
            "matched_at": {"S": self.instants[heard.instant % len(self.instants)].isoformat()},
            "station_id": {"S": heard.station},
            "track_id": {"S": heard.track},
            "duration_seconds": {"N": str(heard.seconds)},
            "avg_confidence_score": {"N": str(heard.confidence)},
            "processed": {"BOOL": False},
        }
        self.world.put(SETTINGS.match_cache_table, {**good, **DEFECTS[heard.defect]})
        self.expected[match_id] = Expected.of(heard.defect)
        return match_id

    def _run(self, plan: Plan) -> None:
        before = self._waiting()
        plays_before = len(self.world.plays)
        letters_before = len(self.world.memory.letters)
        try:
            run = self.world.run(plan)
        except KilledError:
            return
        except RunError:
            assert plan, "a run that nothing was in the way of could not work"
            return
        played = sum(states(self._match(match_id)) == [PLAYED] for match_id in before)
        created = len(self.world.plays) - plays_before
        pushed = len(self.world.memory.letters) - letters_before
        assert run.failed <= pushed, "the run told of letters that it did not push"
        if not {Fault.ANOTHER_RUN, Fault.RUN_OF_LAST_SHARD} & set(plan.values()):
            assert (run.processed, run.plays) == (played, created), "the run did not tell what it did"
        else:
            assert run.processed <= played, "the run told of more than was done"
            assert run.plays <= created, "the run told of more than was done"
        if not run.waiting and not self.world.memory.lag:
            pushed_ids = {json.loads(letter)["match_id"] for letter in self.world.memory.letters}
            left = [each for each in before if states(self._match(each)) == [WAITING] and each not in pushed_ids]
            assert not left, "the run left matches waiting, and did not say so"

    def _check_what_is_paid(self) -> None:
        played = [match for match in self.world.matches if states(match) == [PLAYED]]
        expected = airings(map(_detection, played), self.world.gap)
        bridged = [play for play in self.world.plays if "bridged" in play]
        for play in self.world.plays:
            own = [_detection(match) for match in played if _is_of(match, play)]
            assert _as_airing(play) == summed(own), play
            assert play["flagged"]["BOOL"] is ("bridged" in play), play
        if bridged:
            assert len(self.world.plays) - len(bridged) == len(expected), "each airing has one play that is not flagged"
        else:
            assert sorted(map(_as_airing, self.world.plays), key=repr) == sorted(expected, key=repr)

    def _match(self, match_id: str) -> Item:
        """A match as it is, or as it was when it expired."""
        match = self.world.memory.tables[SETTINGS.match_cache_table].items.get((match_id,))
        return match or next(each for each in reversed(self.world.expired) if each["match_id"]["S"] == match_id)

    def _waiting(self) -> list[str]:
        return [match_id for match_id in self.expected if states(self._match(match_id)) == [WAITING]]


def _detection(match: Item) -> Detection:
    start = datetime.fromisoformat(match["matched_at"]["S"])
    return Detection(
        match["station_id"]["S"],
        match["track_id"]["S"],
        start,
        start + timedelta(seconds=int(match["duration_seconds"]["N"])),
        Decimal(match["avg_confidence_score"]["N"]),
    )


def _as_airing(play: Item) -> Airing:
    return Airing(
        play["station_id"]["S"],
        play["track_id"]["S"],
        datetime.fromisoformat(play["start_time"]["S"]),
        datetime.fromisoformat(play["stop_time"]["S"]),
        int(play["match_count"]["N"]),
        Decimal(play["avg_confidence_score"]["N"]),
    )


def _is_of(match: Item, play: Item) -> bool:
    return all(match.get(name) == play[name] for name in ("station_id", "play_id"))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients that take what a world answers."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with clients() as made:
        yield made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time that playlog's retry budget is measured by."""
    clock = Clock()
    monkeypatch.setattr(retry, "time", clock)
    return clock


@pytest.fixture
def one_thing_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shards one after the other, so that an order of events that was found can be found again."""
    monkeypatch.setattr(run, "SIDE_BY_SIDE", 1)


@pytest.fixture
def in_silence() -> Iterator[None]:
    """Without the log lines of thousands of runs."""
    level = logger.log_level
    logger.setLevel("CRITICAL")
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("one_thing_at_a_time", "in_silence")
@pytest.mark.parametrize("gap", INSTANTS, ids=["no-gap", "gap"])
def test_no_match_is_lost_or_paid_twice_in_whatever_order_things_happen(
    aws: Clients, clock: Clock, gap: timedelta
) -> None:
    # Any factory will do, whatever its type says.
    run_state_machine_as_test(lambda: AnyOrder(aws, clock, gap), settings=SEARCH)  # type: ignore[arg-type]

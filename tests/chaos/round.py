"""A round: matches, runs, letters and people under faults that a seed draws. The invariants are checked all along.

It ends with the faults off: then each match has to end as its own data say, and as nothing else does.
"""

import logging
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from playlog.converting.run import SECONDS_KEPT, Run, RunError, convert
from playlog.domain import timestamps
from playlog.dynamodb import models
from playlog.failures import recording
from playlog.runtime import retry
from playlog.runtime.retry import CLIENT_CONFIG, Retry
from playlog.runtime.settings import ConvertSettings
from playlog.runtime.telemetry import logger
from playlog_cli.embedded.ministack import spoken_to
from playlog_cli.embedded.session import Server

from tests.chaos.faults import OF_A_REQUEST, Fault, Schedule, draw_rates
from tests.chaos.postman import Context, Postman
from tests.chaos.postman import handler as store_failures_handler
from tests.chaos.proxy import HOST, Proxy
from tests.chaos.stack import FAILED_PLAY_LOG, MATCH_CACHE, PLAY_LOG, STATION_GUARD, Stack
from tests.chaos.world import (
    DEFAULT_DURATION,
    MENDABLE,
    Airing,
    Drawn,
    draw_airings,
    draw_matches,
    mended,
)
from tests.support import invariants
from tests.support.airings import Airing as Heard
from tests.support.airings import airings, summed
from tests.support.clients import client_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

# Time runs faster here than in the functions: all that waits is shortened alike.
READ_TIMEOUT = 0.5
PAUSES = (0.002, 0.02)
RETRY_BUDGETS = (0.3, 2.0, 2.0)
# What a run may take beyond its time: its longest request, and what a busy machine adds.
OVERTIME = READ_TIMEOUT + 3.0
# With the faults off.
QUIET_SECONDS = 60.0
GAPS = (timedelta(0), timedelta(seconds=30))
BROKEN_LETTERS = ("not JSON", "[]", '{"version": 1, "match_id": "match-0000"}', '{"version": 2}')


class Killed(BaseException):
    """The process of a run is no more. Nothing in playlog catches it."""


@dataclass(frozen=True)
class Outcome:
    """What a round found.

    Attributes:
        seed: draws the same round again.
        matches: how many there were.
        checks: how often the invariants were checked.
        injected: faults by kind.
        violations: sentences; none is what it should be.
    """

    seed: int
    matches: int
    checks: int
    injected: Counter[Fault]
    violations: list[str]


@dataclass(frozen=True)
class _Clients:
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"


class Arena:
    """An embedded AWS with a proxy in front of it, for one round after the other."""

    def __init__(self, stack: Stack, proxy: Proxy) -> None:
        self.stack = stack
        self.proxy = proxy
        self.endpoint = f"http://{HOST}:{proxy.port}"
        self.store_failures: Callable[[dict[str, Any], Context], Any] = store_failures_handler()
        self.impatient = self.connect(CLIENT_CONFIG.merge(Config(read_timeout=READ_TIMEOUT)))
        self.patient = self.connect(CLIENT_CONFIG.merge(Config(read_timeout=QUIET_SECONDS)))

    def connect(self, config: Config) -> _Clients:
        """Clients of the code under test: faults befall what they send."""
        session = boto3.Session()
        return _Clients(
            session.client("dynamodb", endpoint_url=self.endpoint, config=config),
            session.client("sqs", endpoint_url=self.endpoint, config=config),
        )


@contextmanager
def arena(server: Server) -> Iterator[Arena]:
    """Makes an arena in an embedded AWS. All of this process speaks to its proxy while it lasts.

    Args:
        server: it is ready.
    """
    proxy = Proxy(server.port)
    environment = {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{proxy.port}",
        "MATCH_CACHE_TABLE": MATCH_CACHE,
        "FAILED_PLAY_LOG_TABLE": FAILED_PLAY_LOG,
        # Each round has a queue of its own. This one is read by a version's check alone, which no round asks for.
        "DEAD_LETTER_QUEUE_URL": f"http://{HOST}:{proxy.port}/000000000000/not-asked",
    }
    try:
        with spoken_to(server), patch.dict(os.environ, environment), _in_haste():
            yield Arena(Stack(server), proxy)
    finally:
        proxy.close()


@contextmanager
def _in_haste() -> Iterator[None]:
    """All that waits is shortened, and the functions log nothing."""
    level = logger.log_level
    logger.setLevel(logging.CRITICAL)
    first_pause, longest_pause = PAUSES
    try:
        with (
            patch.object(retry, "FIRST_PAUSE", first_pause),
            patch.object(retry, "LONGEST_PAUSE", longest_pause),
            patch.object(models.MatchCache.Meta, "read_timeout_seconds", READ_TIMEOUT),
            patch.object(models.FailedPlayLog.Meta, "read_timeout_seconds", READ_TIMEOUT),
        ):
            yield
    finally:
        logger.setLevel(level)


def play_round(arena: Arena, seed: int, kinds: Sequence[Fault] = tuple(Fault), gap: timedelta | None = None) -> Outcome:
    """Plays a round.

    Args:
        arena: no other round is under way in it.
        seed: what is drawn.
        kinds: of faults that may be drawn.
        gap: the stack's ``AiringGapSeconds``; None draws one.
    """
    played = _Round(arena, seed, list(kinds), gap)
    played.play()
    found = played.violations + [f"the proxy itself failed: {defect}" for defect in arena.proxy.defects]
    return Outcome(seed, len(played.matches), played.checks, played.schedule.injected, found)


class _Round:
    def __init__(self, arena: Arena, seed: int, kinds: list[Fault], gap: timedelta | None) -> None:
        self._chance = random.Random(seed)
        self._arena = arena
        self._stack = arena.stack
        self._rates = draw_rates(self._chance, kinds)
        self.schedule = Schedule(seed, self._rates)
        self._stack.renew(str(seed))
        arena.proxy.reset(self.schedule)
        arena.proxy.watch = self._judge_instant
        arena.proxy.expire = self._stack.expire
        self._postman = Postman(self._stack, arena.store_failures, self._chance, self._rates, self.schedule.count)
        self._settings = ConvertSettings(
            match_cache_table=MATCH_CACHE,
            play_log_table=PLAY_LOG,
            station_guard_table=STATION_GUARD,
            dead_letter_queue_url=self._stack.dead_letters,
            batch_size=self._chance.choice((5, 20, 100)),
            unprocessed_shards=self._chance.choice((1, 2, 4)),
            airing_gap=random.Random(f"gap {seed}").choice(GAPS) if gap is None else gap,
            default_duration=timedelta(seconds=DEFAULT_DURATION),
            flag_below_confidence=Decimal(self._chance.choice((0, 50))),
            max_attempts=self._chance.choice((1, 2, 3)),
            # They have expired once a fault says so: the embedded AWS deletes none by itself.
            retain_played=timedelta(days=Fault.EXPIRED in self._rates),
        )
        self._gap = self._settings.airing_gap
        self._airings = draw_airings(self._chance, self._gap)
        self._unreadable: set[Airing] = set()
        self._attempts: dict[str, int] = {}
        self.matches: dict[str, Drawn] = {}
        self.checks = 0
        self.violations: list[str] = []

    def play(self) -> None:
        """Plays it: under faults first, then without."""
        self._spoil_plays()
        self._load(self._chance.randint(8, 40))
        broken = self._chance.sample(BROKEN_LETTERS, self._chance.choice((0, 0, 1, 2)))
        for body in broken:
            self._stack.sqs.send_message(QueueUrl=self._stack.dead_letters, MessageBody=body)
        steps = (self._run, self._run_and_deliver, self._deliver, self._deliver, self._person, self._arrivals)
        drawn = self._chance.choices(steps, k=self._chance.randint(2, 5))
        for step in (self._run, *drawn):
            step()
            self._judge()
            if self.violations:
                return
        self._arena.proxy.settle()
        self._arena.proxy.schedule = None
        self._finish()
        self._judge()
        self._judge_ends(broken)
        if not self.violations and self._chance.random() < 0.3 and self._mend_plays():
            self._finish()
            self._judge()
            self._judge_ends(broken)

    # --- What happens. ---

    def _spoil_plays(self) -> None:
        """Leaves a few airings plays that nobody can read: their matches fail as UNEXPECTED.

        Not with a gap: which matches such a play is in the way of depends on which were there before.
        """
        if self._gap:
            return
        for airing in dict.fromkeys(self._airings):
            if self._chance.random() < 0.05:
                station, track, _ = airing
                self._unreadable.add(airing)
                unreadable: invariants.Item = {
                    "station_id": {"S": station},
                    "play_id": {"S": _play_id(airing)},
                    "track_id": {"S": track},
                    "match_count": {"N": "1"},
                    "start_time": {"S": "when it was"},
                }
                self._stack.put(PLAY_LOG, [unreadable])

    def _load(self, count: int) -> None:
        drawn = draw_matches(
            self._chance, self._airings, self._gap, len(self.matches), count, self._settings.unprocessed_shards
        )
        for match in drawn:
            self._expect(match)
        self._stack.put(MATCH_CACHE, [match.item for match in drawn])

    def _arrivals(self) -> None:
        self._load(self._chance.randint(1, 10))

    def _deliver(self) -> None:
        retry_budget = self._chance.choice(RETRY_BUDGETS) if self._requests_suffer else QUIET_SECONDS
        self._postman.deliver(self._milliseconds(retry_budget + recording.SECONDS_KEPT))

    def _run(self) -> None:
        """One run, killed perhaps, or several at once."""
        runs = 1
        if self._befalls(Fault.RUNS_AT_ONCE):
            runs = self._chance.choice((2, 2, 3))
            self.schedule.count(Fault.RUNS_AT_ONCE)
        if runs > 1:
            self._at_once([self._one_run() for _ in range(runs)])
        else:
            self._judged_run()

    def _run_and_deliver(self) -> None:
        if not self._befalls(Fault.LETTERS_DURING_RUN):
            self._judged_run()
            self._deliver()
            return
        self.schedule.count(Fault.LETTERS_DURING_RUN)
        self._at_once([self._one_run(), self._deliver])

    def _at_once(self, tasks: list[Callable[[], Any]]) -> None:
        """Does several things at once; together they may claim no more than was done."""
        before = self._stack.scan()
        with ThreadPoolExecutor(len(tasks)) as pool:
            outcomes = [future.result() for future in [pool.submit(task) for task in tasks]]
        self._judge_claims([run for run in outcomes if isinstance(run, Run)], before, exactly=False)

    def _judged_run(self) -> None:
        """One run, with nothing else at the same time: what it says has to be what it did."""
        self._arena.proxy.sent.clear()
        self._arena.proxy.clouded.clear()
        before = self._stack.scan()
        run = self._one_run()()
        if run is None:
            return
        # A transaction that arrives when nobody waits for it any more is done by no one's account.
        late = Fault.SLOW_REQUEST in self._rates
        self._judge_claims([run], before, exactly=not run.waiting and not late)
        if not run.waiting:
            self._judge_none_forgotten(before)

    def _one_run(self) -> Callable[[], Run | None]:
        clients = self._arena.impatient
        if self._befalls(Fault.KILLED):
            clients = self._arena.connect(CLIENT_CONFIG)
            doom = _Doom(self._chance.randint(1, 6), self.schedule)
            doom.befall(clients)
        retry_budget = self._chance.choice(RETRY_BUDGETS)

        def run() -> Run | None:
            try:
                return self._convert(clients, retry_budget)
            except (RunError, Killed):
                return None  # what such a run has to say is nothing
            except Exception as error:  # noqa: BLE001 - whatever a run raises, but the one that it should, is a find
                self.violations.append(f"a run raised {type(error).__name__}: {error}")
                return None

        return run

    def _convert(self, clients: _Clients, retry_budget: float) -> Run:
        shards = [str(number) for number in range(self._settings.unprocessed_shards)]
        with _stalls() as stalled:
            started = time.monotonic()
            patient = Retry.within(self._milliseconds(retry_budget + SECONDS_KEPT), seconds_kept=SECONDS_KEPT)
            try:
                return convert(shards, self._settings, client_of(clients.dynamodb), clients.sqs, patient)
            finally:
                took = time.monotonic() - started - stalled()
                if took > retry_budget + OVERTIME:
                    self.violations.append(f"a run that had {retry_budget} s took {took:.1f} s")

    def _person(self) -> None:
        """A person gives failed matches another try: mended, as they are, or written anew by their system."""
        items = {item["match_id"]["S"]: item for item in self._stack.scan().matches}
        for match_id, match in list(self.matches.items()):
            if "failed_reason" not in items[match_id] or self._chance.random() < 0.5:
                continue
            # An `attempts` that is no number is mended already: the first failure was counted in it.
            ways = ("mend",) if "attempts" in match.item else ("mend", "mend", "as it is", "anew")
            way = self._chance.choice(ways) if match.reason_code != "UNEXPECTED" else "as it is"
            if way == "mend":
                self._retry(mended(self._chance, match, self._settings.unprocessed_shards))
            elif way == "as it is":
                self._retry(match)
            else:
                self._expect(match)
                self._stack.put(MATCH_CACHE, [match.item])

    def _retry(self, match: Drawn) -> None:
        """The match waits again, as ``playlog failures retry`` has it, with its attributes as they are given."""
        self._expect(match)
        names = [name for name in ("unprocessed_shard", *MENDABLE) if name in match.item]
        gone = [name for name in MENDABLE if name not in match.item]
        self._stack.dynamodb.update_item(
            TableName=MATCH_CACHE,
            Key={"match_id": {"S": match.match_id}},
            UpdateExpression="SET "
            + ", ".join(f"#{name} = :{name}" for name in names)
            + " REMOVE "
            + ", ".join(["failed_reason", *(f"#{name}" for name in gone)]),
            ConditionExpression="attribute_exists(failed_reason)",
            ExpressionAttributeNames={f"#{name}": name for name in names + gone},
            ExpressionAttributeValues={f":{name}": match.item[name] for name in names},
        )

    def _mend_plays(self) -> bool:
        """A person removes the plays that nobody can read, and gives their matches another try."""
        for station, track, instant in self._unreadable:
            key = {"station_id": {"S": station}, "play_id": {"S": _play_id((station, track, instant))}}
            self._stack.dynamodb.delete_item(TableName=PLAY_LOG, Key=key)
        self._unreadable.clear()
        blocked = [match for match in self.matches.values() if match.reason_code == "UNEXPECTED"]
        for match in blocked:
            self._retry(replace(match, reason_code=None))
        return bool(blocked)

    def _finish(self) -> None:
        """Runs and delivers with no more faults until nothing waits."""
        for _ in range(2 * self._settings.max_attempts + 4):
            before = self._stack.scan()
            run = self._convert(self._arena.patient, QUIET_SECONDS)
            self._judge_claims([run], before, exactly=True)
            self._postman.deliver_all(self._milliseconds(QUIET_SECONDS))
            if not any("unprocessed_shard" in match for match in self._stack.scan().matches):
                return
        self.violations.append("matches wait for ever, with no fault to hold them up")

    def _expect(self, match: Drawn) -> None:
        """Notes how a match that waits has to end, and after how many attempts in all."""
        if match.reason_code is None and match.airing in self._unreadable:
            match = replace(match, reason_code="UNEXPECTED")
        self.matches[match.match_id] = match
        attempts = self._attempts.get(match.match_id, 0)
        if match.reason_code == "UNEXPECTED":  # it goes round by itself
            attempts = max(self._settings.max_attempts, attempts + 1)
        elif match.reason_code:
            attempts += 1
        self._attempts[match.match_id] = attempts

    # --- What is judged. ---

    def _judge(self) -> None:
        """Checks the invariants between two requests, while a slow request may still be on its way."""
        with self._arena.proxy.held():
            self._judge_instant()

    def _judge_instant(self) -> None:
        tables = self._stack.scan()
        unreadable = {(station, _play_id((station, track, at))) for station, track, at in self._unreadable}
        plays = [play for play in tables.plays if (play["station_id"]["S"], play["play_id"]["S"]) not in unreadable]
        readable = invariants.Tables(tables.matches, plays, tables.failures)
        self.checks += 1
        self.violations += invariants.violations(readable, self._settings.unprocessed_shards)

    def _judge_claims(self, runs: list[Run], before: invariants.Tables, *, exactly: bool) -> None:
        """Judges what runs say that they did.

        Args:
            runs: all that there were since.
            before: the tables as they were.
            exactly: whether they have to claim all that was done; else some may not know, but none may boast.
        """
        after = self._stack.scan()
        done = {
            "processed": _played(after) - _played(before),
            "plays": len(after.plays) - len(before.plays),
        }
        for name, count in done.items():
            claimed = sum(getattr(run, name) for run in runs)
            if claimed > count or (exactly and claimed < count):
                self.violations.append(f"{name} is {claimed} by what the runs say, and {count} by the tables")

    def _judge_none_forgotten(self, before: invariants.Tables) -> None:
        """A match that the index showed to a run, and that waits, needs a dead letter, or the run has to say so."""
        waited = {item["match_id"]["S"] for item in before.matches if "unprocessed_shard" in item}
        sent = {match_id for match_id, _ in self._arena.proxy.sent}
        for item in self._stack.scan().matches:
            match_id = item["match_id"]["S"]
            if "unprocessed_shard" in item and match_id in waited - sent - self._arena.proxy.clouded:
                self.violations.append(f"match {match_id} waits, and the run that saw it says that none does")

    def _judge_ends(self, broken: list[str]) -> None:
        """Judges whether each match ended as its own data say, and each broken letter in the parking lot."""
        tables = self._stack.scan()
        items = {item["match_id"]["S"]: item for item in tables.matches}
        for match_id, match in self.matches.items():
            ended = " and ".join(invariants.states(items[match_id]))
            wanted = "played" if match.reason_code is None else "failed"
            if ended != wanted:
                reason = items[match_id].get("failed_reason")
                self.violations.append(f"match {match_id} is {ended} ({reason}) and has to be {wanted}")
        self._judge_failures(tables, items)
        self._judge_plays(tables)
        self._judge_parking_lot(broken)

    def _judge_parking_lot(self, broken: list[str]) -> None:
        parked = self._postman.parked()
        if not self._requests_suffer:
            self.violations += [f"a good letter is in the parking lot: {body}" for body in parked if body not in broken]
        self.violations += [
            f"a broken letter is not in the parking lot: {body}" for body in broken if body not in parked
        ]

    def _judge_failures(self, tables: invariants.Tables, items: dict[str, invariants.Item]) -> None:
        history: dict[str, dict[int, invariants.Item]] = {}
        for failure in tables.failures:
            history.setdefault(failure["match_id"]["S"], {})[int(failure["attempt"]["N"])] = failure
        for match_id, match in self.matches.items():
            records = history.get(match_id, {})
            wanted = self._attempts[match_id]
            counted = items[match_id].get("attempts", {"N": "0"})
            if sorted(records) != list(range(1, wanted + 1)) or counted != {"N": str(wanted)}:
                self.violations.append(
                    f"match {match_id} has records of attempts {sorted(records)} and counts {counted}: "
                    f"it has to have those of {wanted} attempts"
                )
            if match.reason_code is None or not records:
                continue
            if records[max(records)]["reason_code"] != {"S": match.reason_code}:
                found = records[max(records)]["reason_code"]["S"]
                self.violations.append(f"match {match_id} failed as {found}, and has to as {match.reason_code}")

    def _judge_plays(self, tables: invariants.Tables) -> None:
        """Judges each play by its matches, and whether these are the matches of one airing."""
        unreadable = {(station, _play_id((station, track, at))) for station, track, at in self._unreadable}
        plays = {key: play for play in tables.plays if (key := _key(play)) not in unreadable}
        heard: dict[tuple[str, str], list[Drawn]] = {key: [] for key in plays}
        for match in tables.matches:
            if match.get("processed") == {"BOOL": True} and _key(match) in heard:
                heard[_key(match)].append(self.matches[match["match_id"]["S"]])
        self.violations += [f"there is a play {key} that no match accounts for" for key in plays if not heard[key]]
        shown = [summed([match.detection for match in matches]) for matches in heard.values() if matches]
        for key, play in plays.items():
            if heard[key]:
                self.violations += self._wrong_values(play, summed([match.detection for match in heard[key]]))
        expected = airings((match.detection for match in self.matches.values() if match.reason_code is None), self._gap)
        bridged = sum("bridged" in play for play in plays.values())
        if bridged and len(plays) - bridged != len(expected):
            self.violations.append(f"{len(plays)} plays, {bridged} of them bridged, of {len(expected)} airings")
        elif not bridged:
            missing, surplus = Counter(expected) - Counter(shown), Counter(shown) - Counter(expected)
            self.violations += [f"there is no play of {airing}" for airing in missing]
            self.violations += [f"there is a play of what is no airing: {airing}" for airing in surplus]

    def _wrong_values(self, play: invariants.Item, heard: Heard) -> list[str]:
        creator = self.matches[play["match_id"]["S"]]
        mean = heard.mean
        flagged = "bridged" in play or (mean is not None and mean < self._settings.flag_below_confidence)
        if not self._gap and play["play_id"]["S"] != _play_id((heard.station_id, heard.track_id, heard.start)):
            return [f"play {_key(play)} begins at {heard.start}"]
        wanted: dict[str, Any] = {
            "track_id": {"S": heard.track_id},
            "match_count": {"N": str(heard.match_count)},
            "avg_confidence_score": {"N": str(mean)} if mean is not None else None,
            "flagged": {"BOOL": flagged},
            "start_time": {"S": timestamps.to_text(heard.start)},
            "played_at": {"S": timestamps.to_text(heard.start)},
            "stop_time": {"S": timestamps.to_text(heard.stop)},
            "duration_seconds": {"N": str(int((heard.stop - heard.start).total_seconds()))},
            "source": creator.item.get("source", {"S": "Radio"}),
            "station_program_id": creator.item.get("station_program_id"),
        }
        return [
            f"play {_key(play)} has {name} {play.get(name)}, and has to have {value}"
            for name, value in wanted.items()
            if _number(play.get(name)) != _number(value)
        ]

    # --- Chance. ---

    @property
    def _requests_suffer(self) -> bool:
        """Whether AWS itself fails in this round; if not, there is no excuse for a letter that was not stored."""
        return any(fault in OF_A_REQUEST for fault in self._rates)

    def _befalls(self, fault: Fault) -> bool:
        return fault in self._rates and self._chance.random() < 0.8

    @staticmethod
    def _milliseconds(seconds: float) -> int:
        return int(seconds * 1000)


class _Doom:
    """Ends a run at its k-th request: nothing that it sends after that leaves the machine.

    Args:
        requests: k. Odd ones are not sent any more, of even ones the answer is not read any more.
        schedule: counts it, once it happens.
    """

    def __init__(self, requests: int, schedule: Schedule) -> None:
        self._left = requests
        self._answered = requests % 2 == 0
        self._schedule = schedule
        self._lock = threading.Lock()
        self._dead = False

    def befall(self, clients: _Clients) -> None:
        """Lays it on all that the clients send."""
        for client in (clients.dynamodb, clients.sqs):
            client.meta.events.register("before-send.*", self._sending)
            client.meta.events.register("response-received.*", self._received)

    def _sending(self, **_: Any) -> None:
        with self._lock:
            self._left -= 1
            if not self._left and not self._answered:
                self._die()
            if self._dead:
                raise Killed

    def _received(self, **_: Any) -> None:
        with self._lock:
            if self._left <= 0 and not self._dead:
                self._die()
            if self._dead:
                raise Killed

    def _die(self) -> None:
        self._dead = True
        self._schedule.count(Fault.KILLED)


@contextmanager
def _stalls() -> Iterator[Callable[[], float]]:
    """Tells for how many seconds of the block this process was not let run: a busy machine is no fault of a run's."""
    lost, tick, ended = 0.0, 0.05, threading.Event()

    def watch() -> None:
        nonlocal lost
        began = time.monotonic()
        while not ended.wait(tick):
            lost += max(0.0, time.monotonic() - began - 2 * tick)
            began = time.monotonic()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: lost
    finally:
        ended.set()
        watcher.join()


def _play_id(airing: Airing) -> str:
    return f"{timestamps.to_text(airing[2])}#{airing[1]}"


def _key(item: invariants.Item) -> tuple[str, str]:
    """Key of a play, or of the play that a match names."""
    return item["station_id"]["S"], item["play_id"]["S"]


def _played(tables: invariants.Tables) -> int:
    return sum(match.get("processed") == {"BOOL": True} for match in tables.matches)


def _number(value: dict[str, Any] | None) -> Any:
    """A number by its value: DynamoDB writes it in its own way."""
    return Decimal(value["N"]) if value and "N" in value else value

"""An AWS in memory in which requests meet faults, and playlog's functions at work in it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ConnectionClosedError
from playlog.converting.run import Run, convert
from playlog.domain.match import Item
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import FailureTables, connect, store
from playlog.runtime.retry import CLIENT_CONFIG, Retry
from playlog.runtime.settings import ConvertSettings

from tests.stateful.memory import Answer, Memory, RefusalError, Request, Table, answering
from tests.support import invariants
from tests.support.clients import client_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

ALL_SHARDS = ("0", "1")
MAX_ATTEMPTS = 3
SECONDS = 60.0  # of a function's time
REQUEST_SECONDS = 0.1
SETTINGS = ConvertSettings(
    match_cache_table="MatchCache",
    play_log_table="PlayLog",
    station_guard_table="StationGuard",
    dead_letter_queue_url="https://queue/dead-letters",
    batch_size=3,  # so that a handful of matches takes pages
    unprocessed_shards=len(ALL_SHARDS),
    airing_gap=timedelta(0),
    default_duration=timedelta(minutes=3),
    flag_below_confidence=Decimal(0),
    max_attempts=MAX_ATTEMPTS,
    retain_played=timedelta(0),
)
FAILED_PLAY_LOG = "FailedPlayLog"


class Fault(Enum):
    """What a request may meet."""

    DIES_BEFORE = auto()
    """The function is killed before the request arrives."""
    DIES_AFTER = auto()
    """The function is killed after the request was done."""
    RESET_BEFORE = auto()
    """The connection is reset before the request arrives."""
    ANSWER_LOST = auto()
    """The connection is reset after the request was done."""
    THROTTLED = auto()
    UNAVAILABLE = auto()
    CONFLICT = auto()
    """Of the last action of a transaction."""
    PARTIAL = auto()
    """A batch of messages of which the queue takes the first alone."""
    OUT_OF_TIME = auto()
    """The request is done, and takes the rest of the function's time."""
    ANOTHER_RUN = auto()
    """A whole other run takes place before the request arrives."""
    RUN_OF_LAST_SHARD = auto()
    """Another run, over the last shard alone, takes place before the request arrives."""
    LETTERS_STORED = auto()
    """A letter of each attempt of which none has been is stored before the request arrives."""
    EXPIRES = auto()
    """DynamoDB deletes all matches that expire before the request arrives."""


# What the n-th request of an operation meets, counted from 0: ("TransactWriteItems", 1).
Plan = Mapping[tuple[str, int], Fault]


class KilledError(BaseException):
    """The function is no more. Not an ``Exception``: no code of the function's runs on."""


@dataclass
class Clock:
    """Stands in for the module ``time``: nobody waits."""

    now: float = 0.0

    def monotonic(self) -> float:
        """Seconds that have passed."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Lets seconds pass."""
        self.now += seconds


@dataclass
class World:
    """The tables, the queue, and what the next requests meet.

    Attributes:
        aws: clients that speak to this world.
        memory: what the tables and the queue hold.
        clock: all of the world's time.
        gap: silence up to which two matches are one airing.
        retain_played: how long a played match is kept at least; zero keeps it for ever.
        expired: matches as they were when DynamoDB deleted them, as far as a play counts them.
        violations: of the invariants, found after a request.
    """

    aws: "Clients"
    clock: Clock
    memory: Memory = field(default_factory=lambda: Memory(_tables()))
    gap: timedelta = timedelta(0)
    retain_played: timedelta = timedelta(0)
    expired: list[Item] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    _done_with: set[tuple[str, int]] = field(default_factory=set)
    _plan: Plan = field(default_factory=dict)
    _requests: Counter[str] = field(default_factory=Counter)
    _killed: bool = False

    def __post_init__(self) -> None:
        self.aws.answer = self._answer

    def run(self, plan: Plan, shards: Sequence[str] = ALL_SHARDS) -> Run:
        """A run.

        Args:
            plan: what its requests meet.
            shards: which it works on.

        Raises:
            KilledError: it was killed.
            RunError: it could do nothing.
        """
        with self.planned(plan):
            settings = replace(SETTINGS, airing_gap=self.gap, retain_played=self.retain_played)
            return convert(shards, settings, client_of(self.aws.dynamodb), self.aws.sqs, self._retry())

    def store(self, letter: str, plan: Plan) -> bool:
        """Stores a letter.

        Args:
            letter: the message.
            plan: what its requests meet.

        Raises:
            KilledError: the function was killed.
            UnavailableError: it could not be stored; the queue delivers it again.
        """
        read = DeadLetter.from_json(letter)
        with self.planned(plan):
            stored = store(read, self.aws.tables, self._retry())
        self._done_with.add((read.match_id, read.attempt))
        return stored

    def store_all(self) -> None:
        """Stores a letter of each attempt of which none has been, undisturbed."""
        for letter in list(self.memory.letters):
            read = DeadLetter.from_json(letter)
            if (read.match_id, read.attempt) not in self._done_with:
                self.store(letter, {})

    def put(self, table: str, item: Item) -> None:
        """Writes an item, undisturbed."""
        self.memory.answer("PutItem", {"TableName": table, "Item": item})

    def items(self, table: str) -> list[Item]:
        """All items of a table."""
        return list(self.memory.tables[table].items.values())

    def check(self) -> None:
        """Notes each violation of the invariants."""
        tables = invariants.Tables(self.matches, self.plays, self.items(FAILED_PLAY_LOG))
        self.violations += invariants.violations(tables, len(ALL_SHARDS))

    def expire(self, match_ids: Collection[str] | None = None) -> None:
        """DynamoDB deletes matches that expire: it may do so at any time after they were played.

        Args:
            match_ids: of which alone; None for all.
        """
        matches = self.memory.tables[SETTINGS.match_cache_table].items
        for key, match in list(matches.items()):
            if "expires_at" in match and (match_ids is None or match["match_id"]["S"] in match_ids):
                del matches[key]
                if self._has_created_its_play(match):  # it is counted once, however often it was put
                    self.expired = [each for each in self.expired if not _same_in(each, match, "match_id", "play_id")]
                self.expired.append(match)

    @property
    def matches(self) -> list[Item]:
        """The matches as they would be had none expired: then the invariants hold to the letter.

        A match that its writer put again after it expired is counted again by its play, unless it created the play.
        """
        live = {match["match_id"]["S"]: match for match in self.items(SETTINGS.match_cache_table)}
        counted = []
        for match in self.expired:
            put_again = live.get(match["match_id"]["S"])
            if put_again is None or not self._has_created_its_play(put_again):
                counted.append(match)
            if put_again and invariants.states(put_again) == ["waiting"]:
                del live[match["match_id"]["S"]]
        return [*live.values(), *counted]

    def _has_created_its_play(self, match: Item) -> bool:
        return any(_same_in(match, play, "station_id", "play_id", "match_id") for play in self.plays)

    @property
    def plays(self) -> list[Item]:
        """The plays, but for those that a test broke: they have no count."""
        return [play for play in self.items(SETTINGS.play_log_table) if "match_count" in play]

    def _retry(self) -> Retry:
        return Retry(self.clock.now + SECONDS)

    @contextmanager
    def planned(self, plan: Plan) -> Iterator[None]:
        """Requests in the block meet what the plan says, and what was planned before goes on after it."""
        before = (self._plan, self._requests, self._killed)
        self._plan, self._requests, self._killed = plan, Counter(), False
        try:
            yield
        finally:
            self._plan, self._requests, self._killed = before

    def _answer(self, operation: str, request: Request) -> Answer:
        if self._killed:
            raise KilledError
        self.clock.sleep(REQUEST_SECONDS)
        fault = self._plan.get((operation, self._requests[operation]))
        self._requests[operation] += 1
        self._before(fault, operation, request)
        answer = self._done(fault, operation, request)
        self.check()
        self._after(fault)
        return answer

    def _before(self, fault: Fault | None, operation: str, request: Request) -> None:
        match fault:
            case Fault.DIES_BEFORE:
                self._kill()
            case Fault.RESET_BEFORE:
                raise ConnectionClosedError(endpoint_url="before the request arrived")
            case Fault.THROTTLED:
                raise RefusalError("ThrottlingException", "too fast")
            case Fault.UNAVAILABLE:
                raise RefusalError("ServiceUnavailable", "down", status=503)
            case Fault.CONFLICT if operation == "TransactWriteItems":
                conflict = {"Code": "TransactionConflict", "Message": "another transaction is at it"}
                reasons = [*({"Code": "None"} for _ in request["TransactItems"][1:]), conflict]
                raise RefusalError("TransactionCanceledException", "conflict", CancellationReasons=reasons)
            case Fault.ANOTHER_RUN:
                self.run({})
            case Fault.RUN_OF_LAST_SHARD:
                self.run({}, ALL_SHARDS[-1:])
            case Fault.LETTERS_STORED:
                self.store_all()
            case Fault.EXPIRES:
                self.expire()

    def _after(self, fault: Fault | None) -> None:
        match fault:
            case Fault.DIES_AFTER:
                self._kill()
            case Fault.ANSWER_LOST:
                raise ConnectionClosedError(endpoint_url="before the answer arrived")
            case Fault.OUT_OF_TIME:
                self.clock.sleep(SECONDS)

    def _kill(self) -> None:
        self._killed = True
        raise KilledError

    def _done(self, fault: Fault | None, operation: str, request: Request) -> Answer:
        if fault is not Fault.PARTIAL or operation != "SendMessageBatch":
            return self.memory.answer(operation, request)
        taken, *refused = request["Entries"]
        answer = self.memory.answer(operation, {**request, "Entries": [taken]})
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in refused]
        return {**answer, "Failed": failed}


@dataclass
class Clients:
    """AWS clients, made once since that takes a while, that speak to whatever world there is."""

    answer: Callable[[str, Request], Answer]
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    tables: FailureTables


@contextmanager
def clients() -> Iterator[Clients]:
    """Clients that the world answers which was made last. Region and credentials are those of the environment."""

    def answer(operation: str, request: Request) -> Answer:
        return made.answer(operation, request)

    def no_world(operation: str, _: Request) -> Answer:
        raise AssertionError(f"{operation} before there is a world")

    with answering(answer):
        made = Clients(
            no_world,
            boto3.Session().client("dynamodb", config=CLIENT_CONFIG),
            boto3.Session().client("sqs", config=CLIENT_CONFIG),
            connect(SETTINGS.match_cache_table, FAILED_PLAY_LOG),
        )
        yield made


def _same_in(one: Item, other: Item, *names: str) -> bool:
    return all(one.get(name) == other.get(name) for name in names)


def _tables() -> dict[str, Table]:
    """The tables of template.yaml, empty."""
    return {
        SETTINGS.match_cache_table: Table(("match_id",), {"unprocessed-index": ("unprocessed_shard", "matched_at")}),
        SETTINGS.play_log_table: Table(("station_id", "play_id"), {}),
        SETTINGS.station_guard_table: Table(("station_id",), {}),
        FAILED_PLAY_LOG: Table(("match_id", "attempt"), {}),
    }

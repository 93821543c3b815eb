"""Which fault befalls which request: drawn by a seed, whatever order the threads of a run send their requests in."""

import json
import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

INDEX = "unprocessed-index"


class Fault(StrEnum):
    """What can go wrong between the code and AWS."""

    THROTTLED = "throttled"
    CANCELLED = "cancelled"
    ERROR_BEFORE = "error before applying"
    ERROR_AFTER = "error after applying"
    RESET_BEFORE = "reset before arriving"
    RESET_AFTER = "reset after applying"
    UNREACHABLE = "unreachable"
    TRUNCATED = "truncated answer"
    SLOW_REQUEST = "slow request"
    SLOW_ANSWER = "slow answer"
    PARTIAL_BATCH = "partial batch"
    STALE_PAGE = "stale page"
    REPEATED_PAGE = "repeated page"
    LAGGING_PAGE = "lagging page"
    EXPIRED = "expired matches"
    KILLED = "killed run"
    RUNS_AT_ONCE = "runs at once"
    LETTER_TWICE = "letter twice"
    LETTER_LATE = "letter late"
    LETTERS_SHUFFLED = "letters shuffled"
    LETTERS_DURING_RUN = "letters during a run"


# The others are the round's own doing: they befall a run or a letter, not a request.
OF_A_REQUEST = tuple(Fault)[: list(Fault).index(Fault.KILLED)]
OF_THE_INDEX = (Fault.STALE_PAGE, Fault.REPEATED_PAGE, Fault.LAGGING_PAGE)
# How likely each is to befall a request that it can befall. Slow ones take time, so there are few.
_SELDOM = (Fault.SLOW_REQUEST, Fault.SLOW_ANSWER, Fault.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the proxy sees it.

    Attributes:
        operation: like ``TransactWriteItems``.
        body: its JSON.
    """

    operation: str
    body: dict[str, Any]

    @property
    def writes(self) -> bool:
        """Whether it changes a table."""
        return self.operation == "TransactWriteItems"

    @property
    def reads_index(self) -> bool:
        """Whether it asks for a page of the matches that wait."""
        return self.body.get("IndexName") == INDEX

    @property
    def identity(self) -> str:
        """What it is about, without what differs each time it is sent: times and tokens."""
        match self.operation:
            case "TransactWriteItems":
                about: list[Any] = [_key(action) for action in self.body["TransactItems"]]
            case "SendMessageBatch":
                letters = [json.loads(entry["MessageBody"]) for entry in self.body["Entries"]]
                about = [[letter["match_id"], letter["attempt"]] for letter in letters]
            case _:
                about = [self.body.get("ExpressionAttributeValues"), self.body.get("ExclusiveStartKey")]
        return json.dumps([self.operation, about], sort_keys=True)

    def may_suffer(self, fault: Fault) -> bool:
        """Whether the fault is one of this kind of request."""
        match fault:
            case Fault.CANCELLED:
                return self.writes
            case Fault.PARTIAL_BATCH:
                return self.operation == "SendMessageBatch"
            case _ if fault in OF_THE_INDEX:
                return self.reads_index
            case _:
                return True


class Schedule:
    """The faults of a round.

    What befalls a request depends on the seed, on what the request is about and on how often it came before: so the
    threads of a run may send theirs in any order, and a replay meets the same faults.

    Args:
        seed: of the round.
        rates: how likely each fault is to befall a request that it can befall, 0 to 1.
    """

    def __init__(self, seed: int, rates: Mapping[Fault, float]) -> None:
        self._seed = seed
        self._rates = {fault: rate for fault, rate in rates.items() if fault in OF_A_REQUEST}
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()
        self.injected: Counter[Fault] = Counter()

    def draw(self, request: Request) -> tuple[Fault | None, random.Random]:
        """The fault that befalls a request, if any, and the chance that its details are drawn from."""
        identity = request.identity
        with self._lock:
            self._seen[identity] += 1
            chance = random.Random(f"{self._seed} {identity} {self._seen[identity]}")
        for fault, rate in self._rates.items():
            if request.may_suffer(fault) and chance.random() < rate:
                return fault, chance
        return None, chance

    def count(self, fault: Fault) -> None:
        """Notes that a fault was injected."""
        with self._lock:
            self.injected[fault] += 1


def draw_rates(chance: random.Random, kinds: list[Fault]) -> dict[Fault, float]:
    """A mood for a round: some kinds of faults, each more or less often."""
    drawn = chance.sample(kinds, min(len(kinds), chance.choice((2, 3, 4, 6))))
    return {fault: chance.choice((0.03, 0.06, 0.5) if fault in _SELDOM else (0.1, 0.3, 0.6)) for fault in drawn}


def _key(action: dict[str, Any]) -> dict[str, Any]:
    ((_, write),) = action.items()
    if "Key" in write:
        return dict(write["Key"])
    return {name: write["Item"].get(name) for name in ("station_id", "play_id", "match_id", "attempt")}

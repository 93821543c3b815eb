"""Drains a backlog: invokes the converter for each set of shards until nothing is left or there is no progress."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from playlog_cli.draining.shard_sets import ShardSet, pause_after, shards_in_words
from playlog_cli.errors import CommandError, explain
from playlog_cli.stacks.convert import ConvertResult, convert
from playlog_cli.stacks.stack import Stack

# A set is given up after so many runs in a row without progress. With the pauses between them that is half a minute,
# and longer while DynamoDB throttles, because a run then retries for longer.
FRUITLESS_RUNS = 5
# The drain is given up after Lambda has refused so many runs in a row: with the pauses, a minute and a half.
REFUSALS = 8

Outcome: TypeAlias = ConvertResult | Exception


@dataclass(frozen=True)
class Left:
    """Shards that could not be drained, and why."""

    shards: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Drained:
    """The result of a drain.

    Attributes:
        shards: number of shards with nothing left.
        left: shards that may have something left.
        runs: number of runs that answered.
        processed: matches that they moved to played.
        plays: PlayLog items that they created.
        failed: failures that they sent; a match that fails in two runs counts twice.
        seconds: duration of the drain.
        stopped: whether Ctrl-C ended it.
        at_work: runs that have not answered yet. After Ctrl-C they end by themselves.
    """

    shards: int
    left: tuple[Left, ...]
    runs: int
    processed: int
    plays: int
    failed: int
    seconds: float
    stopped: bool
    at_work: int

    @property
    def matches_per_second(self) -> float:
        """Matches played in a second, on average."""
        return self.processed / self.seconds if self.seconds else 0.0


Progressed: TypeAlias = Callable[[Drained], None]
"""Progress callback: receives, after each run, what was done so far."""
Warned: TypeAlias = Callable[[str], None]
"""Receives a sentence about each run that failed."""


def drain(stack: Stack, side_by_side: int | None, progressed: Progressed, warned: Warned) -> Drained:
    """Invokes the converter for disjoint sets of shards, until each set has nothing left or cannot be drained.

    Args:
        stack: whose matches.
        side_by_side: number of sets, each with one run at a time; None for one set per shard, which is the maximum.
        progressed: progress callback.
        warned: receives a sentence about each run that failed.

    Returns:
        What was done, also where Ctrl-C ended it.
    """
    every = tuple(range(stack.shards))
    sets = min(side_by_side or stack.shards, stack.shards)
    _ = stack.functions  # creates the client before several threads need it at once
    work = _Work(partial(convert, stack), [ShardSet(every[first::sets]) for first in range(sets)], progressed, warned)
    return work.run()


class _Work:
    """The runs over some sets, several at a time, and their results so far.

    Each run has a thread that waits for its answer. These are daemons: after Ctrl-C nobody waits for them.
    """

    def __init__(
        self,
        run: Callable[[Sequence[int]], ConvertResult],
        sets: list[ShardSet],
        progressed: Progressed,
        warned: Warned,
    ) -> None:
        self._convert = run
        self._sets = len(sets)
        self._waiting = sets
        self._progressed = progressed
        self._warned = warned
        self._outcomes: SimpleQueue[tuple[ShardSet, Outcome]] = SimpleQueue()
        self._at_work = 0
        self._most_at_work = len(sets)
        self._refusals = 0
        self._drained: list[ShardSet] = []
        self._given_up: list[ShardSet] = []
        self._answers: list[ConvertResult] = []
        self._began = time.monotonic()

    def run(self) -> Drained:
        """Works until all sets are drained or given up, or until Ctrl-C."""
        try:
            while self._waiting or self._at_work:
                self._begin_runs()
                try:
                    which, outcome = self._outcomes.get(timeout=self._seconds_to_next_run())
                except Empty:
                    continue
                self._at_work -= 1
                self._take(which, outcome)
                self._progressed(self._so_far())
        except KeyboardInterrupt:
            return self._so_far(stopped=True)
        return self._so_far()

    def _so_far(self, *, stopped: bool = False) -> Drained:
        reasons: dict[str, list[int]] = {}
        for each in self._given_up:
            reasons.setdefault(each.problem, []).extend(each.shards)
        return Drained(
            shards=sum(len(each.shards) for each in self._drained),
            left=tuple(Left(tuple(sorted(shards)), reason) for reason, shards in reasons.items()),
            runs=len(self._answers),
            processed=sum(each.processed for each in self._answers),
            plays=sum(each.plays for each in self._answers),
            failed=sum(each.failed for each in self._answers),
            seconds=round(time.monotonic() - self._began, 3),
            stopped=stopped,
            at_work=self._at_work,
        )

    def _begin_runs(self) -> None:
        for each in [each for each in self._waiting if each.due <= time.monotonic()]:
            if self._at_work < self._most_at_work:
                self._waiting.remove(each)
                self._at_work += 1
                Thread(target=self._invoke, args=[each], daemon=True).start()

    def _invoke(self, which: ShardSet) -> None:
        try:
            self._outcomes.put((which, self._convert(which.shards)))
        except Exception as error:  # noqa: BLE001 - handled where the outcome is taken
            self._outcomes.put((which, error))

    def _seconds_to_next_run(self) -> float | None:
        """Seconds until a run may begin; None if another run has to end first."""
        if not self._waiting or self._at_work >= self._most_at_work:
            return None
        return max(0.0, min(each.due for each in self._waiting) - time.monotonic())

    def _take(self, which: ShardSet, outcome: Outcome) -> None:
        match outcome:
            case ConvertResult():
                self._refusals = 0
                self._most_at_work = min(self._most_at_work + 1, self._sets)
                self._answers.append(outcome)
                if which.is_drained_by(outcome, time.monotonic()):
                    self._drained.append(which)
                    return
            case ClientError() if _is_busy(outcome):
                self._take_refusal(which, outcome)
                return
            case ClientError():  # denied, expired, gone: the next run would get the same answer
                which.problem = explain(outcome)
                self._given_up.append(which)
                return
            case CommandError() | BotoCoreError():
                problem = explain(outcome) if isinstance(outcome, BotoCoreError) else str(outcome)
                which.record_failed_run(problem, time.monotonic())
                self._warned(f"{shards_in_words(which.shards)}: {problem}")
            case _:
                raise outcome
        if which.fruitless < FRUITLESS_RUNS:
            self._waiting.append(which)
        else:
            which.problem = f"{FRUITLESS_RUNS} runs in a row made no progress: {which.problem}"
            self._given_up.append(which)

    def _take_refusal(self, which: ShardSet, error: ClientError) -> None:
        """Lambda has no capacity for so many runs: reduces them to the number that it accepted."""
        self._waiting.append(which)
        if self._at_work:
            self._most_at_work = self._at_work
            return
        self._most_at_work = 1
        self._refusals += 1
        for each in self._waiting:  # otherwise the other sets would ask at once
            each.due = max(each.due, time.monotonic() + pause_after(self._refusals))
        if self._refusals == REFUSALS:
            for each in self._waiting:
                each.problem = f"Lambda refused every run, {REFUSALS} times in a row: {explain(error)}"
            self._given_up += self._waiting
            self._waiting = []


def _is_busy(error: ClientError) -> bool:
    """Whether Lambda may accept the run a moment later: it throttles, or has an error of its own."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR

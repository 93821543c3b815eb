"""Drain a large backlog by parallel runs over disjoint sets of shards."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from playlog_cli.errors import CommandError, explain
from playlog_cli.stacks.convert import ConvertResult, convert
from playlog_cli.stacks.stack import Stack

# In a row and without progress, after which a set is given up. With the pauses between them that is half a minute, and
# longer where the runs themselves are patient with an AWS that throttles.
FRUITLESS_RUNS = 5


# Lambda takes on not a single run: so often in a row, which with the pauses is a minute and a half.
REFUSALS = 8


LONGEST_PAUSE = 16.0  # seconds


Outcome: TypeAlias = ConvertResult | Exception


@dataclass(frozen=True)
class Left:
    """Shards that could not be drained, and why."""

    shards: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Drained:
    """What a drain did.

    Attributes:
        shards: how many have nothing left.
        left: those that may have.
        runs: that answered.
        processed: matches that they moved to played.
        plays: PlayLog items that they created.
        failed: failures that they pushed; a match that fails in two runs counts twice.
        seconds: it took.
        stopped: whether Ctrl-C ended it.
        at_work: runs that have not answered yet. Where it was stopped, they end by themselves.
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
        """How fast it was."""
        return self.processed / self.seconds if self.seconds else 0.0


# Progress callback: receives, after each run, what was done so far.
Progress: TypeAlias = Callable[[Drained], None]


# Receives a sentence about each run that failed.
Warn: TypeAlias = Callable[[str], None]


def drain(stack: Stack, side_by_side: int | None, progress: Progress, warn: Warn) -> Drained:
    """Invokes the converter for disjoint sets of shards, until each set has nothing left or cannot be drained.

    Args:
        stack: whose matches.
        side_by_side: sets, each with one run at a time; None for one of each shard, which is also the most there are.
        progress: progress callback.
        warn: receives a sentence about each run that failed.

    Returns:
        What was done, also where Ctrl-C ended it.
    """
    every = tuple(range(stack.shards))
    sets = min(side_by_side or stack.shards, stack.shards)
    _ = stack.functions  # made here: threads that need it at once would make several
    work = _Work(partial(convert, stack), [_Set(every[first::sets]) for first in range(sets)], progress, warn)
    return work.done()


@dataclass
class _Set:
    """Shards that are worked on by one run at a time.

    Attributes:
        shards: which.
        due: ``time.monotonic()`` in seconds before which no run begins.
        was_through: whether a run got to the end of all of them.
        fewest_failed: the least failures of a run that did.
        fruitless: runs in a row without progress.
        problem: of the last run.
    """

    shards: tuple[int, ...]
    due: float = 0.0
    was_through: bool = False
    fewest_failed: float = math.inf
    fruitless: int = 0
    problem: str = ""

    def is_drained_by(self, run: ConvertResult) -> bool:
        """Takes in what a run did.

        A match that fails is in the way of every run until its letter is stored. So runs that get through and fail ever
        fewer make progress. Others that get through do not, however much they process: those matches are new, and a
        detection system that goes on writing must not keep a drain from its end.

        Returns:
            Whether nothing is left of what waited.
        """
        if run.waiting:
            progress = run.processed > 0
            self.problem = f"the last run said: {run.message}"
        else:
            # The index lags behind its table, so that a first run may miss the newest.
            if not run.failed and (self.was_through or not run.processed):
                return True
            progress = run.failed < self.fewest_failed
            self.was_through, self.fewest_failed = True, min(run.failed, self.fewest_failed)
            self.problem = (
                f"{run.failed:,} matches failed in the last one: `playlog status` shows whether "
                "dead letters are stored, `playlog failures list` why matches failed"
            )
        self.fruitless = 0 if progress else self.fruitless + 1
        if run.failed or not progress:
            self.pause()
        return False

    def failed(self, problem: str) -> None:
        """Takes in that a run failed."""
        self.fruitless += 1
        self.problem = problem
        self.pause()

    def pause(self) -> None:
        """Puts the next run off."""
        self.due = time.monotonic() + min(LONGEST_PAUSE, 2.0**self.fruitless)


class _Work:
    """The runs over some sets, side by side, and what came of them so far.

    Each run has a thread that waits for its answer. They are daemons: at Ctrl-C nobody waits for them.
    """

    def __init__(
        self, run: Callable[[Sequence[int]], ConvertResult], sets: list[_Set], progress: Progress, warn: Warn
    ) -> None:
        self._run = run
        self._sets = len(sets)
        self._waiting = sets
        self._progress = progress
        self._warn = warn
        self._outcomes: SimpleQueue[tuple[_Set, Outcome]] = SimpleQueue()
        self._at_work = 0
        self._most_at_work = len(sets)
        self._refusals = 0
        self._drained: list[_Set] = []
        self._given_up: list[_Set] = []
        self._answers: list[ConvertResult] = []
        self._began = time.monotonic()

    def done(self) -> Drained:
        """Works until all sets are drained or given up, or until Ctrl-C."""
        try:
            while self._waiting or self._at_work:
                self._begin_runs()
                try:
                    which, outcome = self._outcomes.get(timeout=self._seconds_to_the_next())
                except Empty:
                    continue
                self._at_work -= 1
                self._take(which, outcome)
                self._progress(self._so_far())
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

    def _invoke(self, which: _Set) -> None:
        try:
            self._outcomes.put((which, self._run(which.shards)))
        except Exception as error:  # noqa: BLE001 - it is judged where it arrives
            self._outcomes.put((which, error))

    def _seconds_to_the_next(self) -> float | None:
        """Until a run may begin; None if one has to end first."""
        if not self._waiting or self._at_work >= self._most_at_work:
            return None
        return max(0.0, min(each.due for each in self._waiting) - time.monotonic())

    def _take(self, which: _Set, outcome: Outcome) -> None:
        match outcome:
            case ConvertResult():
                self._refusals = 0
                self._most_at_work = min(self._most_at_work + 1, self._sets)
                self._answers.append(outcome)
                if which.is_drained_by(outcome):
                    self._drained.append(which)
                    return
            case ClientError() if _is_busy(outcome):
                self._take_refusal(which, outcome)
                return
            case ClientError():  # denied, expired, gone: the next run would be told the same
                which.problem = explain(outcome)
                self._given_up.append(which)
                return
            case CommandError() | BotoCoreError():
                problem = explain(outcome) if isinstance(outcome, BotoCoreError) else str(outcome)
                which.failed(problem)
                self._warn(f"{shards_in_words(which.shards)}: {problem}")
            case _:
                raise outcome
        if which.fruitless < FRUITLESS_RUNS:
            self._waiting.append(which)
        else:
            which.problem = f"{FRUITLESS_RUNS} runs in a row got nowhere: {which.problem}"
            self._given_up.append(which)

    def _take_refusal(self, which: _Set, error: ClientError) -> None:
        """Lambda has no room for so many runs: there are to be fewer at a time, as many as it has taken on."""
        self._waiting.append(which)
        if self._at_work:
            self._most_at_work = self._at_work
            return
        self._most_at_work = 1
        self._refusals += 1
        for each in self._waiting:  # or the others would ask at once
            each.due = max(each.due, time.monotonic() + min(LONGEST_PAUSE, 2.0**self._refusals))
        if self._refusals == REFUSALS:
            for each in self._waiting:
                each.problem = f"Lambda takes on no run, {REFUSALS} times in a row: {explain(error)}"
            self._given_up += self._waiting
            self._waiting = []


def _is_busy(error: ClientError) -> bool:
    """Whether Lambda may take the run on a moment later: it throttles, or something in it is broken."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def shards_in_words(shards: Sequence[int]) -> str:
    return f"shard{'s' if len(shards) > 1 else ''} {', '.join(map(str, shards))}"

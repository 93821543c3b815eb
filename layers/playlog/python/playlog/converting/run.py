"""A run: one pass through the matches that wait. Read, judge, group, pack, write; failures are pushed."""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playlog.converting.actions import Tables
from playlog.converting.reading import read_pages
from playlog.converting.writing import Writer, Written
from playlog.domain import timestamps
from playlog.domain.failure import Failure
from playlog.domain.match import Item, Match
from playlog.domain.validation import validate
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.sending import DeadLetterQueue
from playlog.runtime.retry import RequestError, Retry, UnavailableError
from playlog.runtime.settings import ConvertSettings
from playlog.runtime.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

# Shards side by side: enough to hide the wait for AWS behind one CPU.
SIDE_BY_SIDE = 8
# Of the function's time (issue 2): the longest request, 12 s, that begins before them still ends within it.
SECONDS_KEPT = 15.0


class RunError(Exception):
    """A run could not do its work. What waited still waits."""


class EventError(ValueError):
    """The event asks for something that there is not."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did.

    Attributes:
        processed: matches that it moved to played.
        plays: plays that it created.
        failures: failures that it pushed, by reason code.
        waiting: whether it stopped with matches left.
        oldest_waiting_seconds: age of the oldest match of the shards in which it left any waiting; 0 if it left none.
            A match that was late and is played by now, or has its dead letter, does not count.
        cut: shards in which it left pages to others, though nothing but the time stood in its way.
        handed_over: for how many of them another run was asked for.
    """

    processed: int
    plays: int
    failures: Counter[str]
    waiting: bool
    oldest_waiting_seconds: float
    cut: tuple[str, ...] = ()
    handed_over: int = 0

    @property
    def failed(self) -> int:
        """How many failures it pushed."""
        return self.failures.total()

    @property
    def message(self) -> str:
        """The run in a sentence."""
        if not (self.processed or self.failed or self.waiting):
            return "No unprocessed matches found"
        rest = ", more are waiting" if self.waiting else ""
        return f"{self.processed} matches processed, {self.plays} plays created, {self.failed} failed{rest}"

    def as_answer(self) -> dict[str, Any]:
        """What the function returns (CONTRACT, The messages), and for how many shards it asked for another run."""
        answer = {
            "success": True,
            "message": self.message,
            "processed": self.processed,
            "plays": self.plays,
            "failed": self.failed,
            "waiting": self.waiting,
        }
        return {**answer, "handed_over": self.handed_over} if self.handed_over else answer


def shards_of(event: dict[str, Any], unprocessed_shards: int) -> list[str]:
    """The shards that an event asks a run to work on.

    Args:
        event: the scheduled event, ``{}``, or ``{"shards": ["0", "3"]}``.
        unprocessed_shards: how many there are.

    Returns:
        Those shards, each once; all of them where the event names none.

    Raises:
        EventError: the list is empty, or holds what is no shard.
    """
    every = [str(number) for number in range(unprocessed_shards)]
    if "shards" not in event:
        return every
    asked = event["shards"]
    if not isinstance(asked, list) or not asked:
        raise EventError(f'shards is {asked!r}: it must be a list of at least one shard, like ["0", "3"]')
    for shard in asked:
        if shard not in every:
            raise EventError(f'shards holds {shard!r}: it must hold texts from "0" to "{every[-1]}"')
    return list(dict.fromkeys(asked))


def convert(
    shards: Sequence[str],
    settings: ConvertSettings,
    dynamodb: "DynamoDBClient",
    sqs: "SQSClient",
    retry: Retry,
    hand_over_at: float = math.inf,
) -> Run:
    """Goes once through the matches that wait, the shards side by side.

    Args:
        shards: which partitions of the index.
        settings: of the function.
        dynamodb: client.
        sqs: client.
        retry: the run's patience.
        hand_over_at: ``time.monotonic()`` in seconds from which no further page is worked on.

    Returns:
        What was done. Where AWS did not answer, that is less than there was to do, and the rest is said to wait.

    Raises:
        RunError: nothing could be done, for want of AWS.
        RequestError: AWS refuses what every run needs: access denied, no such table.
    """
    now = datetime.now(UTC)
    tables = Tables(settings.match_cache_table, settings.play_log_table, settings.station_guard_table)
    took_a_write = threading.Event()

    def pass_through(shard: str) -> _Pass:
        read = read_pages(dynamodb, settings.match_cache_table, shard, settings.batch_size, retry)
        pages = _PagesInTime(read, hand_over_at)
        writer = Writer(dynamodb, tables, settings.airing_gap, settings.flag_below_confidence, retry, took_a_write)
        queue = DeadLetterQueue(sqs, settings.dead_letter_queue_url, retry)
        this = _pass_through(pages, writer, queue, settings, now)
        this.obstacle = pages.obstacle or this.obstacle
        this.unfinished = this.unfinished or pages.cut or pages.obstacle is not None
        this.cut = pages.cut and not this.obstacle  # what throttles this run would throttle another as well
        return this

    with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(shards))) as pool:
        # Each shard to its end: what is wrong with one must not hold up the others, in this run or any.
        outcomes = [pool.submit(pass_through, shard) for shard in shards]
    if errors := [error for outcome in outcomes if (error := outcome.exception())]:
        for error in errors[1:]:
            logger.error("shard failed", exc_info=error)
        raise errors[0]
    passes = [outcome.result() for outcome in outcomes]
    cut = tuple(shard for shard, this in zip(shards, passes, strict=True) if this.cut)
    return replace(_run(passes, now), cut=cut)


class _PagesInTime:
    """The pages of a shard that arrive in time.

    Attributes:
        cut: whether there was one more, with matches in it.
        obstacle: why the index gave no more, if so. What it gave is worked on to its end.
    """

    def __init__(self, pages: Iterable[list[Item]], end: float) -> None:
        self._pages = pages
        self._end = end
        self.cut = False
        self.obstacle: str | None = None

    def __iter__(self) -> Iterator[list[Item]]:
        try:
            for page in self._pages:
                if page and time.monotonic() >= self._end:
                    self.cut = True
                    return
                yield page
        except UnavailableError as error:
            self.obstacle = str(error)


@dataclass(slots=True)
class _Pass:
    """One pass through a shard.

    Attributes:
        written: what became of its valid matches.
        failures: how many failures were pushed, by reason code.
        oldest: the earliest time of a match in its first page.
        unfinished: whether it stopped before the end of the shard, or a failure could not be pushed.
        obstacle: what AWS did not do.
        cut: whether it left pages to others, though nothing but the time stood in its way.
    """

    written: Written
    failures: Counter[str]
    oldest: datetime | None = None
    unfinished: bool = False
    obstacle: str | None = None
    cut: bool = False


def _pass_through(
    pages: Iterable[list[Item]],
    writer: Writer,
    queue: DeadLetterQueue,
    settings: ConvertSettings,
    now: datetime,
) -> _Pass:
    """The way of a match: read, judge, group, pack and write, or push."""
    this = _Pass(Written(), queue.pushed)

    def push(failures: Iterable[Failure]) -> None:
        for failure in failures:
            queue.add(DeadLetter.of(failure, max_attempts=settings.max_attempts, now=datetime.now(UTC)))

    try:
        for page in pages:
            this.oldest = this.oldest or _oldest(page)
            judged = [validate(item, now=now, default_duration=settings.default_duration) for item in page]
            writer.write((verdict for verdict in judged if isinstance(verdict, Match)), this.written)
            push(verdict for verdict in judged if isinstance(verdict, Failure))
            push(this.written.take_failures())
        writer.finish(this.written)
        push(this.written.take_failures())
    except UnavailableError as error:
        this.unfinished, this.obstacle = True, str(error)
    queue.push()
    if isinstance(queue.error, RequestError):
        raise queue.error
    this.unfinished = this.unfinished or queue.left > 0 or this.written.left > 0
    this.obstacle = this.obstacle or this.written.obstacle or (str(queue.error) if queue.error else None)
    return this


def _run(passes: list[_Pass], now: datetime) -> Run:
    """Adds the passes up."""
    oldest = min((this.oldest for this in passes if this.oldest and this.unfinished), default=now)
    run = Run(
        processed=sum(this.written.matches for this in passes),
        plays=sum(this.written.plays for this in passes),
        failures=sum((this.failures for this in passes), Counter()),
        waiting=any(this.unfinished for this in passes),
        oldest_waiting_seconds=max(0.0, (now - oldest).total_seconds()),
    )
    obstacles = [this.obstacle for this in passes if this.obstacle]
    if obstacles and not (run.processed or run.failed):
        raise RunError(f"nothing could be converted, and what waited still waits: {obstacles[0]}")
    for obstacle in obstacles:
        logger.warning("part of the run was not done", extra={"obstacle": obstacle})
    return run


def _oldest(page: list[Item]) -> datetime | None:
    """The earliest time in a page: with other offsets than UTC, text order is not quite time order."""
    return min((time for item in page if (time := _time(item))), default=None)


def _time(item: Item) -> datetime | None:
    try:
        return timestamps.from_text(item["matched_at"]["S"])
    except ValueError:
        return None

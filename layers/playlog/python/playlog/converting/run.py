"""A run: one pass through the waiting matches. Read, validate, group, pack, write; or send a dead letter."""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playlog.converting.reading import read_pages
from playlog.converting.writing.actions import Tables
from playlog.converting.writing.writer import Writer
from playlog.converting.writing.written import Written
from playlog.domain import timestamps
from playlog.domain.duplicates import rule_for
from playlog.domain.failure import Failure
from playlog.domain.match import Item, Match
from playlog.domain.validation import validate
from playlog.dynamodb.client import Client
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.sending import DeadLetterQueue
from playlog.runtime.retry import RequestError, Retry, UnavailableError
from playlog.runtime.settings import ConvertSettings
from playlog.runtime.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Shards in parallel: enough to keep one CPU busy while it waits for AWS.
SIDE_BY_SIDE = 8
# No request begins in the last seconds of the function's time, so that the longest one (12 s) still ends in it.
SECONDS_KEPT = 15.0


class RunError(Exception):
    """A run could not do its work. The matches still wait."""


class EventError(ValueError):
    """The event names an unknown shard, or is not valid for another reason. The text says which value is wrong."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did.

    Attributes:
        processed: number of matches moved to played.
        plays: number of plays created.
        failures: number of dead letters sent, by reason code.
        waiting: whether it stopped with matches left.
        oldest_waiting_seconds: age of the oldest match in the shards that were left unfinished; 0 if none was.
        cut: shards left unfinished only because time ran out.
        handed_over: number of these shards for which another run was started.
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
        """Number of dead letters sent."""
        return self.failures.total()

    @property
    def message(self) -> str:
        """The run in a sentence."""
        if not (self.processed or self.failed or self.waiting):
            return "No unprocessed matches found"
        rest = ", more are waiting" if self.waiting else ""
        return f"{self.processed} matches processed, {self.plays} plays created, {self.failed} failed{rest}"

    def as_answer(self) -> dict[str, Any]:
        """What the function returns (docs/contract.md, The messages), and the number of shards handed over."""
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
    """The shards that an event names.

    Args:
        event: the scheduled event, ``{}``, or ``{"shards": ["0", "3"]}``.
        unprocessed_shards: the stack's ``UnprocessedShards``, 1 to 64.

    Returns:
        Each shard once; all shards if the event names none.

    Raises:
        EventError: the list is empty, or holds something else than a shard.
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
    dynamodb: Client,
    sqs: "SQSClient",
    retry: Retry,
    hand_over_at: float = math.inf,
) -> Run:
    """Goes once through the waiting matches, several shards in parallel.

    Args:
        shards: partitions of the index.
        settings: of the function.
        dynamodb: client.
        sqs: client.
        retry: the run's retry budget.
        hand_over_at: ``time.monotonic()`` in seconds after which no further page is begun.

    Returns:
        What was done. If AWS did not answer, that is only a part, and ``waiting`` is true.

    Raises:
        RunError: nothing could be done because AWS did not answer.
        RequestError: AWS denies access, or a table does not exist.
    """
    now = datetime.now(UTC)
    tables = Tables(
        settings.match_cache_table, settings.play_log_table, settings.station_guard_table, settings.retain_played
    )
    rule = rule_for(settings.airing_gap)
    has_written = threading.Event()

    def convert_shard(shard: str) -> _ShardResult:
        pages = _PagesInTime(
            read_pages(dynamodb, settings.match_cache_table, shard, settings.batch_size, retry), hand_over_at
        )
        writer = Writer(dynamodb, tables, rule, settings.flag_below_confidence, retry, has_written)
        queue = DeadLetterQueue(sqs, settings.dead_letter_queue_url, retry)
        result = _convert_pages(pages, writer, queue, settings, now)
        result.obstacle = pages.obstacle or result.obstacle
        result.unfinished = result.unfinished or pages.cut or pages.obstacle is not None
        result.cut = pages.cut and not result.obstacle  # an obstacle would stop another run as well
        return result

    with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(shards))) as pool:
        # Every shard to its end: an error in one must not stop the others.
        futures = [pool.submit(convert_shard, shard) for shard in shards]
    if errors := [error for future in futures if (error := future.exception())]:
        for error in errors[1:]:
            logger.error("shard failed", exc_info=error)
        raise errors[0]
    results = [future.result() for future in futures]
    cut = tuple(shard for shard, result in zip(shards, results, strict=True) if result.cut)
    return replace(_sum_up(results, now), cut=cut)


class _PagesInTime:
    """The pages of a shard that are begun in time.

    Attributes:
        cut: whether time ran out before the last page.
        obstacle: why the index did not answer any more; None if it did. The pages before are still converted.
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
class _ShardResult:
    """What a run did in one shard.

    Attributes:
        written: what became of its valid matches.
        failures: number of dead letters sent, by reason code.
        oldest: the earliest time of a match in the first page.
        unfinished: whether matches are left, or a dead letter could not be sent.
        obstacle: what AWS did not do; None if nothing.
        cut: whether it is unfinished only because time ran out.
    """

    written: Written
    failures: Counter[str]
    oldest: datetime | None = None
    unfinished: bool = False
    obstacle: str | None = None
    cut: bool = False


def _convert_pages(
    pages: Iterable[list[Item]],
    writer: Writer,
    queue: DeadLetterQueue,
    settings: ConvertSettings,
    now: datetime,
) -> _ShardResult:
    """The path of a match: read, validate, group, pack and write; or send a dead letter."""
    written = Written()
    result = _ShardResult(written, queue.sent)

    def send(failures: Iterable[Failure]) -> None:
        for failure in failures:
            queue.add(DeadLetter.of(failure, max_attempts=settings.max_attempts, now=datetime.now(UTC)))

    try:
        for page in pages:
            result.oldest = result.oldest or _oldest(page)
            validated = [validate(item, now=now, default_duration=settings.default_duration) for item in page]
            writer.write((each for each in validated if isinstance(each, Match)), written)
            send(each for each in validated if isinstance(each, Failure))
            send(written.take_failures())
        writer.finish(written)
        send(written.take_failures())
    except UnavailableError as error:
        result.unfinished, result.obstacle = True, str(error)
    queue.flush()
    if isinstance(queue.error, RequestError):
        raise queue.error
    result.unfinished = result.unfinished or queue.left > 0 or written.left > 0
    result.obstacle = result.obstacle or written.obstacle or (str(queue.error) if queue.error else None)
    return result


def _sum_up(results: list[_ShardResult], now: datetime) -> Run:
    """Adds up the results of all shards."""
    oldest = min((result.oldest for result in results if result.oldest and result.unfinished), default=now)
    run = Run(
        processed=sum(result.written.matches for result in results),
        plays=sum(result.written.plays for result in results),
        failures=sum((result.failures for result in results), Counter()),
        waiting=any(result.unfinished for result in results),
        oldest_waiting_seconds=max(0.0, (now - oldest).total_seconds()),
    )
    obstacles = [result.obstacle for result in results if result.obstacle]
    if obstacles and not (run.processed or run.failed):
        raise RunError(f"nothing could be converted, and what waited still waits: {obstacles[0]}")
    for obstacle in obstacles:
        logger.warning("part of the run was not done", extra={"obstacle": obstacle})
    return run


def _oldest(page: list[Item]) -> datetime | None:
    """The earliest time in a page. The first match may be later: text order is time order only in UTC."""
    return min((time for item in page if (time := _matched_at(item))), default=None)


def _matched_at(item: Item) -> datetime | None:
    try:
        return timestamps.from_text(item["matched_at"]["S"])
    except ValueError:
        return None

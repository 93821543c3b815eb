"""The status of a stack: how many matches wait and since when, plays, failures, queues, and the last run."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from playlog.converting.reading import INDEX
from playlog.domain import timestamps

from playlog_cli.stacks.queues import queue_depth
from playlog_cli.stacks.runs import LastRun, last_counts
from playlog_cli.stacks.stack import Stack

CONCURRENT_REQUESTS = 16
# A table is counted item by item while this takes a second or two and a fraction of a cent. A larger table has
# DynamoDB's own count.
COUNTED_PAGES = 100  # of 1 MB
# The first matches of the index are the oldest in text order. Among so many, the oldest in time order is found.
OLDEST_AMONG = 100


@dataclass(frozen=True)
class ShardStatus:
    """The matches that wait in a partition of the index.

    Attributes:
        shard: its number.
        waiting: number of matches.
        oldest_matched_at: earliest ``matched_at`` among them, in UTC; None if none waits or none has a readable time.
        oldest_age_seconds: from then to now.
    """

    shard: int
    waiting: int
    oldest_matched_at: str | None
    oldest_age_seconds: float | None


@dataclass(frozen=True)
class Count:
    """The number of items of a table. If not ``exact``, it is DynamoDB's own count, up to 6 hours old."""

    items: int
    exact: bool


@dataclass(frozen=True)
class Status:
    """The status of a stack.

    Attributes:
        stack: its name.
        region: where it is.
        shards: the waiting matches, by shard.
        plays: items of PlayLog.
        failures: items of FailedPlayLog, whatever their reason code.
        dead_letters: dead letters that wait to be stored.
        dead_letters_in_flight: dead letters that are being stored.
        parking_lot: dead letters that could not be stored.
        last_run: None if none was logged within the last day.
    """

    stack: str
    region: str
    shards: tuple[ShardStatus, ...]
    plays: Count
    failures: Count
    dead_letters: int
    dead_letters_in_flight: int
    parking_lot: int
    last_run: LastRun | None

    @property
    def waiting(self) -> int:
        """Matches that wait, in all shards."""
        return sum(shard.waiting for shard in self.shards)

    @property
    def oldest_age_seconds(self) -> float | None:
        """Age of the oldest match that waits; None if none does."""
        ages = [each.oldest_age_seconds for each in self.shards if each.oldest_age_seconds is not None]
        return max(ages, default=None)


def status(stack: Stack, now: datetime) -> Status:
    """Asks the stack for its status. Changes nothing.

    Args:
        stack: the stack.
        now: the time that ages refer to, with an offset.

    Raises:
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as pool:
        plays = pool.submit(count_items, stack, stack.play_log_table)
        failures = pool.submit(count_items, stack, stack.failed_play_log_table)
        dead_letters = pool.submit(queue_depth, stack, stack.dead_letter_queue_url)
        parking_lot = pool.submit(queue_depth, stack, stack.parking_lot_queue_url)
        last_run = pool.submit(_last_run, stack, now)
        shards = shards_of(stack, now)
        letters, parked = dead_letters.result(), parking_lot.result()
        return Status(
            stack=stack.name,
            region=stack.session.region_name,
            shards=shards,
            plays=plays.result(),
            failures=failures.result(),
            dead_letters=letters.waiting,
            dead_letters_in_flight=letters.in_flight,
            parking_lot=parked.waiting + parked.in_flight,
            last_run=last_run.result(),
        )


def shards_of(stack: Stack, now: datetime) -> tuple[ShardStatus, ...]:
    """Counts the matches that wait, by shard.

    Args:
        stack: the stack.
        now: the time that ages refer to, with an offset.

    Raises:
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as pool:
        return tuple(pool.map(lambda shard: _shard(stack, shard, now), range(stack.shards)))


def _shard(stack: Stack, shard: int, now: datetime) -> ShardStatus:
    of_shard: dict[str, Any] = {
        "TableName": stack.match_cache_table,
        "IndexName": INDEX,
        "KeyConditionExpression": "unprocessed_shard = :shard",
        "ExpressionAttributeValues": {":shard": {"S": str(shard)}},
    }
    pages = stack.dynamodb.get_paginator("query").paginate(**of_shard, Select="COUNT")
    waiting = sum(page["Count"] for page in pages)
    if not waiting:
        return ShardStatus(shard, 0, None, None)
    first = stack.dynamodb.query(**of_shard, ProjectionExpression="matched_at", Limit=OLDEST_AMONG)["Items"]
    oldest = min(_times(item["matched_at"]["S"] for item in first), default=None)
    if oldest is None:
        return ShardStatus(shard, waiting, None, None)
    return ShardStatus(shard, waiting, timestamps.to_text(oldest), (now - oldest).total_seconds())


def _times(texts: Iterable[str]) -> Iterable[datetime]:
    for text in texts:
        try:
            yield timestamps.from_text(text)
        except ValueError:
            continue  # a match with an invalid time waits like any other until a run finds it


def count_items(stack: Stack, table: str) -> Count:
    """Counts the items of a table: exactly where it is small, else as DynamoDB last did.

    Args:
        stack: the stack.
        table: name of the table.

    Raises:
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    counted = 0
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT")
    for number, page in enumerate(pages, start=1):
        counted += page["Count"]
        if "LastEvaluatedKey" not in page:
            return Count(counted, exact=True)
        if number == COUNTED_PAGES:
            break
    by_dynamodb = stack.dynamodb.describe_table(TableName=table)["Table"]["ItemCount"]
    return Count(max(counted, by_dynamodb), exact=False)


def _last_run(stack: Stack, now: datetime) -> LastRun | None:
    configuration = stack.functions.get_function_configuration(FunctionName=stack.convert_matches_function)
    return last_counts(stack.logs, configuration["LoggingConfig"]["LogGroup"], now)

"""`playlog status`: where the matches, the plays and the failures of a stack stand."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from playlog.converting.reading import INDEX
from playlog.domain import timestamps

from playlog_cli.stacks.stack import Stack

SIDE_BY_SIDE = 16  # requests in flight
# A table is counted item by item as long as that takes a second or two and a fraction of a cent; past it, what DynamoDB
# itself counted must do.
COUNTED_PAGES = 100  # of 1 MB
# The first in the index are the oldest as texts: of these few, the oldest as times is told.
OLDEST_AMONG = 100
# How far back the last run is looked for: the short look is quick, and nearly always enough.
LOOK_BACK = (timedelta(minutes=15), timedelta(days=1))


@dataclass(frozen=True)
class ShardStatus:
    """The matches that wait in a partition of the index.

    Attributes:
        shard: which.
        waiting: how many matches.
        oldest_matched_at: earliest ``matched_at`` among them, in UTC; None if none waits or none has a readable time.
        oldest_age_seconds: from then to now.
    """

    shard: int
    waiting: int
    oldest_matched_at: str | None
    oldest_age_seconds: float | None


@dataclass(frozen=True)
class Count:
    """How many items a table holds; not ``exact`` where DynamoDB's own count, up to 6 hours old, had to do."""

    items: int
    exact: bool


@dataclass(frozen=True)
class LastRun:
    """The last run that the converter logged."""

    at: str
    age_seconds: float
    success: bool
    processed: int
    plays: int
    failed: int
    waiting: bool
    seconds: float


@dataclass(frozen=True)
class Status:
    """Where things stand in a stack.

    Attributes:
        stack: its name.
        region: where it is.
        shards: the matches that wait, by shard.
        plays: items of PlayLog.
        failures: items of FailedPlayLog.
        dead_letters: that wait to be stored.
        dead_letters_in_flight: that are being stored.
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
    """Asks the stack where things stand. It changes nothing.

    Args:
        stack: which.
        now: the time that ages are told from, with an offset.

    Raises:
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        shards = pool.map(lambda shard: _shard(stack, shard, now), range(stack.shards))
        plays = pool.submit(_count, stack, stack.play_log_table)
        failures = pool.submit(_count, stack, stack.failed_play_log_table)
        dead_letters = pool.submit(_depth, stack, stack.dead_letter_queue_url)
        parking_lot = pool.submit(_depth, stack, stack.parking_lot_queue_url)
        last_run = pool.submit(_last_run, stack, now)
        waiting, in_flight = dead_letters.result()
        return Status(
            stack=stack.name,
            region=stack.session.region_name,
            shards=tuple(shards),
            plays=plays.result(),
            failures=failures.result(),
            dead_letters=waiting,
            dead_letters_in_flight=in_flight,
            parking_lot=sum(parking_lot.result()),
            last_run=last_run.result(),
        )


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
            continue  # a match of an unreadable time waits like any other until a run finds it


def _count(stack: Stack, table: str) -> Count:
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


def _depth(stack: Stack, queue_url: str) -> tuple[int, int]:
    """Messages that wait in a queue, and that are being worked on."""
    attributes = stack.sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]), int(attributes["ApproximateNumberOfMessagesNotVisible"])


def _last_run(stack: Stack, now: datetime) -> LastRun | None:
    configuration = stack.functions.get_function_configuration(FunctionName=stack.convert_matches_function)
    log_group = configuration["LoggingConfig"]["LogGroup"]
    for look_back in LOOK_BACK:
        pages = stack.logs.get_paginator("filter_log_events").paginate(
            logGroupName=log_group,
            startTime=int((now - look_back).timestamp() * 1000),
            filterPattern="{ $.processed >= 0 }",
        )
        runs = [run for page in pages for event in page["events"] if (run := _run(event, now))]
        if runs:
            return min(runs, key=lambda run: run.age_seconds)
    return None


def _run(event: Mapping[str, Any], now: datetime) -> LastRun | None:
    """The run that a log event tells of; None if it tells of something else: the embedded AWS filters nothing."""
    try:
        line = json.loads(event["message"])
        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        told = {name: line[name] for name in ("success", "processed", "plays", "failed", "waiting", "seconds")}
        return LastRun(timestamps.to_text(at), (now - at).total_seconds(), **told)
    except (ValueError, KeyError, TypeError):
        return None

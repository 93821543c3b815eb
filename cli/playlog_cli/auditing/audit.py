"""Audit the three tables: read them in two looks, and check the invariants."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from playlog.domain.match import Item
from playlog.domain.play import PlayKey

from playlog_cli.auditing import invariants, items
from playlog_cli.auditing.invariants import Kind, Violation
from playlog_cli.auditing.items import State
from playlog_cli.auditing.ledger import Ledger
from playlog_cli.stacks.queues import QueueDepth, queue_depth
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import batched, read, scan

# A transaction becomes visible item by item, within milliseconds (Amazon DynamoDB Developer Guide, "DynamoDB
# transactions: how it works", isolation levels). What looks inconsistent is read again after these seconds.
# Progress callback: receives the table name and the number of items just read.
Progress: TypeAlias = Callable[[str, int], None]

SETTLE_SECONDS = 1.0


# How often the matches of a play are counted again if the play was written in the meantime.
RECOUNTS = 5


SUSPECTS_PER_READ = 100


@dataclass(frozen=True)
class Audit:
    """What the three tables and the queues hold, and the violations of the invariants.

    Attributes:
        stack: its name.
        region: where it is.
        matches: items of MatchCache; the sum of the next five.
        waiting: matches in this state.
        played: matches in this state.
        failed: matches in this state.
        stranded: matches that are in no state, because no run reads them.
        in_two_states: matches with the marks of several states.
        plays: items of PlayLog.
        failures: items of FailedPlayLog.
        dead_letters: the dead-letter queue; None in the audit of an export.
        parking_lot: dead letters that could not be stored; None in the audit of an export.
        violations: sorted by kind and sentence.
        undecided: plays that were written each time that their matches were counted.
    """

    stack: str
    region: str
    matches: int
    waiting: int
    played: int
    failed: int
    stranded: int
    in_two_states: int
    plays: int
    failures: int
    dead_letters: QueueDepth | None
    parking_lot: QueueDepth | None
    violations: Collection[Violation]
    undecided: Sequence[PlayKey]


def audit(stack: Stack, progress: Progress) -> Audit:
    """Reads everything and checks the invariants. It changes nothing.

    What could also be work in flight is read again before it is called a violation.

    Args:
        stack: the stack to audit.
        progress: progress callback.

    Raises:
        CommandError: a table goes on throttling.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    ledger = Ledger(stack.shards, datetime.now(UTC).timestamp())
    for play in _items(stack, stack.play_log_table, items.PLAY_ATTRIBUTES, progress):
        ledger.add_play(play)
    time.sleep(SETTLE_SECONDS)  # or a play could be read whose match still shows as waiting
    for match in _items(stack, stack.match_cache_table, items.MATCH_ATTRIBUTES, progress):
        ledger.add_match(match)
    for record in _items(stack, stack.failed_play_log_table, items.RECORD_ATTRIBUTES, progress):
        ledger.add_record(record)
    violations, undecided = _look_again(stack, ledger)
    for _ in range(RECOUNTS):
        if not undecided:
            break
        more, undecided = _count_again(stack, undecided, progress)
        violations = list(dict.fromkeys(violations + more))
    states = ledger.states
    return Audit(
        stack=stack.name,
        region=stack.session.region_name,
        matches=states.total(),
        waiting=states[State.WAITING],
        played=states[State.PLAYED],
        failed=states[State.FAILED],
        stranded=states[State.STRANDED],
        in_two_states=states[State.IN_TWO_STATES],
        plays=ledger.plays,
        failures=ledger.records,
        dead_letters=queue_depth(stack, stack.dead_letter_queue_url),
        parking_lot=queue_depth(stack, stack.parking_lot_queue_url),
        violations=sorted(violations, key=lambda each: (list(Kind).index(each.kind), each.sentence)),
        undecided=sorted(undecided),
    )


def _items(stack: Stack, table: str, attributes: Sequence[str], progress: Progress) -> Iterator[Item]:
    for page in scan(stack.dynamodb, table, attributes):
        progress(table, len(page))
        yield from page


def _count_again(stack: Stack, keys: Iterable[PlayKey], progress: Progress) -> tuple[list[Violation], list[PlayKey]]:
    """Counts the matches of some plays again."""
    ledger = Ledger(stack.shards, datetime.now(UTC).timestamp())
    wanted = set(keys)
    for play in _plays(stack, wanted).values():
        ledger.add_play(play)
    time.sleep(SETTLE_SECONDS)
    for match in _items(stack, stack.match_cache_table, items.MATCH_ATTRIBUTES, progress):
        if items.play_key(match) in wanted:
            ledger.add_match(match)
    return _look_again(stack, ledger)


def _look_again(stack: Stack, ledger: Ledger) -> tuple[list[Violation], list[PlayKey]]:
    """Checks the suspects of the first look against what is in the tables now.

    Returns:
        The violations, and the plays that were written while their matches were counted.
    """
    time.sleep(SETTLE_SECONDS)
    suspects = list(ledger.suspected_matches())
    violations: list[Violation] = []
    undecided: list[PlayKey] = []
    for accounts in batched(ledger.suspected_plays(), SUSPECTS_PER_READ):
        plays = _plays(stack, [key for key, _ in accounts])
        creators = _matches(stack, [items.text(play, "match_id") for play in plays.values()])
        for key, account in accounts:
            play = plays.get(key)
            if play is None:
                suspects += ledger.claimants(key)
            creator = creators.get(items.text(play or {}, "match_id"))
            verdict = invariants.check_play(key, account, play, creator, datetime.now(UTC).timestamp())
            if verdict is None:
                undecided.append(key)
            else:
                violations += verdict
    for match_ids in batched(dict.fromkeys(suspects), SUSPECTS_PER_READ):
        violations += _check_matches(stack, match_ids)
    return violations, undecided


def _check_matches(stack: Stack, match_ids: Iterable[str]) -> Iterator[Violation]:
    matches = _matches(stack, match_ids)
    # Read after the matches: a match names only what existed before.
    plays = _plays(stack, filter(None, map(items.play_key, matches.values())))
    records = _records(stack, {(match_id, items.attempts(match)) for match_id, match in matches.items()})
    for match_id, match in matches.items():
        key = items.play_key(match)
        record = records.get((match_id, items.attempts(match)))
        yield from invariants.check_match(match, plays.get(key) if key else None, record, stack.shards)


def _matches(stack: Stack, match_ids: Iterable[str]) -> dict[str, Item]:
    keys: list[Item] = [{"match_id": {"S": match_id}} for match_id in dict.fromkeys(match_ids) if match_id]
    return {item["match_id"]["S"]: item for item in read(stack.dynamodb, stack.match_cache_table, keys)}


def _plays(stack: Stack, play_keys: Iterable[PlayKey]) -> dict[PlayKey, Item]:
    keys: list[Item] = [{"station_id": {"S": key.station_id}, "play_id": {"S": key.play_id}} for key in set(play_keys)]
    items = read(stack.dynamodb, stack.play_log_table, keys)
    return {PlayKey(item["station_id"]["S"], item["play_id"]["S"]): item for item in items}


def _records(stack: Stack, attempts: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Item]:
    keys: list[Item] = [{"match_id": {"S": match_id}, "attempt": {"N": str(attempt)}} for match_id, attempt in attempts]
    items = read(stack.dynamodb, stack.failed_play_log_table, keys)
    return {(item["match_id"]["S"], int(item["attempt"]["N"])): item for item in items}

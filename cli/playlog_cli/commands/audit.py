"""`playlog audit`: does the law hold? Reads the three tables and the queues, and mends what has one right answer."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from functools import partial
from typing import Annotated, Any, TypeAlias

import typer
from playlog.domain.airing import PlayKey
from playlog.domain.match import Item

from playlog_cli.auditing import invariants
from playlog_cli.auditing.invariants import Kind, Ledger, State, Violation
from playlog_cli.commands.options import AsJson, Profile, Region, StackName, Yes
from playlog_cli.stacks.queues import QueueDepth, queue_depth
from playlog_cli.stacks.stack import DEFAULT_STACK, Stack, find_stack
from playlog_cli.stacks.tables import batched, read, scan
from playlog_cli.terminal import counted, facts_table, has_consent, out, table_bars

# A transaction shows in its items one by one, within milliseconds (Amazon DynamoDB Developer Guide, "DynamoDB
# transactions: how it works", isolation levels): what looks torn is looked at again after this.
SETTLE_SECONDS = 1.0
# How often the matches of a play are counted again, that was written while they were counted.
RECOUNTS = 5
LOOKED_AT_TOGETHER = 100
SIDE_BY_SIDE = 16  # updates in flight
SHOWN_OF_A_KIND = 10

# Told of a table and how many more of its items were read.
Told: TypeAlias = Callable[[str, int], None]


@dataclass(frozen=True)
class Audit:
    """What the three tables and the queues hold, and whether the law holds.

    Attributes:
        stack: its name.
        region: where it is.
        matches: items of MatchCache; the sum of the next five.
        waiting: matches in this state.
        played: matches in this state.
        failed: matches in this state.
        stranded: matches that no run reads and that are in no state.
        in_two_states: matches that show the marks of several states.
        plays: items of PlayLog.
        failures: items of FailedPlayLog.
        dead_letters: the dead-letter queue.
        parking_lot: dead letters that could not be stored.
        violations: each breach of the law, by kind and key.
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
    dead_letters: QueueDepth
    parking_lot: QueueDepth
    violations: Sequence[Violation]
    undecided: Sequence[PlayKey]


@dataclass(frozen=True)
class Mend:
    """A stranded match, and the shard that makes it wait.

    Attributes:
        match: what the law speaks of, as it was read.
        shard: the one it gets.
    """

    match: Item
    shard: str

    @property
    def match_id(self) -> str:
        """Key of the match."""
        match_id: str = self.match["match_id"]["S"]
        return match_id


def audit_command(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Give stranded matches that have a time their shard. Shows them and asks first."),
    ] = False,
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Check that each match is in exactly one state, and that plays and failures agree with it.

    Reads all of the three tables, and may do so while matches arrive and runs go on. Exit status 1 if the law is
    broken.
    """
    this = find_stack(stack, region=region, profile=profile)
    with _progress(this) as told:
        found = audit(this, told)
    if not as_json:
        _show(found)
    mended = _repair(this, found, yes=yes, as_json=as_json) if repair else []
    if as_json:
        _print_json(found, mended)
    if len(mended) < len(found.violations):
        raise typer.Exit(1)


def _repair(stack: Stack, found: Audit, *, yes: bool, as_json: bool) -> list[str]:
    """Shows what can be mended, asks, and mends it.

    Returns:
        Ids of the matches that wait now.
    """
    mends = list(mends_of(stack, found))
    if not as_json:
        _show_mends(mends)
    question = f"Give {counted(len(mends), 'match', 'matches')} a shard, so that a run reads them?"
    if not mends or not has_consent(question, yes=yes, as_json=as_json):
        return []
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        done = pool.map(partial(mend, stack), mends)
        mended = [each.match_id for each, is_done in zip(mends, done, strict=True) if is_done]
    if not as_json:
        _show_mended(len(mended), len(mends))
    return mended


def audit(stack: Stack, told: Told) -> Audit:
    """Reads everything, and says whether the law holds. It changes nothing.

    What cannot be told apart from work in flight is looked at again before it is called a violation.

    Args:
        stack: which.
        told: is told of progress.

    Raises:
        CommandError: a table goes on throttling.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    ledger = Ledger(stack.shards)
    for play in _items(stack, stack.play_log_table, invariants.PLAY_ATTRIBUTES, told):
        ledger.add_play(play)
    time.sleep(SETTLE_SECONDS)  # or a play is seen whose match still shows as waiting
    for match in _items(stack, stack.match_cache_table, invariants.MATCH_ATTRIBUTES, told):
        ledger.add_match(match)
    for record in _items(stack, stack.failed_play_log_table, invariants.RECORD_ATTRIBUTES, told):
        ledger.add_record(record)
    violations, undecided = _look_again(stack, ledger)
    for _ in range(RECOUNTS):
        if not undecided:
            break
        more, undecided = _count_again(stack, undecided, told)
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


def mends_of(stack: Stack, found: Audit) -> Iterator[Mend]:
    """What has one right answer: a stranded match with a time waits, once it has its shard.

    Not so a match that may have been played before it was stranded, which would be played twice: one that still names
    a play, or that another violation names, itself or the play that it would create.

    Args:
        stack: which.
        found: its audit.
    """
    others = [each for each in found.violations if each.kind is not Kind.STRANDED]
    matches_named = {each.match_id for each in others}
    plays_named = {each.play_key for each in others} | set(found.undecided)
    stranded = (each.match_id for each in found.violations if each.kind is Kind.STRANDED)
    keys = ({"match_id": {"S": match_id}} for match_id in stranded if match_id and match_id not in matches_named)
    for chunk in batched(keys, LOOKED_AT_TOGETHER):
        for match in read(stack.dynamodb, stack.match_cache_table, chunk):
            was_played = invariants.text(match, "play_id") or invariants.own_play(match) in plays_named
            waits_nowhere = invariants.state_of(match, stack.shards) is State.STRANDED and invariants.can_wait(match)
            if waits_nowhere and not was_played:
                seen = {name: match[name] for name in invariants.MATCH_ATTRIBUTES if name in match}
                yield Mend(seen, invariants.home_shard(match, stack.shards))


def mend(stack: Stack, this: Mend) -> bool:
    """Gives a stranded match its shard, if it is still what it was when it was read.

    Returns:
        Whether it was.
    """
    seen = {name: this.match.get(name) for name in invariants.MATCH_ATTRIBUTES if name != "match_id"}
    unchanged = [f"#{name} = :{name}" if value else f"attribute_not_exists(#{name})" for name, value in seen.items()]
    try:
        stack.dynamodb.update_item(
            TableName=stack.match_cache_table,
            Key={"match_id": {"S": this.match_id}},
            UpdateExpression="SET #unprocessed_shard = :shard",
            ConditionExpression=" AND ".join(unchanged),
            ExpressionAttributeNames={f"#{name}": name for name in seen},
            ExpressionAttributeValues={
                ":shard": {"S": this.shard},
                **{f":{name}": value for name, value in seen.items() if value},
            },
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _items(stack: Stack, table: str, attributes: Sequence[str], told: Told) -> Iterator[Item]:
    for page in scan(stack.dynamodb, table, attributes):
        told(table, len(page))
        yield from page


def _count_again(stack: Stack, keys: Iterable[PlayKey], told: Told) -> tuple[list[Violation], list[PlayKey]]:
    """Counts the matches of some plays anew."""
    ledger = Ledger(stack.shards)
    wanted = set(keys)
    for play in _plays(stack, wanted).values():
        ledger.add_play(play)
    time.sleep(SETTLE_SECONDS)
    for match in _items(stack, stack.match_cache_table, invariants.MATCH_ATTRIBUTES, told):
        if invariants.play_key(match) in wanted:
            ledger.add_match(match)
    return _look_again(stack, ledger)


def _look_again(stack: Stack, ledger: Ledger) -> tuple[list[Violation], list[PlayKey]]:
    """Judges what the ledger suspects by what is there now.

    Returns:
        The violations, and the plays that were written while their matches were counted.
    """
    time.sleep(SETTLE_SECONDS)
    suspects = list(ledger.suspected_matches())
    violations: list[Violation] = []
    undecided: list[PlayKey] = []
    for accounts in batched(ledger.suspected_plays(), LOOKED_AT_TOGETHER):
        plays = _plays(stack, [key for key, _ in accounts])
        creators = _matches(stack, [invariants.text(play, "match_id") for play in plays.values()])
        for key, account in accounts:
            play = plays.get(key)
            if play is None:
                suspects += ledger.claimants(key)
            verdict = invariants.judge_play(key, account, play, creators.get(invariants.text(play or {}, "match_id")))
            if verdict is None:
                undecided.append(key)
            else:
                violations += verdict
    for match_ids in batched(dict.fromkeys(suspects), LOOKED_AT_TOGETHER):
        violations += _judge_matches(stack, match_ids)
    return violations, undecided


def _judge_matches(stack: Stack, match_ids: Iterable[str]) -> Iterator[Violation]:
    matches = _matches(stack, match_ids)
    # Read after the matches: what a match names was there before it named it.
    plays = _plays(stack, filter(None, map(invariants.play_key, matches.values())))
    records = _records(stack, {(match_id, invariants.attempts(match)) for match_id, match in matches.items()})
    for match_id, match in matches.items():
        key = invariants.play_key(match)
        record = records.get((match_id, invariants.attempts(match)))
        yield from invariants.judge_match(match, plays.get(key) if key else None, record, stack.shards)


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


def _progress(stack: Stack) -> AbstractContextManager[Told]:
    names = {stack.play_log_table: "plays", stack.match_cache_table: "matches", stack.failed_play_log_table: "failures"}
    return table_bars(names, lambda table: stack.dynamodb.describe_table(TableName=table)["Table"]["ItemCount"])


def _show(found: Audit) -> None:
    out.print(f"stack {found.stack} in {found.region}", style="bold", soft_wrap=True)
    facts = facts_table()
    facts.add_row("matches", f"{found.matches:,}")
    for state in ("waiting", "played", "failed", "stranded", "in_two_states"):
        facts.add_row(f"  {state.replace('_', ' ')}", f"{getattr(found, state):,}")
    facts.add_row("plays", f"{found.plays:,}")
    facts.add_row("failures", f"{found.failures:,}")
    facts.add_row("dead letters", *_shown_depth(found.dead_letters))
    facts.add_row("parking lot", *_shown_depth(found.parking_lot))
    out.print(facts)
    if found.undecided:
        out.print(
            f"{len(found.undecided):,} plays were written each time that their matches were counted: audit again.",
            soft_wrap=True,
        )
    if not found.violations:
        out.print("Of all else, the law holds." if found.undecided else "The law holds: no violation.")
        return
    out.print(f"The law is broken: {counted(len(found.violations), 'violation', 'violations')}.", style="bold red")
    for kind, total in Counter(each.kind for each in found.violations).items():
        out.print(f"{kind} ({total:,})", style="bold")
        of_kind = (each for each in found.violations if each.kind is kind)
        for each in next(batched(of_kind, SHOWN_OF_A_KIND)):
            out.print(f"  {each.sentence}", soft_wrap=True)
        if total > SHOWN_OF_A_KIND:
            out.print(f"  ... and {total - SHOWN_OF_A_KIND:,} more; --json lists them all")


def _show_mends(mends: Sequence[Mend]) -> None:
    out.print("\nWhat can be mended:" if mends else "\nThere is nothing that can be mended without a person.")
    for each in mends[:SHOWN_OF_A_KIND]:
        out.print(f"  match {each.match_id} gets unprocessed_shard {each.shard}", soft_wrap=True)
    if len(mends) > SHOWN_OF_A_KIND:
        out.print(f"  ... and {len(mends) - SHOWN_OF_A_KIND:,} more")


def _show_mended(mended: int, shown: int) -> None:
    changed = f"; {shown - mended:,} changed meanwhile and were left as they are" if mended < shown else ""
    out.print(f"Mended: {counted(mended, 'match', 'matches')}{changed}. The next run takes them.", soft_wrap=True)


def _shown_depth(depth: QueueDepth) -> tuple[str, str]:
    total = depth.waiting + depth.in_flight + depth.delayed
    return f"{total:,}", f"{depth.in_flight:,} in flight, {depth.delayed:,} delayed"


def _print_json(found: Audit, mended: list[str]) -> None:
    """Prints it piece by piece: with a million violations, the whole text would not fit in memory."""
    undecided = [key._asdict() for key in found.undecided]
    json.dump({**_shallow(found), "undecided": undecided, "mended": mended}, sys.stdout, indent=2, default=_shallow)
    sys.stdout.write("\n")


def _shallow(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}

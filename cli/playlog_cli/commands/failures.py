"""`playlog failures`: what could not be converted and why, and the way back for a match that was mended."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from heapq import merge
from itertools import islice
from typing import Annotated, Any

import typer
from playlog.domain import timestamps
from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.domain.validation import validate
from playlog.failures.dead_letter import plain
from playlog.schema import ReasonCode
from rich.table import Table

from playlog_cli.auditing import invariants
from playlog_cli.auditing.invariants import State
from playlog_cli.commands.options import AsJson, Profile, Region, StackName, Yes, consented
from playlog_cli.errors import CommandError, shown
from playlog_cli.stacks.stack import DEFAULT_STACK, Stack, find_stack
from playlog_cli.stacks.tables import batched, read
from playlog_cli.terminal import err, out, print_json

INDEX = "reason-index"
RECORDS_PER_PAGE = 100
SIDE_BY_SIDE = 16  # requests in flight
LEFT_SHOWN = 20

# They say where a match stands, not what it is.
_STATE = {"unprocessed_shard", "processed", "processed_at", "play_id", "attempts", "failed_reason"}
_CUT = "[cut: "  # in what playlog.failures.dead_letter had to shorten

failures_app = typer.Typer(no_args_is_help=True, help="What could not be converted and why, and the way back.")

Reason = Annotated[
    ReasonCode | None,
    typer.Option("--reason", metavar="CODE", case_sensitive=False, help="Of this reason code alone."),
]


@dataclass(frozen=True)
class Selection:
    """Which failures are meant.

    Attributes:
        codes: their reason codes.
        station_id: the station of their matches, as they were; None for any.
        since: the earliest ``failed_at``, with an offset; None for any.
        until: the latest ``failed_at``, with an offset; None for any.
    """

    codes: Sequence[ReasonCode] = tuple(ReasonCode)
    station_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class FailedAttempt:
    """One failed conversion.

    Attributes:
        match_id: key of the match.
        attempt: which conversion of it, from 1.
        reason_code: what is wrong, for machines.
        reason: what is wrong with which value, and what would be right.
        will_retry: whether it is tried again by itself.
        failed_at: when, in UTC.
        match: the match as it was.
    """

    match_id: str
    attempt: int
    reason_code: str
    reason: str
    will_retry: bool
    failed_at: str
    match: dict[str, Any]


@dataclass(frozen=True)
class ListedFailure:
    """A line of the list: a failed conversion, and what its match is now (``gone``: not in MatchCache)."""

    failed_at: str
    reason_code: str
    match_id: str
    attempt: int
    station_id: str | None
    reason: str
    now: str


@dataclass(frozen=True)
class FailureList:
    """How many failures there are by reason code, and the newest of them."""

    counts: dict[str, int]
    newest: tuple[ListedFailure, ...]


@dataclass(frozen=True)
class Change:
    """An attribute that a match has otherwise now; None where it is absent."""

    attribute: str
    then: Any
    now: Any


@dataclass(frozen=True)
class History:
    """All that is known of a match and its failures.

    Attributes:
        match_id: key of the match.
        state: what it is now; None if it is gone.
        defect: why it would fail again as it is now; None if no reason is seen.
        match: it, as it is now; None if it is gone.
        changes: what was changed since it failed last.
        attempts: its failed conversions, the first one first.
    """

    match_id: str
    state: State | None
    defect: str | None
    match: dict[str, Any] | None
    changes: tuple[Change, ...]
    attempts: tuple[FailedAttempt, ...]


@dataclass(frozen=True)
class LeftMatch:
    """A match that was not retried, and why not."""

    match_id: str
    why: str


@dataclass
class RetryTally:
    """What becomes, or became, of the matches to retry.

    Attributes:
        retried: how many wait again.
        defective: how many of them would fail again, as far as can be seen.
        left: those that stay as they are.
    """

    retried: int = 0
    defective: int = 0
    left: list[LeftMatch] = field(default_factory=list)


@failures_app.command("list")
def list_command(
    reason: Reason = None,
    station: Annotated[str | None, typer.Option(metavar="ID", help="Of this station's matches alone.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Failed at this time or later.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Failed at this time or earlier.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="Show so many of the newest.")] = 20,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Count the failures by reason, and show the newest.

    A TIME is ISO 8601 with an offset, like 2026-03-14T08:00:00+01:00.
    """
    selection = Selection(
        codes=(reason,) if reason else tuple(ReasonCode),
        station_id=station,
        since=_time("--since", since),
        until=_time("--until", until),
    )
    listed = list_failures(find_stack(stack, region=region, profile=profile), selection, limit)
    if as_json:
        print_json(listed)
    else:
        _show_list(listed)


@failures_app.command("show")
def show_command(
    match_id: Annotated[str, typer.Argument(metavar="MATCH_ID")],
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show a match: all its failed attempts, it as it is now and as it was, and what would be right."""
    history = history_of(find_stack(stack, region=region, profile=profile), match_id, datetime.now(UTC))
    if as_json:
        print_json(history)
    else:
        _show_history(history)


@failures_app.command("retry")
def retry_command(
    match_ids: Annotated[list[str] | None, typer.Argument(metavar="MATCH_ID")] = None,
    reason: Annotated[
        ReasonCode | None,
        typer.Option("--reason", metavar="CODE", case_sensitive=False, help="All that failed for this reason."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that have failed.")] = False,
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Let failed matches wait again, so that the next run takes them: once they were mended. Asks first.

    Attempts and history stay. Exit status 1 if a match that was named cannot be retried.
    """
    if [bool(match_ids), reason is not None, every].count(True) != 1:
        raise CommandError("say which matches to retry: their ids, or --reason CODE, or --all")
    this = find_stack(stack, region=region, profile=profile)
    now = datetime.now(UTC)
    selection = Selection(codes=(reason,) if reason else tuple(ReasonCode), until=now)
    plan = RetryTally()
    for page in _to_retry(this, match_ids, selection):
        _plan(page, plan, now)
    done = RetryTally(left=plan.left)
    if plan.retried and consented(_question(plan), yes=yes, as_json=as_json):
        done = retry(this, _to_retry(this, match_ids, selection), now)
    if as_json:
        print_json(done)
    else:
        _show_retried(done)
    if match_ids and done.left:
        raise typer.Exit(1)


def list_failures(stack: Stack, selection: Selection, limit: int) -> FailureList:
    """Counts failures by reason code, and reads the newest.

    Args:
        stack: where.
        selection: which.
        limit: how many to read.
    """
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        counts = pool.map(lambda code: _count(stack, code, selection), selection.codes)
        counted = {code.value: count for code, count in zip(selection.codes, counts, strict=True) if count}
    by_code = (_records(stack, ReasonCode(code), selection) for code in counted)
    newest = list(islice(merge(*by_code, key=lambda record: record["failed_at"]["S"], reverse=True), limit))
    states = {match["match_id"]["S"]: invariants.state_of(match, stack.shards) for match in _matches(stack, newest)}
    return FailureList(counted, tuple(_listed(_attempt(record), states) for record in newest))


def history_of(stack: Stack, match_id: str, now: datetime) -> History:
    """Looks up a match and all its failed conversions.

    Args:
        stack: where.
        match_id: key of the match.
        now: the time that ``matched_at`` is judged by, with an offset.

    Raises:
        CommandError: there is no such match, and no failure of one.
    """
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.failed_play_log_table,
        KeyConditionExpression="match_id = :match",
        ExpressionAttributeValues={":match": {"S": match_id}},
        ConsistentRead=True,
    )
    records: Iterator[Any] = (record for page in pages for record in page["Items"])
    attempts = tuple(map(_attempt, records))
    matches = read(stack.dynamodb, stack.match_cache_table, [{"match_id": {"S": match_id}}])
    if not matches and not attempts:
        raise CommandError(f"stack `{stack.name}` has no match {shown(match_id)}, nor a failure of one")
    if not matches:
        return History(match_id, None, None, None, (), attempts)
    (match,) = matches
    plain = plain_values(match)
    return History(
        match_id=match_id,
        state=invariants.state_of(match, stack.shards),
        defect=defect_of(match, now),
        match=plain,
        changes=tuple(_changes(attempts[-1].match, plain)) if attempts else (),
        attempts=attempts,
    )


def retry(stack: Stack, pages: Iterable[Mapping[str, Item | None]], now: datetime) -> RetryTally:
    """Lets failed matches wait again.

    Args:
        stack: where.
        pages: matches by id, as they were read; None for one that is not there.
        now: the time that ``matched_at`` is judged by, with an offset.
    """
    tally = RetryTally()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for page in pages:
            matches = _plan(page, tally, now)
            for match, retried in zip(matches, pool.map(lambda match: _retry(stack, match), matches), strict=True):
                if not retried:
                    tally.retried -= 1
                    tally.left.append(LeftMatch(match["match_id"]["S"], "it was changed meanwhile: look at it again"))
    return tally


def why_not(match: Item | None) -> str | None:
    """Why a match cannot be retried; None if it can.

    Args:
        match: as it is now; None if it is not there.
    """
    if match is None:
        return "there is no such match"
    # Of a match that has failed, the number of shards decides nothing.
    state = invariants.state_of(match, shards=1)
    if state is not State.FAILED:
        return "it has not failed: `playlog failures show` says what it is"
    if not invariants.can_wait(match):
        return "it has no matched_at, without which it cannot wait: give it one first"
    return None


def defect_of(match: Item, now: datetime) -> str | None:
    """Why a match would fail as it is now; None if judging it finds nothing.

    Args:
        match: item of MatchCache.
        now: with an offset.
    """
    verdict = validate(match, now=now, default_duration=timedelta(minutes=3))
    return verdict.reason if isinstance(verdict, Failure) else None


def plain_values(item: Item) -> dict[str, Any]:
    """An item in values that JSON has, as in the record of a failure."""
    return {name: plain(value) for name, value in item.items()}


def _time(option: str, text: str | None) -> datetime | None:
    try:
        return None if text is None else timestamps.from_text(text)
    except ValueError:
        wanted = "it must be an ISO 8601 time with an offset, like 2026-03-14T08:00:00+01:00"
        raise CommandError(f"{option} is {shown(text)}: {wanted}") from None


def _query(code: ReasonCode, selection: Selection) -> dict[str, Any]:
    """The part of a query that says which failures of a reason code are meant."""
    values: Item = {
        ":code": {"S": code.value},
        ":since": {"S": timestamps.to_text(selection.since or datetime.min.replace(tzinfo=UTC))},
        ":until": {"S": timestamps.to_text(selection.until or datetime.max.replace(tzinfo=UTC))},
    }
    query: dict[str, Any] = {
        "IndexName": INDEX,
        "KeyConditionExpression": "reason_code = :code AND failed_at BETWEEN :since AND :until",
        "ExpressionAttributeValues": values,
    }
    if selection.station_id is not None:
        values[":station"] = {"S": selection.station_id}
        query["FilterExpression"] = "#match.station_id = :station"
        query["ExpressionAttributeNames"] = {"#match": "match"}
    return query


def _count(stack: Stack, code: ReasonCode, selection: Selection) -> int:
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.failed_play_log_table, Select="COUNT", **_query(code, selection)
    )
    return sum(page["Count"] for page in pages)


def _records(stack: Stack, code: ReasonCode, selection: Selection) -> Iterator[Item]:
    """The failures of a reason code, newest first: what fails meanwhile comes before them, and is not met."""
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.failed_play_log_table,
        ScanIndexForward=False,
        PaginationConfig={"PageSize": RECORDS_PER_PAGE},
        **_query(code, selection),
    )
    for page in pages:
        items: list[Any] = page["Items"]
        yield from items


def _matches(stack: Stack, records: Iterable[Item]) -> list[Item]:
    match_ids = dict.fromkeys(record["match_id"]["S"] for record in records)
    return read(stack.dynamodb, stack.match_cache_table, ({"match_id": {"S": match_id}} for match_id in match_ids))


def _attempt(record: Item) -> FailedAttempt:
    values = plain_values(record)
    return FailedAttempt(
        match_id=values["match_id"],
        attempt=values["attempt"],
        reason_code=values["reason_code"],
        reason=values["reason"],
        will_retry=values["will_retry"],
        failed_at=values["failed_at"],
        match=values["match"],
    )


def _listed(attempt: FailedAttempt, states: Mapping[str, State]) -> ListedFailure:
    station_id = attempt.match.get("station_id")
    return ListedFailure(
        failed_at=attempt.failed_at,
        reason_code=attempt.reason_code,
        match_id=attempt.match_id,
        attempt=attempt.attempt,
        station_id=station_id if isinstance(station_id, str) else None,
        reason=attempt.reason,
        now=states.get(attempt.match_id, "gone"),
    )


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*then, *now} - _STATE):
        before, after = then.get(name), now.get(name)
        if before != after and _CUT not in str(before):
            yield Change(name, before, after)


def _to_retry(stack: Stack, match_ids: list[str] | None, selection: Selection) -> Iterator[dict[str, Item | None]]:
    """The matches to retry by id, page by page: those that were named, or those that the selection fits."""
    if match_ids:
        for chunk in batched(dict.fromkeys(match_ids), RECORDS_PER_PAGE):
            named = _matches(stack, [{"match_id": {"S": match_id}} for match_id in chunk])
            found = {match["match_id"]["S"]: match for match in named}
            yield {match_id: found.get(match_id) for match_id in chunk}
        return
    records = (record for code in selection.codes for record in _records(stack, code, selection))
    for page in batched(records, RECORDS_PER_PAGE):
        last_attempts: set[tuple[str, int | Decimal]] = {
            (record["match_id"]["S"], Decimal(record["attempt"]["N"])) for record in page
        }
        # A match whose earlier attempt this was has failed for another reason since, waits, or was played.
        yield {
            match["match_id"]["S"]: match
            for match in _matches(stack, page)
            if invariants.state_of(match, stack.shards) is State.FAILED
            and (match["match_id"]["S"], invariants.attempts(match)) in last_attempts
        }


def _plan(page: Mapping[str, Item | None], tally: RetryTally, now: datetime) -> list[Item]:
    """Sorts out which matches can be retried, and puts all of them into the tally."""
    can_be: list[Item] = []
    for match_id, match in page.items():
        if why := why_not(match):
            tally.left.append(LeftMatch(match_id, why))
        elif match:
            can_be.append(match)
            tally.retried += 1
            tally.defective += defect_of(match, now) is not None
    return can_be


def _retry(stack: Stack, match: Item) -> bool:
    """Lets a match wait again, if it is still the failed match that was read.

    Whoever else retried it, and whether it failed anew since: that is a state that nobody has looked at yet. A late
    dead letter of an earlier attempt changes nothing, since the attempts stay.
    """
    values: Item = {
        ":shard": {"S": invariants.home_shard(match, stack.shards)},
        ":reason": match["failed_reason"],
        ":true": {"BOOL": True},
        ":text": {"S": "S"},
    }
    if "attempts" in match:
        values[":attempts"] = match["attempts"]
    same_attempts = "attempts = :attempts" if "attempts" in match else "attribute_not_exists(attempts)"
    try:
        stack.dynamodb.update_item(
            TableName=stack.match_cache_table,
            Key={"match_id": match["match_id"]},
            UpdateExpression="SET unprocessed_shard = :shard REMOVE failed_reason",
            ConditionExpression=(
                f"failed_reason = :reason AND {same_attempts} AND attribute_type(matched_at, :text)"
                " AND attribute_not_exists(unprocessed_shard) AND NOT #processed = :true"
            ),
            ExpressionAttributeNames={"#processed": "processed"},
            ExpressionAttributeValues=values,
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _question(plan: RetryTally) -> str:
    again = f", of which {plan.defective:,} would fail again unless mended first" if plan.defective else ""
    return f"To wait again: {_matches_in_words(plan.retried)}{again}. Retry?"


def _matches_in_words(number: int) -> str:
    match number:
        case 0:
            return "none"
        case 1:
            return "1 match"
        case _:
            return f"{number:,} matches"


def _show_list(listed: FailureList) -> None:
    if not listed.counts:
        out.print("No failures.")
        return
    counts = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    counts.add_column("reason")
    counts.add_column("failures", justify="right")
    for code, count in sorted(listed.counts.items(), key=lambda each: -each[1]):
        counts.add_row(code, f"{count:,}")
    if len(listed.counts) > 1:
        counts.add_row("all", f"{sum(listed.counts.values()):,}")
    out.print(counts)
    if not listed.newest:
        return
    out.print(f"\nthe newest {len(listed.newest):,}, and what their matches are now:")
    for each in listed.newest:
        station = f", {each.station_id}" if each.station_id else ""
        out.print(
            f"{each.failed_at} {each.match_id} (attempt {each.attempt}{station}; {each.now}): {each.reason}",
            soft_wrap=True,
        )


def _show_history(history: History) -> None:
    out.print(f"match {history.match_id} {_NOW[history.state]}", style="bold", soft_wrap=True)
    for attempt in history.attempts:
        again = "tried again by itself" if attempt.will_retry else "final"
        out.print(f"\nattempt {attempt.attempt}, {attempt.failed_at}: {attempt.reason_code}, {again}", soft_wrap=True)
        out.print(f"  {attempt.reason}", soft_wrap=True)
    if history.match is None and history.attempts:
        out.print("\nas it was:")
        _show_values(history.attempts[-1].match)
    if history.match is not None:
        out.print("\nas it is now:")
        _show_values(history.match)
    if history.changes:
        out.print("\nchanged since it failed:")
        for change in history.changes:
            out.print(f"  {change.attribute}: {_value(change.then)} -> {_value(change.now)}", soft_wrap=True)
    if history.state == State.FAILED:
        out.print()
        out.print(_advice(history), soft_wrap=True)


_NOW = {
    None: "is not in MatchCache any more",
    State.WAITING: "waits: the next run takes it",
    State.PLAYED: "is played",
    State.FAILED: "has failed",
    State.STRANDED: "is stranded: see `playlog audit`",
    State.IN_TWO_STATES: "is in two states at once: see `playlog audit`",
}


def _advice(history: History) -> str:
    if history.defect:
        return f"It would fail again as it is now: {history.defect}. Mend that first."
    if not history.changes:
        return "Nothing was changed since it failed. `playlog failures retry` lets it wait again."
    return "As it is now, nothing is seen to be wrong with it: `playlog failures retry` lets it wait again."


def _show_values(values: Mapping[str, Any]) -> None:
    for name, value in sorted(values.items()):
        out.print(f"  {name}: {_value(value)}", soft_wrap=True)


def _value(value: Any) -> str:
    return "absent" if value is None else json.dumps(value, ensure_ascii=False)


def _show_retried(done: RetryTally) -> None:
    for each in done.left[:LEFT_SHOWN]:
        err.print(f"match {each.match_id} is left as it is: {each.why}", soft_wrap=True)
    if len(done.left) > LEFT_SHOWN:
        whys = Counter(each.why for each in done.left[LEFT_SHOWN:])
        for why, count in whys.items():
            err.print(f"... and {count:,} more: {why}", soft_wrap=True)
    out.print(f"To wait again: {_matches_in_words(done.retried)}.")

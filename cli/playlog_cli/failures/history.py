"""Finds failures and shows one: the newest by reason, and all that is known of a match."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any

from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.domain.validation import validate

from playlog_cli.auditing import items
from playlog_cli.auditing.items import State
from playlog_cli.errors import CommandError, shown
from playlog_cli.failures.counting import count_by_code
from playlog_cli.failures.records import (
    FailedAttempt,
    Selection,
    attempt_of,
    attempts_of,
    matches_by_id,
    newest_first,
    plain_values,
)
from playlog_cli.stacks.stack import Stack

# Attributes that say in which state a match is, not what was detected.
STATE_ATTRIBUTES = frozenset({"unprocessed_shard", "processed", "processed_at", "play_id", "attempts", "failed_reason"})
_SHORTENED = "[cut: "  # playlog.failures.dead_letter writes this where a value did not fit


@dataclass(frozen=True)
class ListedFailure:
    """A line of the list: a failed conversion, what it says of its match, and the match's state now.

    Attributes:
        station_id, title, artist, matched_at: of the match as it was; None where it has no such text.
        now: its state; ``gone`` if it is not in MatchCache.
    """

    failed_at: str
    reason_code: str
    match_id: str
    attempt: int
    station_id: str | None
    reason: str
    now: str
    title: str | None
    artist: str | None
    matched_at: str | None


@dataclass(frozen=True)
class FailureList:
    """How many failures there are by reason code, and the newest of them."""

    counts: dict[str, int]
    newest: tuple[ListedFailure, ...]


@dataclass(frozen=True)
class Change:
    """An attribute of a match that changed after the failure; None where it is absent."""

    attribute: str
    then: Any
    now: Any


@dataclass(frozen=True)
class History:
    """All that is known of a match and its failures.

    Attributes:
        match_id: key of the match.
        state: its state now; None if it is gone.
        defect: why it would fail again as it is now; None if no reason is found.
        match: the match as it is now; None if it is gone.
        changes: attributes that were changed since it failed last.
        attempts: its failed conversions, the first one first.
    """

    match_id: str
    state: State | None
    defect: str | None
    match: dict[str, Any] | None
    changes: tuple[Change, ...]
    attempts: tuple[FailedAttempt, ...]


def list_failures(stack: Stack, selection: Selection, limit: int) -> FailureList:
    """Counts failures by reason code, and reads the newest.

    Args:
        stack: where.
        selection: which.
        limit: how many to read.

    Raises:
        CommandError: the selection names an unknown reason code.
    """
    counts = count_by_code(stack, selection)
    by_code = (newest_first(stack, code, selection) for code in counts)
    newest = list(islice(merge(*by_code, key=lambda record: record["failed_at"]["S"], reverse=True), limit))
    matches = matches_by_id(stack, (record["match_id"]["S"] for record in newest))
    states = {match_id: items.state_of(match, stack.shards) for match_id, match in matches.items()}
    return FailureList(counts, tuple(listed(attempt_of(record), states) for record in newest))


def history_of(stack: Stack, match_id: str, now: datetime) -> History:
    """Looks up a match and all its failed conversions.

    Args:
        stack: where.
        match_id: key of the match.
        now: the time that ``matched_at`` is validated against, with an offset.

    Raises:
        CommandError: the stack has no such match, and no failure of one.
    """
    attempts = attempts_of(stack, match_id)
    match = matches_by_id(stack, [match_id]).get(match_id)
    if match is None and not attempts:
        raise CommandError(f"stack `{stack.name}` has no match {shown(match_id)}, nor a failure of one")
    if match is None:
        return History(match_id, None, None, None, (), attempts)
    values = plain_values(match)
    return History(
        match_id=match_id,
        state=items.state_of(match, stack.shards),
        defect=defect_of(match, now),
        match=values,
        changes=tuple(_changes(attempts[-1].match, values)) if attempts else (),
        attempts=attempts,
    )


def defect_of(match: Item, now: datetime) -> str | None:
    """Why a match would fail as it is now; None if validation finds nothing.

    Args:
        match: item of MatchCache.
        now: with an offset.
    """
    verdict = validate(match, now=now, default_duration=timedelta(minutes=3))
    return verdict.reason if isinstance(verdict, Failure) else None


def listed(attempt: FailedAttempt, states: Mapping[str, State]) -> ListedFailure:
    """A line of the list.

    Args:
        attempt: the failed conversion.
        states: states of the matches that exist, by id.
    """
    texts = {name: value for name, value in attempt.match.items() if isinstance(value, str)}
    return ListedFailure(
        failed_at=attempt.failed_at,
        reason_code=attempt.reason_code,
        match_id=attempt.match_id,
        attempt=attempt.attempt,
        station_id=texts.get("station_id"),
        reason=attempt.reason,
        now=states.get(attempt.match_id, "gone"),
        title=texts.get("title"),
        artist=texts.get("artist"),
        matched_at=texts.get("matched_at"),
    )


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*then, *now} - STATE_ATTRIBUTES - {"mended"}):
        before, after = then.get(name), now.get(name)
        if before != after and _SHORTENED not in str(before):
            yield Change(name, before, after)

"""What DynamoDB's answer to a transaction means. Pure.

* accepted: the plays are in PlayLog and their matches are played, all at once.
* cancelled: nothing was written. DynamoDB gives one reason for each action; they show which airings caused it.
* refused: DynamoDB rejects a value of the request and does not say which.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from playlog.converting.writing import actions
from playlog.converting.writing.planning import Entry, Known, Transaction
from playlog.domain.airing import Airing
from playlog.domain.match import Match

# One of the CancellationReasons of a TransactionCanceledException.
Reason: TypeAlias = dict[str, Any]

NO_REASON = "None"
CONDITION_FAILED = "ConditionalCheckFailed"
INVALID_VALUE = "ValidationError"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The transaction took effect."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The transaction had no effect.

    Attributes:
        reasons: one for each action, in order.
    """

    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Refused:
    """The transaction had no effect, and it never will.

    Attributes:
        message: what DynamoDB says.
    """

    message: str


Answer: TypeAlias = Accepted | Cancelled | Refused


@dataclass(slots=True)
class Causes:
    """Which airings caused a cancellation.

    Attributes:
        innocent: airings that can be sent again at once.
        refused: entries with a value that DynamoDB rejects, and what it says.
        changed: entries whose play or matches changed, or that met a conflict or a throttle; with their reasons.
        overtaken: stations whose guard another run raised.
        conflicting: stations whose guard met a conflict or a throttle.
    """

    innocent: list[Airing] = field(default_factory=list)
    refused: list[tuple[Entry, str]] = field(default_factory=list)
    changed: list[tuple[Entry, Sequence[Reason]]] = field(default_factory=list)
    overtaken: set[str] = field(default_factory=set)
    conflicting: set[str] = field(default_factory=set)

    @property
    def stations(self) -> set[str]:
        """The stations of the airings that are not innocent."""
        return {entry.play.key.station_id for entry, _ in [*self.refused, *self.changed]}


def find_causes(transaction: Transaction, reasons: Sequence[Reason]) -> Causes:
    """Finds the airings that caused a cancellation.

    Args:
        transaction: that was cancelled.
        reasons: one for each of its actions.
    """
    causes = Causes()
    of_guards = reasons[len(reasons) - len(transaction.guards) :]
    for (before, _), reason in zip(transaction.guards, of_guards, strict=True):
        if reason["Code"] == CONDITION_FAILED:
            causes.overtaken.add(before.station_id)
        elif reason["Code"] != NO_REASON:
            causes.conflicting.add(before.station_id)
    held_up = causes.overtaken | causes.conflicting
    for entry in transaction.entries:
        of_entry, reasons = reasons[: len(entry.actions)], reasons[len(entry.actions) :]
        codes = {reason["Code"] for reason in of_entry}
        if codes == {NO_REASON} and entry.play.key.station_id not in held_up:
            causes.innocent.append(entry.airing)
        elif INVALID_VALUE in codes:
            message = next(reason["Message"] for reason in of_entry if reason["Code"] == INVALID_VALUE)
            causes.refused.append((entry, message))
        else:
            causes.changed.append((entry, of_entry))
    return causes


def has_play_changed(airing: Airing, reasons: Sequence[Reason]) -> bool:
    """Whether another run wrote the airing's play, or a play that it bridges, since they were read."""
    of_plays = [*reasons[:1], *reasons[1 + len(airing.matches) :]]
    return any(reason["Code"] == CONDITION_FAILED for reason in of_plays)


def matches_to_retry(airing: Airing, reasons: Sequence[Reason], known: Known) -> list[Match]:
    """The matches of a cancelled airing that still wait.

    Args:
        airing: that was cancelled.
        reasons: one for each of its actions.
        known: is updated by what the reasons say about the play.
    """
    of_play, *others = reasons
    if airing.matches and of_play["Code"] == CONDITION_FAILED:
        known.pop(airing.play_key, None)
        if "Item" in of_play:  # the play as it is now; without it, the play is gone
            known[airing.play_key] = actions.read_play(of_play["Item"])
    # Another run converted the other matches, or they failed: the index lags behind the table.
    return [
        match
        for match, reason in zip(airing.matches, others[: len(airing.matches)], strict=True)
        if reason["Code"] != CONDITION_FAILED
    ]

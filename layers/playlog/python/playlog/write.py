"""write: airings into PlayLog, each with the new state of its matches in the same transaction.

What AWS's answers mean for the law:

* accepted: the plays are there and their matches played, all at once.
* no answer: the same request goes again with the same token, and takes effect once. Past the token's ten minutes the
  conditions refuse what was done before.
* cancelled: nothing was written. Its reasons, one for each action, tell which airings are the cause. The others go
  again at once in one request; the cause goes again when it was mended: a play that is there already is joined, a
  match that no longer waits is left out, a conflict or a throttle is waited for.
* refused: DynamoDB does not take some value. Whose it is shows when each match is sent alone.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from playlog import wire
from playlog.airing import Airing
from playlog.failure import Failure, ReasonCode
from playlog.match import Match
from playlog.pack import Entry, excess, pack, split
from playlog.retry import RequestError, Retry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CONDITION_FAILED = "ConditionalCheckFailed"
_REFUSED = "ValidationError"


@dataclass(slots=True)
class Written:
    """What became of the airings of a page.

    Attributes:
        matches: how many matches were moved to played.
        plays: how many plays were created.
        failures: matches that DynamoDB refuses.
        left: how many matches still wait, for want of time or because AWS could not decide.
        obstacle: why, in a sentence; None if none was left.
    """

    matches: int = 0
    plays: int = 0
    failures: list[Failure] = field(default_factory=list)
    left: int = 0
    obstacle: str | None = None

    def take_failures(self) -> list[Failure]:
        """Hands the failures over, once."""
        failures, self.failures = self.failures, []
        return failures


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A match whose write DynamoDB refuses when it is sent alone."""

    match: Match
    message: str
    excess: str | None


class _RefusedError(Exception):
    """DynamoDB refused a whole request for some value in it, and does not say which."""


class Writer:
    """Writes the airings of a run; shared by its shards.

    Args:
        dynamodb: client.
        tables: where to.
        flag_below: mean confidence (0 to 100) below which a play is flagged; 0 flags none.
        retry: the run's patience.
    """

    def __init__(self, dynamodb: "DynamoDBClient", tables: wire.Tables, flag_below: Decimal, retry: Retry) -> None:
        self._dynamodb = dynamodb
        self._tables = tables
        self._flag_below = flag_below
        self._retry = retry
        self._target = f"tables {tables.play_log} and {tables.match_cache}"
        self._took_a_write = threading.Event()

    def write(self, airings: Iterable[Airing], written: Written) -> None:
        """Writes airings, each wholly or not at all.

        Args:
            airings: of one page.
            written: is kept true with every answer, so that it holds what was done even where this raises.

        Raises:
            UnavailableError: DynamoDB did not answer within the run's time.
            RequestError: DynamoDB cannot do this at all: access denied, no such table.
        """
        refusals: list[_Refusal] = []
        self._write(airings, written, refusals)
        for refusal in refusals:
            self._record(refusal, written)

    def _write(self, airings: Iterable[Airing], written: Written, refusals: list[_Refusal]) -> None:
        waiting = list(split(airings))
        for _ in self._retry.rounds():
            entries = [entry for airing in waiting if (entry := self._entry(airing, written))]
            waiting = [again for transaction in pack(entries) for again in self._settle(transaction, written, refusals)]
            if not waiting:
                return
        written.left += sum(len(airing.matches) for airing in waiting)
        written.obstacle = f"{self._target}: throttling or other writes were in the way to the end"

    def _entry(self, airing: Airing, written: Written) -> Entry | None:
        try:
            play = airing.play_with_matches(self._flag_below)
            return Entry(airing, play, wire.actions(airing, play, self._tables, datetime.now(UTC)))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with these matches, the others go on
            reason = f"turning it into a play raised {type(error).__name__}: {error}"
            written.failures += [Failure(match.item, ReasonCode.UNEXPECTED, reason) for match in airing.matches]
            return None

    def _settle(self, entries: list[Entry], written: Written, refusals: list[_Refusal]) -> list[Airing]:
        """Sends a transaction, and what was not at fault again at once, until nothing of it is undecided.

        Returns:
            The airings that have to go again, mended.
        """
        again: list[Airing] = []
        while entries:
            try:
                reasons = self._send(entries)
            except _RefusedError as refusal:
                self._narrow_down(entries, str(refusal), written, refusals)
                return again
            if not reasons:
                written.matches += sum(len(entry.airing.matches) for entry in entries)
                written.plays += sum(entry.airing.play is None for entry in entries)
                return again
            innocent: list[Entry] = []
            for entry in entries:
                its_reasons, reasons = reasons[: len(entry.actions)], reasons[len(entry.actions) :]
                codes = {reason["Code"] for reason in its_reasons}
                if codes == {"None"}:
                    innocent.append(entry)
                elif _REFUSED in codes:
                    message = next(reason["Message"] for reason in its_reasons if reason["Code"] == _REFUSED)
                    self._narrow_down([entry], message, written, refusals, alone=len(entries) == 1)
                else:
                    again += self._mended(entry.airing, its_reasons, written)
            if len(innocent) == len(entries):  # cancelled for no reason at all: not to be asked without a pause
                return [entry.airing for entry in entries]
            entries = innocent
        return again

    def _send(self, entries: list[Entry]) -> list[dict[str, Any]]:
        """Sends one transaction.

        Returns:
            Nothing if it was accepted, else the reason for each action why it was cancelled.
        """
        try:
            self._retry.call(
                self._dynamodb.transact_write_items,
                self._target,
                TransactItems=[action for entry in entries for action in entry.actions],
                ClientRequestToken=str(uuid4()),
            )
        except RequestError as error:
            match error.code:
                case "TransactionCanceledException":
                    reasons: list[dict[str, Any]] = error.answer["CancellationReasons"]
                    return reasons
                case "ValidationException":
                    raise _RefusedError(error.answer["Error"]["Message"]) from error
                case _:
                    raise
        self._took_a_write.set()
        return []

    def _narrow_down(
        self,
        entries: list[Entry],
        message: str,
        written: Written,
        refusals: list[_Refusal],
        *,
        alone: bool = True,
    ) -> None:
        """Finds the matches that DynamoDB refuses, and writes the others.

        Args:
            entries: some value in them is refused.
            message: what DynamoDB says.
            alone: whether they were all that was sent.
        """
        if len(entries) > 1:
            middle = len(entries) // 2
            for half in entries[:middle], entries[middle:]:
                self._write([entry.airing for entry in half], written, refusals)
            return
        (entry,) = entries
        if alone and len(entry.airing.matches) == 1:
            refusals.append(_Refusal(entry.airing.first, message, excess(entry)))
            return
        for match in entry.airing.matches:
            self._write([replace(entry.airing, matches=(match,))], written, refusals)

    def _record(self, refusal: _Refusal, written: Written) -> None:
        # Where our own count of the limits does not explain it, the tables may be at fault and not the match: it is
        # only held against the match if others are taken.
        if refusal.excess or self._took_a_write.is_set():
            what = refusal.excess or f"match_id is {refusal.match.match_id!r}, and its play cannot be written"
            reason = f"{what}; DynamoDB refuses it: {refusal.message}"
            written.failures.append(Failure(refusal.match.item, ReasonCode.REJECTED, reason))
        else:
            written.left += 1
            written.obstacle = f"{self._target}: DynamoDB took nothing, and says: {refusal.message}"

    def _mended(self, airing: Airing, reasons: list[dict[str, Any]], written: Written) -> list[Airing]:
        """The airing as it has to go again, by the reasons why its actions were cancelled; nothing if it is done."""
        about_play, *about_matches = reasons
        # A match that no longer waits was converted by another run, or has failed: the index lagged behind.
        matches = tuple(
            match
            for match, reason in zip(airing.matches, about_matches, strict=True)
            if reason["Code"] != _CONDITION_FAILED
        )
        if not matches:
            return []
        if about_play["Code"] == _CONDITION_FAILED:
            # The play as it is now came along; without one it is gone, and these matches create it.
            try:
                play = wire.read_play(about_play["Item"]) if "Item" in about_play else None
            except (KeyError, ValueError, ArithmeticError) as error:
                reason = f"the play it belongs to cannot be read: {type(error).__name__}: {error}"
                written.failures += [Failure(match.item, ReasonCode.UNEXPECTED, reason) for match in matches]
                return []
            return [Airing(matches, play)]
        return [replace(airing, matches=matches)]

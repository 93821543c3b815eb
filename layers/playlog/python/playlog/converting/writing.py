"""write: airings into PlayLog, each with the new state of its matches in the same transaction.

What AWS's answers mean for the law:

* accepted: the plays are there and their matches played, all at once.
* no answer: the same request goes again with the same token, and takes effect once. Past the token's ten minutes the
  conditions refuse what was done before.
* cancelled: nothing was written. Its reasons, one for each action, tell which airings are the cause. The others go
  again at once in one request. The matches of the cause are grouped again with what was learnt: a play that is there
  already is joined, a match that no longer waits is left out, a conflict or a throttle is waited for.
* refused: DynamoDB does not take some value. Whose it is shows when each match is sent alone.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from playlog.converting import actions
from playlog.converting.guard import Guard
from playlog.converting.look_up import LookUp
from playlog.converting.packing import excess, has_room, pack, split
from playlog.domain.airing import Airing
from playlog.domain.failure import Failure
from playlog.domain.grouping import group
from playlog.domain.match import Match
from playlog.domain.play import Play, PlayKey
from playlog.dynamodb.client import Client
from playlog.runtime.retry import RequestError, Retry
from playlog.schema import ReasonCode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# As ``actions.texts``: the actions that write an airing, the play's first, then one for each match in order.
Texts: TypeAlias = Callable[[Airing, Play, actions.Tables, datetime], list[str]]

_CONDITION_FAILED = "ConditionalCheckFailed"
_REFUSED = "ValidationError"

# What is known of PlayLog while a page is written.
Known: TypeAlias = dict[PlayKey, Play]
Reason: TypeAlias = dict[str, Any]


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


@dataclass(frozen=True, slots=True)
class _Entry:
    """An airing in a transaction.

    Attributes:
        airing: what is written.
        play: the play as it will be.
        actions: in JSON: the play's first, then one for each match in order, then the flags.
    """

    airing: Airing
    play: Play
    actions: list[str]


class _RefusedError(Exception):
    """DynamoDB refused a whole request for some value in it, and does not say which."""


class Writer:
    """Writes the matches of a pass.

    Args:
        dynamodb: client.
        tables: where to.
        gap: silence up to which two matches are one airing; zero: only the same instant is.
        flag_below: mean confidence (0 to 100) below which a play is flagged; 0 flags none.
        retry: the run's patience.
        took_a_write: is set once DynamoDB took a write in this run.
        texts: in JSON, what an airing's transaction does; its matches' conditions refuse what was done before.
    """

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        tables: actions.Tables,
        gap: timedelta,
        flag_below: Decimal,
        retry: Retry,
        took_a_write: threading.Event,
        texts: Texts = actions.texts,
    ) -> None:
        self._dynamodb = Client(dynamodb)
        self._tables = tables
        self._gap = gap
        self._flag_below = flag_below
        self._retry = retry
        self._look_up = LookUp(self._dynamodb, tables, gap, retry) if gap else None
        self._target = f"tables {tables.play_log} and {tables.match_cache}"
        self._took_a_write = took_a_write
        self._texts = texts
        self._held: list[Match] = []

    def write(self, matches: Iterable[Match], written: Written) -> None:
        """Writes the matches of a page as plays, each airing's wholly or not at all.

        Those that would not fill a transaction are held for the next page: see ``finish``.

        Args:
            matches: of one page.
            written: is kept true with every answer, so that it holds what was done even where this raises.

        Raises:
            UnavailableError: DynamoDB did not answer within the run's time.
            RequestError: DynamoDB cannot do this at all: access denied, no such table.
        """
        held_before = {match.match_id: match for match in self._held}
        # By id: the index may show a match twice.
        waiting = list({**held_before, **{match.match_id: match for match in matches}}.values())
        self._held = []
        self._write_and_record(waiting, written, held_before.keys())

    def finish(self, written: Written) -> None:
        """Writes what is held. Raises what ``write`` raises."""
        held, self._held = self._held, []
        self._write_and_record(held, written, None)

    def _write_and_record(self, matches: Sequence[Match], written: Written, held_before: Container[str] | None) -> None:
        refusals: list[_Refusal] = []
        self._write(matches, written, refusals, held_before)
        # Once all is sent: whether a refusal counts depends on whether others were taken.
        for refusal in refusals:
            self._record(refusal, written)

    def _write(
        self,
        matches: Sequence[Match],
        written: Written,
        refusals: list[_Refusal],
        held_before: Container[str] | None = None,
    ) -> None:
        """Writes matches.

        Args:
            matches: all different.
            written: as above.
            refusals: takes matches that DynamoDB refuses.
            held_before: ids of those that were held once and must not be again, so that small pages make headway;
                None where none is to be held.
        """
        if not matches:
            return  # in time, even where none is left
        waiting = matches
        known: Known = {}
        guarded = self._look_up is not None
        obstacle = "no time is left"
        for _ in self._retry.rounds():
            obstacle = "throttling or other writes were in the way to the end"
            if self._look_up:
                known = self._look_up.plays(waiting)
            parts = split(group(waiting, known.values(), self._gap), guarded=guarded)
            transactions = list(pack(parts, guarded=guarded))
            if transactions and held_before is not None and has_room(transactions[-1], guarded=guarded):
                last = [match for airing in transactions[-1] for match in airing.matches]
                if not any(match.match_id in held_before for match in last):
                    self._held += last
                    transactions.pop()
            undone: set[str] = set()
            waiting = [
                again for airings in transactions for again in self._settle(airings, known, undone, written, refusals)
            ]
            if not waiting:
                return
        written.left += len(waiting)
        written.obstacle = f"{self._target}: {obstacle}"

    def _settle(
        self,
        airings: Sequence[Airing],
        known: Known,
        undone: set[str],
        written: Written,
        refusals: list[_Refusal],
    ) -> list[Match]:
        """Sends a transaction, and what was not at fault again at once, until nothing of it is undecided.

        Args:
            airings: of the transaction.
            known: what is known of PlayLog.
            undone: stations of which something was to be written in this round and was not, where airings have a gap:
                the rest of an airing would be a play of its own, or hide that plays were bridged, and what is known of
                the station may be old. So nothing more of it is sent in this round.
            written: as above.
            refusals: as above.

        Returns:
            The matches that have to go again.
        """
        again: list[Match] = []
        while True:
            if undone:
                again += [
                    match for airing in airings if airing.play_key.station_id in undone for match in airing.matches
                ]
                airings = [airing for airing in airings if airing.play_key.station_id not in undone]
            entries = self._entries(airings, known, written)
            if not entries:
                return again
            stations = {entry.play.key.station_id for entry in entries} if self._look_up else set()
            guards = self._guards(entries)
            try:
                reasons = self._send(entries, guards)
            except _RefusedError as refusal:
                undone |= stations
                self._narrow_down(entries, str(refusal), written, refusals)
                return again
            if not reasons:
                self._accept(entries, guards, known, written)
                return again
            overtaken = self._overtaken(guards, reasons[len(reasons) - len(guards) :])
            airings = []
            for entry in entries:
                its_reasons, reasons = reasons[: len(entry.actions)], reasons[len(entry.actions) :]
                codes = {reason["Code"] for reason in its_reasons}
                station_id = entry.play.key.station_id
                if codes == {"None"} and station_id not in overtaken:
                    airings.append(entry.airing)
                    continue
                undone |= {station_id} & stations
                if _REFUSED in codes:
                    message = next(reason["Message"] for reason in its_reasons if reason["Code"] == _REFUSED)
                    self._narrow_down([entry], message, written, refusals, alone=len(entries) == 1)
                else:
                    about_plays = its_reasons[:1] + its_reasons[1 + len(entry.airing.matches) :]
                    if self._look_up and any(reason["Code"] == _CONDITION_FAILED for reason in about_plays):
                        self._look_up.forget(station_id)
                    again += _still_waiting(entry.airing, its_reasons, known)
            if len(airings) == len(entries):  # cancelled for no reason at all: not to be asked without a pause
                undone |= stations
                return [*again, *(match for entry in entries for match in entry.airing.matches)]

    def _entries(self, airings: Iterable[Airing], known: Known, written: Written) -> list[_Entry]:
        """The airings of a transaction with their actions, by what is known now: it may have changed since."""
        now = datetime.now(UTC)
        return [entry for airing in airings if (entry := self._entry(airing, known, now, written))]

    def _entry(self, airing: Airing, known: Known, now: datetime, written: Written) -> _Entry | None:
        play_now = known.get(airing.play_key)
        if play_now and play_now.defect:
            self._fail(airing, play_now.defect, written)
            return None
        if play_now is not airing.play:
            airing = replace(airing, play=play_now)
        try:
            play = airing.play_with_matches(self._flag_below)
            return _Entry(airing, play, self._texts(airing, play, self._tables, now))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with these matches, the others go on
            self._fail(airing, f"turning it into a play raised {type(error).__name__}: {error}", written)
            return None

    @staticmethod
    def _fail(airing: Airing, reason: str, written: Written) -> None:
        written.failures += [Failure(match.item, ReasonCode.UNEXPECTED, reason) for match in airing.matches]

    def _guards(self, entries: Iterable[_Entry]) -> list[tuple[Guard, Guard]]:
        """For each station in a transaction its guard before it and after it."""
        if not self._look_up:
            return []
        plays: dict[str, list[Play]] = {}
        for entry in entries:
            plays.setdefault(entry.play.key.station_id, []).append(entry.play)
        befores = (self._look_up.guard(station_id) for station_id in plays)
        return [(before, before.raised(plays[before.station_id])) for before in befores]

    def _accept(self, entries: list[_Entry], guards: list[tuple[Guard, Guard]], known: Known, written: Written) -> None:
        changed: defaultdict[str, list[Play]] = defaultdict(list)
        for entry in entries:
            written.matches += len(entry.airing.matches)
            written.plays += entry.airing.play is None
            for play in entry.airing.bridged:
                known[play.key] = replace(known.get(play.key, play), flagged=True, bridged=True)
            known[entry.play.key] = entry.play
            keys = [entry.play.key, *(play.key for play in entry.airing.bridged)]
            changed[entry.play.key.station_id] += [known[key] for key in keys]
        for _, after in guards:
            if self._look_up:
                self._look_up.has_raised(after, changed[after.station_id])

    def _overtaken(self, guards: list[tuple[Guard, Guard]], reasons: list[Reason]) -> set[str]:
        """Stations whose guard did not let the transaction through."""
        found = {before: reason["Code"] for (before, _), reason in zip(guards, reasons, strict=True)}
        for guard, code in found.items():
            if code == _CONDITION_FAILED and self._look_up:
                self._look_up.forget(guard.station_id)
        return {guard.station_id for guard, code in found.items() if code != "None"}

    def _send(self, entries: list[_Entry], guards: list[tuple[Guard, Guard]]) -> list[Reason]:
        """Sends one transaction.

        Returns:
            Nothing if it was accepted, else the reason for each action why it was cancelled.
        """
        try:
            self._retry.call(
                self._dynamodb.transact_write_items,
                self._target,
                actions=[
                    *(action for entry in entries for action in entry.actions),
                    *(json.dumps(actions.raise_guard(before, after, self._tables)) for before, after in guards),
                ],
                token=str(uuid4()),
            )
        except RequestError as error:
            match error.code:
                case "TransactionCanceledException":
                    reasons: list[Reason] = error.answer["CancellationReasons"]
                    return reasons
                case "ValidationException":
                    raise _RefusedError(error.answer["Error"]["Message"]) from error
                case _:
                    raise
        self._took_a_write.set()
        return []

    def _narrow_down(
        self,
        entries: list[_Entry],
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
                self._write([match for entry in half for match in entry.airing.matches], written, refusals)
            return
        (entry,) = entries
        if alone and len(entry.airing.matches) == 1:
            refusals.append(_Refusal(entry.airing.matches[0], message, excess(entry.airing)))
            return
        for match in entry.airing.matches:
            self._write([match], written, refusals)

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


def _still_waiting(airing: Airing, reasons: list[Reason], known: Known) -> list[Match]:
    """The matches of a cancelled airing that go again, and takes note of what the reasons tell of its play."""
    about_play, *about_others = reasons
    if airing.matches and about_play["Code"] == _CONDITION_FAILED:
        known.pop(airing.play_key, None)
        if "Item" in about_play:  # the play as it is now came along; without one it is gone
            known[airing.play_key] = actions.read_play(about_play["Item"])
    # A match that no longer waits was converted by another run, or has failed: the index lagged behind.
    about_matches = about_others[: len(airing.matches)]
    return [
        match
        for match, reason in zip(airing.matches, about_matches, strict=True)
        if reason["Code"] != _CONDITION_FAILED
    ]

"""Write: airings into PlayLog, each with the new state of its matches in the same transaction.

A request without an answer is sent again with the same token, and takes effect once. After the token's ten minutes, the
conditions reject what was done before. ``answers`` says what each answer means; this module acts on it:

* accepted: remember the plays.
* cancelled: send the airings that were not the cause again at once, in one request. Group the matches of the others
  again with what the answer said: a play that exists is joined, a match that no longer waits is left out, and after a
  conflict or a throttle the writer backs off.
* refused: send the airings in halves, and then the matches one by one, to find the match that is at fault.
"""

import threading
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from playlog.converting import actions
from playlog.converting.answers import Accepted, Causes, Refused, find_causes, has_play_changed, matches_to_retry
from playlog.converting.look_up import LookUp
from playlog.converting.planning import EncodeAiring, Entry, Known, Planner, Transaction
from playlog.converting.refusals import Refusal, isolate
from playlog.converting.sending import Sender
from playlog.domain.airing import Airing
from playlog.domain.duplicates import DuplicateRule
from playlog.domain.failure import Failure
from playlog.domain.match import Match
from playlog.domain.play import Play
from playlog.dynamodb.client import Client
from playlog.runtime.retry import Retry


@dataclass(slots=True)
class Written:
    """What became of the matches of a page.

    Attributes:
        matches: number of matches moved to played.
        plays: number of plays created.
        failures: failures of matches that DynamoDB rejects.
        left: number of matches that still wait, because time ran out or AWS could not decide.
        obstacle: why, in a sentence; None if none is left.
    """

    matches: int = 0
    plays: int = 0
    failures: list[Failure] = field(default_factory=list)
    left: int = 0
    obstacle: str | None = None

    def take_failures(self) -> list[Failure]:
        """Returns the failures, and forgets them."""
        failures, self.failures = self.failures, []
        return failures


class Writer:
    """Writes the matches of a shard.

    Args:
        dynamodb: client.
        tables: where to write.
        rule: which matches are one play.
        flag_below: mean confidence (0 to 100) below which a play is flagged; 0 flags none.
        retry: the run's retry budget.
        has_written: is set once DynamoDB accepted a write in this run.
        encode_airing: the actions of an airing's transaction. Their conditions must reject what was done before.
    """

    def __init__(
        self,
        dynamodb: Client,
        tables: actions.Tables,
        rule: DuplicateRule,
        flag_below: Decimal,
        retry: Retry,
        has_written: threading.Event,
        encode_airing: EncodeAiring = actions.encode_airing,
    ) -> None:
        self._retry = retry
        self._look_up = LookUp(dynamodb, tables, rule.gap, retry) if rule.looks_up_plays else None
        self._planner = Planner(tables, rule, flag_below, self._look_up, encode_airing)
        self._sender = Sender(dynamodb, tables, retry, has_written)
        self._deferred: list[Match] = []

    def write(self, matches: Iterable[Match], written: Written) -> None:
        """Writes the matches of a page as plays. All matches of an airing are written, or none.

        Matches that would not fill a transaction are deferred to the next page: see ``finish``.

        Args:
            matches: of one page.
            written: is updated with every answer, so that it is right even if this raises.

        Raises:
            UnavailableError: DynamoDB did not answer within the retry budget.
            RequestError: DynamoDB denies access, or a table does not exist.
        """
        deferred = {match.match_id: match for match in self._deferred}
        # By id: the index may show a match twice.
        waiting = {**deferred, **{match.match_id: match for match in matches}}
        self._deferred = []
        self._write_and_record(list(waiting.values()), written, deferred.keys())

    def finish(self, written: Written) -> None:
        """Writes the deferred matches. Raises what ``write`` raises."""
        deferred, self._deferred = self._deferred, []
        self._write_and_record(deferred, written, None)

    def _write_and_record(
        self, matches: Sequence[Match], written: Written, deferred_before: Container[str] | None
    ) -> None:
        refusals: list[Refusal] = []
        self._write(matches, written, refusals, deferred_before)
        # At the end: whether a refusal counts depends on whether other writes were accepted.
        for refusal in refusals:
            self._record(refusal, written)

    def _write(
        self,
        matches: Sequence[Match],
        written: Written,
        refusals: list[Refusal],
        deferred_before: Container[str] | None = None,
    ) -> None:
        """Plans and sends until every match is decided or the retry budget is exhausted.

        Args:
            matches: all different.
            written: is updated.
            refusals: collects the matches that DynamoDB rejects.
            deferred_before: ids that were deferred once already; None if no match may be deferred.
        """
        if not matches:
            return  # nothing to write, so an expired deadline does not matter
        waiting = matches
        known: Known = {}
        obstacle = "no time is left"
        for _ in self._retry.rounds():
            obstacle = "throttling or other writes were in the way to the end"
            if self._look_up:
                known = self._look_up.plays(waiting)
            transactions = self._planner.group(waiting, known)
            if deferred_before is not None:
                self._deferred += self._planner.defer_last(transactions, deferred_before)
            undecided: set[str] = set()
            waiting = [
                match
                for airings in transactions
                for match in self._settle(airings, known, undecided, written, refusals)
            ]
            if not waiting:
                return
        written.left += len(waiting)
        written.obstacle = f"{self._sender.target}: {obstacle}"

    def _settle(
        self, airings: Sequence[Airing], known: Known, undecided: set[str], written: Written, refusals: list[Refusal]
    ) -> list[Match]:
        """Sends a transaction, and its innocent airings again at once, until nothing of it can be sent any more.

        Args:
            airings: of the transaction.
            known: plays in PlayLog; is updated.
            undecided: with a look-up, the stations of which a write of this round did not take effect. No more is sent
                for them in this round: the rest of an airing would become a play of its own. Is updated.
            written: is updated.
            refusals: is updated.

        Returns:
            The matches that must be planned anew.
        """
        again: list[Match] = []
        while True:
            again += [match for each in airings if each.play_key.station_id in undecided for match in each.matches]
            airings = [each for each in airings if each.play_key.station_id not in undecided]
            transaction, failures = self._planner.prepare(airings, known)
            written.failures += failures
            if transaction is None:
                return again
            answer = self._sender.send(transaction)
            if isinstance(answer, Accepted):
                self._accept(transaction, known, written)
                return again
            stations = transaction.stations if self._look_up else set()
            if isinstance(answer, Refused):
                undecided |= stations
                self._narrow_down(transaction.entries, answer.message, written, refusals)
                return again
            causes = find_causes(transaction, answer.reasons)
            undecided |= stations & causes.stations
            is_alone = len(transaction.entries) == 1
            again += self._act_on(causes, known, written, refusals, is_alone=is_alone)
            airings = causes.innocent
            if len(airings) == len(transaction.entries):  # cancelled without a reason: back off before retrying
                undecided |= stations
                return [*again, *(match for airing in airings for match in airing.matches)]

    def _act_on(
        self, causes: Causes, known: Known, written: Written, refusals: list[Refusal], *, is_alone: bool
    ) -> list[Match]:
        """Handles the airings that caused a cancellation. Returns the matches that must be planned anew."""
        again: list[Match] = []
        self._forget(causes.overtaken)
        for entry, message in causes.refused:
            self._narrow_down([entry], message, written, refusals, is_alone=is_alone)
        for entry, reasons in causes.changed:
            if has_play_changed(entry.airing, reasons):
                self._forget([entry.play.key.station_id])
            again += matches_to_retry(entry.airing, reasons, known)
        return again

    def _accept(self, transaction: Transaction, known: Known, written: Written) -> None:
        """Counts what was written, and remembers the plays."""
        changed: defaultdict[str, list[Play]] = defaultdict(list)
        for entry in transaction.entries:
            written.matches += len(entry.airing.matches)
            written.plays += entry.airing.play is None
            for play in entry.airing.bridged:
                known[play.key] = replace(known.get(play.key, play), flagged=True, bridged=True)
            known[entry.play.key] = entry.play
            keys = [entry.play.key, *(play.key for play in entry.airing.bridged)]
            changed[entry.play.key.station_id] += [known[key] for key in keys]
        for _, after in transaction.guards:
            if self._look_up:
                self._look_up.remember(after, changed[after.station_id])

    def _forget(self, stations: Iterable[str]) -> None:
        for station_id in stations:
            if self._look_up:
                self._look_up.forget(station_id)

    def _narrow_down(
        self,
        entries: Sequence[Entry],
        message: str,
        written: Written,
        refusals: list[Refusal],
        *,
        is_alone: bool = True,
    ) -> None:
        """Finds the matches that DynamoDB rejects, and writes the others."""
        found = isolate(entries, message, alone=is_alone)
        if isinstance(found, Refusal):
            refusals.append(found)
            return
        for matches in found:
            self._write(matches, written, refusals)

    def _record(self, refusal: Refusal, written: Written) -> None:
        # If no value exceeds a limit, the table may be at fault. Accepted writes show that the match is.
        if refusal.excess or self._sender.has_written.is_set():
            written.failures.append(refusal.failure)
        else:
            written.left += 1
            written.obstacle = f"{self._sender.target}: DynamoDB took nothing, and says: {refusal.message}"

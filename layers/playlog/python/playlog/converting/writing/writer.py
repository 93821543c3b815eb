"""Write: airings into PlayLog, each with the new state of its matches in the same transaction.

A request without an answer is sent again with the same token, and takes effect once. After the token's ten minutes, the
conditions reject what was done before. ``answers`` says what each answer means, and ``settling`` acts on it:

* accepted: remember the plays.
* cancelled: send the airings that were not the cause again at once, in one request. Group the matches of the others
  again with what the answer said: a play that exists is joined, a match that no longer waits is left out, and after a
  conflict or a throttle the writer backs off.
* refused: send the airings in halves, and then the matches one by one, to find the match that is at fault.
"""

import threading
from collections.abc import Container, Iterable, Sequence
from decimal import Decimal

from playlog.converting.writing import actions
from playlog.converting.writing.look_up import LookUp
from playlog.converting.writing.planning import EncodeAiring, Entry, Known, Planner
from playlog.converting.writing.refusals import Refusal, isolate
from playlog.converting.writing.sending import Sender
from playlog.converting.writing.settling import Settler
from playlog.converting.writing.written import Written
from playlog.domain.duplicates import DuplicateRule
from playlog.domain.match import Match
from playlog.dynamodb.client import Client
from playlog.runtime.retry import Retry


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
        self._settler = Settler(self._planner, self._sender, self._look_up)
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

        def narrow_down(entries: Sequence[Entry], message: str, is_alone: bool) -> None:
            found = isolate(entries, message, alone=is_alone)
            if isinstance(found, Refusal):
                refusals.append(found)
                return
            for some in found:
                self._write(some, written, refusals)

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
                for match in self._settler.settle(airings, known, undecided, written, narrow_down)
            ]
            if not waiting:
                return
        written.left += len(waiting)
        written.obstacle = f"{self._sender.target}: {obstacle}"

    def _record(self, refusal: Refusal, written: Written) -> None:
        # If no value exceeds a limit, the table may be at fault. Accepted writes show that the match is.
        if refusal.excess or self._sender.has_written.is_set():
            written.failures.append(refusal.failure)
        else:
            written.left += 1
            written.obstacle = f"{self._sender.target}: DynamoDB took nothing, and says: {refusal.message}"

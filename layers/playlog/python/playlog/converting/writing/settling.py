"""Settle: send a transaction until each of its airings is decided or must be planned anew."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from playlog.converting.writing.answers import (
    Accepted,
    Causes,
    Refused,
    find_causes,
    has_play_changed,
    matches_to_retry,
)
from playlog.converting.writing.look_up import LookUp
from playlog.converting.writing.planning import Entry, Known, Planner, Transaction
from playlog.converting.writing.sending import Sender
from playlog.converting.writing.written import Written
from playlog.domain.airing import Airing
from playlog.domain.match import Match
from playlog.domain.play import Play

# Receives entries of which DynamoDB rejects a value, what it says, and whether the request held nothing else.
NarrowDown: TypeAlias = Callable[[Sequence[Entry], str, bool], None]


class Settler:
    """Settles the transactions of a shard.

    Args:
        planner: prepares transactions.
        sender: sends them.
        look_up: the plays that are written already; None if the rule of duplicates needs no look-up.
    """

    def __init__(self, planner: Planner, sender: Sender, look_up: LookUp | None) -> None:
        self._planner = planner
        self._sender = sender
        self._look_up = look_up

    def settle(
        self, airings: Sequence[Airing], known: Known, undecided: set[str], written: Written, narrow_down: NarrowDown
    ) -> list[Match]:
        """Sends a transaction, and its innocent airings again at once, until nothing of it can be sent any more.

        Args:
            airings: of the transaction.
            known: plays in PlayLog; is updated.
            undecided: with a look-up, the stations of which a write of this round did not take effect. No more is sent
                for them in this round: the rest of an airing would become a play of its own. Is updated.
            written: is updated.
            narrow_down: finds the match that DynamoDB rejects among some entries, and writes the others.

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
                narrow_down(transaction.entries, answer.message, True)
                return again
            causes = find_causes(transaction, answer.reasons)
            undecided |= stations & causes.stations
            is_alone = len(transaction.entries) == 1
            again += self._act_on(causes, known, narrow_down, is_alone=is_alone)
            airings = causes.innocent
            if len(airings) == len(transaction.entries):  # cancelled without a reason: back off before retrying
                undecided |= stations
                return [*again, *(match for airing in airings for match in airing.matches)]

    def _act_on(self, causes: Causes, known: Known, narrow_down: NarrowDown, *, is_alone: bool) -> list[Match]:
        """Handles the airings that caused a cancellation. Returns the matches that must be planned anew."""
        again: list[Match] = []
        self._forget(causes.overtaken)
        for entry, message in causes.refused:
            narrow_down([entry], message, is_alone)
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

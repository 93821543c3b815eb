"""Plan: which airings go into which transaction, and what each transaction does."""

import json
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from playlog.converting.writing import actions
from playlog.converting.writing.guard import Guard
from playlog.converting.writing.look_up import LookUp
from playlog.converting.writing.packing import has_room, pack, split
from playlog.domain.airing import Airing
from playlog.domain.duplicates import DuplicateRule
from playlog.domain.failure import Failure
from playlog.domain.match import Match
from playlog.domain.play import Play, PlayKey
from playlog.schema import ReasonCode

# The plays that are known to be in PlayLog while a page is written.
Known: TypeAlias = dict[PlayKey, Play]
# Like ``actions.encode_airing``: the actions that write an airing, the play's first, then one for each match in order.
EncodeAiring: TypeAlias = Callable[[Airing, Play, actions.Tables, datetime], list[str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """An airing in a transaction.

    Attributes:
        airing: what is written.
        play: the play after the write.
        actions: in JSON: the play's first, then one for each match in order, then the flags.
    """

    airing: Airing
    play: Play
    actions: list[str]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One TransactWriteItems request.

    Attributes:
        entries: at least one.
        guards: for each station in it, the guard before and after the transaction. Empty if no guards are used.
    """

    entries: list[Entry]
    guards: list[tuple[Guard, Guard]]

    @property
    def stations(self) -> set[str]:
        """The stations whose plays it writes."""
        return {entry.play.key.station_id for entry in self.entries}

    def actions(self, tables: actions.Tables) -> list[str]:
        """All its actions, in JSON."""
        return [
            *(action for entry in self.entries for action in entry.actions),
            *(json.dumps(actions.raise_guard(before, after, tables)) for before, after in self.guards),
        ]


class Planner:
    """Plans the transactions of a shard.

    Args:
        tables: where to write.
        rule: which matches are one play.
        flag_below: mean confidence (0 to 100) below which a play is flagged; 0 flags none.
        look_up: the plays that are written already; None if the rule needs no look-up.
        encode_airing: the actions that write an airing.
    """

    def __init__(
        self,
        tables: actions.Tables,
        rule: DuplicateRule,
        flag_below: Decimal,
        look_up: LookUp | None,
        encode_airing: EncodeAiring,
    ) -> None:
        self._tables = tables
        self._rule = rule
        self._flag_below = flag_below
        self._look_up = look_up
        self._encode_airing = encode_airing

    def group(self, matches: Iterable[Match], known: Known) -> list[list[Airing]]:
        """Groups matches into airings, and packs these into transactions."""
        guarded = self._look_up is not None
        parts = split(self._rule.group(matches, known.values()), guarded=guarded)
        return list(pack(parts, guarded=guarded))

    def defer_last(self, transactions: list[list[Airing]], deferred_before: Container[str]) -> list[Match]:
        """Takes the last transaction out if more matches would fit in it, so that the next page fills it.

        Args:
            transactions: is changed.
            deferred_before: ids that were deferred once already. They must not be deferred again, so that small pages
                make progress.

        Returns:
            The matches that were taken out.
        """
        if not transactions or not has_room(transactions[-1], guarded=self._look_up is not None):
            return []
        matches = [match for airing in transactions[-1] for match in airing.matches]
        if any(match.match_id in deferred_before for match in matches):
            return []
        transactions.pop()
        return matches

    def prepare(self, airings: Iterable[Airing], known: Known) -> tuple[Transaction | None, list[Failure]]:
        """Builds a transaction from what is known now.

        Returns:
            The transaction, or None if nothing is left to write; and the failures of airings that cannot be written.
        """
        now = datetime.now(UTC)
        entries: list[Entry] = []
        failures: list[Failure] = []
        for airing in airings:
            entry = self._entry(airing, known.get(airing.play_key), now)
            if isinstance(entry, Entry):
                entries.append(entry)
            else:
                failures += entry
        return (Transaction(entries, self._guards(entries)) if entries else None), failures

    def _entry(self, airing: Airing, play_now: Play | None, now: datetime) -> Entry | list[Failure]:
        if play_now and play_now.defect:
            return _unexpected(airing, play_now.defect)
        if play_now is not airing.play:
            airing = replace(airing, play=play_now)
        try:
            play = airing.play_with_matches(self._flag_below).with_matches_that_expire(self._tables.expiry(now))
            return Entry(airing, play, self._encode_airing(airing, play, self._tables, now))
        except Exception as error:  # noqa: BLE001 - one airing must not stop the others
            return _unexpected(airing, f"turning it into a play raised {type(error).__name__}: {error}")

    def _guards(self, entries: Sequence[Entry]) -> list[tuple[Guard, Guard]]:
        if not self._look_up:
            return []
        plays: dict[str, list[Play]] = {}
        for entry in entries:
            plays.setdefault(entry.play.key.station_id, []).append(entry.play)
        befores = (self._look_up.guard(station_id) for station_id in plays)
        return [(before, before.raised(plays[before.station_id])) for before in befores]


def _unexpected(airing: Airing, reason: str) -> list[Failure]:
    return [Failure(match.item, ReasonCode.UNEXPECTED, reason) for match in airing.matches]

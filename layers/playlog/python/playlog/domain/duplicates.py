"""The rule of duplicates: which matches are one play? It is stated here and nowhere else.

There are two rules with one interface. The stack's ``AiringGapSeconds`` chooses one of them:

* ``ExactInstant``: the same station, track and instant are one play. The key of the play is made of these three, so the
  primary key of PlayLog finds duplicates across pages and runs. No look-up is needed.
* ``WithinGap``: a match also joins the airing before it, if the silence between both is at most the gap. The key cannot
  find such duplicates. So the plays that are already written must be looked up, and a guard must keep concurrent runs
  apart.

The converter, the loading of history, the audit and its repair all ask a rule; none of them compares matches by itself.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from playlog.domain.airing import Airing, key_of_new_play
from playlog.domain.match import Match
from playlog.domain.play import Play, PlayKey, track_of


class DuplicateRule(Protocol):
    """Decides which matches are one play."""

    @property
    def looks_up_plays(self) -> bool:
        """Whether ``group`` needs all plays that the matches may join, and a guard against concurrent runs.

        If False, the key of a new play is the only key under which its duplicates can be.
        """

    @property
    def gap(self) -> timedelta:
        """The longest silence between two matches of one play."""

    def group(self, matches: Iterable[Match], plays: Iterable[Play]) -> list[Airing]:
        """Groups matches into airings.

        Args:
            matches: valid matches that wait.
            plays: plays that are written already. If ``looks_up_plays``, all plays that the matches may join.

        Returns:
            The airings, one station after the other. They do not depend on the order of the matches.
        """

    def may_account_for(self, play: PlayKey, created: PlayKey) -> bool:
        """Whether a play may account for a match.

        Args:
            play: key of the play.
            created: key of the play that the match would create (``key_of_new_play``).
        """


def rule_for(gap: timedelta) -> DuplicateRule:
    """The rule of a stack.

    Args:
        gap: the stack's ``AiringGapSeconds``.
    """
    return WithinGap(gap) if gap else ExactInstant()


@dataclass(frozen=True, slots=True)
class ExactInstant:
    """The same station, track and instant are one play (docs/contract.md, The invariants)."""

    looks_up_plays: bool = field(default=False, init=False)
    gap: timedelta = field(default=timedelta(0), init=False)

    def group(self, matches: Iterable[Match], plays: Iterable[Play]) -> list[Airing]:
        """See ``DuplicateRule``. Matches are grouped by the key of their play, so key and group cannot differ."""
        heard: dict[PlayKey, list[Match]] = {}
        for match in matches:
            heard.setdefault(key_of_new_play(match), []).append(match)
        known = {play.key: play for play in plays}
        return [
            Airing(key, tuple(sorted(found, key=lambda match: match.match_id)), known.get(key))
            for key, found in heard.items()
        ]

    def may_account_for(self, play: PlayKey, created: PlayKey) -> bool:
        """See ``DuplicateRule``."""
        return play == created


@dataclass(frozen=True, slots=True)
class WithinGap:
    """Matches of a track on a station are one play while the silence between them is at most the gap.

    They are taken in the order of time. A match joins the airing before it if it begins at most the gap after the
    latest stop of that airing's matches. So the order in which matches arrive does not matter.
    """

    gap: timedelta
    looks_up_plays: bool = field(default=True, init=False)

    def group(self, matches: Iterable[Match], plays: Iterable[Play]) -> list[Airing]:
        """See ``DuplicateRule``."""
        heard: defaultdict[str, defaultdict[str, list[Match]]] = defaultdict(lambda: defaultdict(list))
        for match in matches:
            heard[match.station_id][match.track_id].append(match)
        known: defaultdict[tuple[str, str], list[Play]] = defaultdict(list)
        for play in plays:
            known[play.key.station_id, play.track_id].append(play)
        return [
            airing
            for station_id, of_station in heard.items()
            for track_id, of_track in of_station.items()
            for airing in _group_one_track(of_track, known[station_id, track_id], self.gap)
        ]

    def may_account_for(self, play: PlayKey, created: PlayKey) -> bool:
        """See ``DuplicateRule``. A play may begin earlier than its key says, so this compares no times."""
        return (play.station_id, track_of(play.play_id)) == (created.station_id, track_of(created.play_id))


@dataclass(slots=True)
class _OpenAiring:
    """An airing while its matches are being collected.

    Attributes:
        stop: the latest stop of its matches so far.
        play: its play, if that is written already.
        matches: its waiting matches.
        bridged: later plays that its matches reach.
    """

    stop: datetime
    play: Play | None = None
    matches: list[Match] = field(default_factory=list)
    bridged: list[Play] = field(default_factory=list)

    def add(self, match: Match) -> None:
        self.matches.append(match)
        self.stop = max(self.stop, match.matched_at + match.duration)

    def continue_in(self, play: Play) -> None:
        """Makes this the airing of a written play, which then begins earlier than was known."""
        self.play = play
        self.stop = max(self.stop, play.stop_time)

    def to_airing(self) -> Airing:
        if self.play is None:
            return Airing.creating(tuple(self.matches))
        return Airing.joining(self.play, tuple(self.matches), tuple(self.bridged))


def _group_one_track(matches: list[Match], plays: list[Play], gap: timedelta) -> list[Airing]:
    """Goes once through the matches and plays of one track on one station, in the order of time."""
    ended: list[_OpenAiring] = []
    open_airings: list[_OpenAiring] = []  # several only where written plays overlap
    for begins, each in _in_order_of_time(matches, plays):
        ended += [airing for airing in open_airings if begins - airing.stop > gap]
        open_airings = [airing for airing in open_airings if begins - airing.stop <= gap]
        if isinstance(each, Match):
            if not open_airings:
                open_airings.append(_OpenAiring(begins))
            open_airings[0].add(each)
        elif open_airings and open_airings[0].play is None:
            open_airings[0].continue_in(each)
        else:
            if open_airings and not _was_reached(each, open_airings, gap) and not each.bridged:
                open_airings[0].bridged.append(each)
            open_airings.append(_OpenAiring(each.stop_time, each))
    return [airing.to_airing() for airing in ended + open_airings if airing.matches]


def _in_order_of_time(matches: list[Match], plays: list[Play]) -> list[tuple[datetime, Match | Play]]:
    """Sorts by time. A play comes before matches of the same instant, so that they join it."""
    found: list[tuple[datetime, int, str, Match | Play]] = [
        *((play.start_time, 0, play.key.play_id, play) for play in plays),
        *((match.matched_at, 1, match.match_id, match) for match in matches),
    ]
    found.sort(key=lambda each: each[:3])
    return [(begins, each) for begins, _, _, each in found]


def _was_reached(play: Play, open_airings: list[_OpenAiring], gap: timedelta) -> bool:
    """Whether an earlier play reached this one without the new matches."""
    return any(earlier.play and play.start_time - earlier.play.stop_time <= gap for earlier in open_airings)

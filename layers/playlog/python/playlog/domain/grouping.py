"""group: which matches are one airing? The rule stands here and nowhere else.

With a gap (issue 4), a station's matches of a track are taken in the order of time, and one joins the airing before it
when it begins at most the gap after that airing's stop, which is the latest stop of its matches so far. So whether
matches are one airing does not depend on the order in which they arrive. Without a gap, an airing is one instant.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from playlog.domain.airing import Airing
from playlog.domain.match import Match
from playlog.domain.play import Play


def group(matches: Iterable[Match], plays: Iterable[Play], gap: timedelta) -> list[Airing]:
    """Groups matches into airings.

    Args:
        matches: valid matches that wait.
        plays: what is known of PlayLog. With a gap, all the plays that the matches may join.
        gap: silence up to which two matches of a track on a station are one airing; zero: only the same instant is.

    Returns:
        The airings, a station's one after the other. The same matches create the same plays whatever order the index
        gave them in.
    """
    return _joined(matches, plays, gap) if gap else _at_one_instant(matches, plays)


def _at_one_instant(matches: Iterable[Match], plays: Iterable[Play]) -> list[Airing]:
    """The same station, track and instant is one airing (CONTRACT, The law)."""
    heard: dict[tuple[str, str, datetime], list[Match]] = {}
    for match in matches:
        heard.setdefault((match.station_id, match.track_id, match.matched_at), []).append(match)
    known = {play.key: play for play in plays}
    created = (Airing.creating(tuple(sorted(found, key=lambda match: match.match_id))) for found in heard.values())
    return [
        Airing.joining(known[airing.play_key], airing.matches) if airing.play_key in known else airing
        for airing in created
    ]


def _joined(matches: Iterable[Match], plays: Iterable[Play], gap: timedelta) -> list[Airing]:
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
        for airing in _of_one_track(of_track, known[station_id, track_id], gap)
    ]


@dataclass(slots=True)
class _Growing:
    """An airing while the matches are gone through.

    Attributes:
        stop: latest stop of its matches so far.
        play: as it was read, if it is written.
        matches: that wait.
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
        """The matches turn out to be of a play that is written: it begins earlier than was known."""
        self.play = play
        self.stop = max(self.stop, play.stop_time)

    def grown(self) -> Airing:
        if self.play is None:
            return Airing.creating(tuple(self.matches))
        return Airing.joining(self.play, tuple(self.matches), tuple(self.bridged))


def _of_one_track(matches: list[Match], plays: list[Play], gap: timedelta) -> list[Airing]:
    """Goes once through a station's matches and plays of one track, in the order of time."""
    ended: list[_Growing] = []
    growing: list[_Growing] = []  # several only where plays that are written overlap
    for begins, each in _in_time(matches, plays):
        ended += [airing for airing in growing if begins - airing.stop > gap]
        growing = [airing for airing in growing if begins - airing.stop <= gap]
        if isinstance(each, Match):
            if not growing:
                growing.append(_Growing(begins))
            growing[0].add(each)
        elif growing and growing[0].play is None:
            growing[0].continue_in(each)
        else:
            if growing and not _was_reached(each, growing, gap) and not each.bridged:
                growing[0].bridged.append(each)
            growing.append(_Growing(each.stop_time, each))
    return [airing.grown() for airing in ended + growing if airing.matches]


def _in_time(matches: list[Match], plays: list[Play]) -> list[tuple[datetime, Match | Play]]:
    """A play before the matches of the same instant, which join it; matches of the same instant by their ids."""
    found: list[tuple[datetime, int, str, Match | Play]] = [
        *((play.start_time, 0, play.key.play_id, play) for play in plays),
        *((match.matched_at, 1, match.match_id, match) for match in matches),
    ]
    found.sort(key=lambda each: each[:3])
    return [(begins, each) for begins, _, _, each in found]


def _was_reached(play: Play, growing: list[_Growing], gap: timedelta) -> bool:
    """Whether an earlier play reached this one before there were these matches."""
    return any(earlier.play and play.start_time - earlier.play.stop_time <= gap for earlier in growing)

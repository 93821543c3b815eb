"""An airing: the waiting matches that are written together, and the play that they create or join."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Self

from playlog.domain.match import Match
from playlog.domain.play import Play, PlayKey, play_id_of


@dataclass(frozen=True, slots=True)
class Airing:
    """Waiting matches of one airing. All of them are written, or none is.

    Attributes:
        play_key: key of the play that they join or create.
        matches: matches of one station and track. A new play takes the attributes that it carries from the first. Empty
            if only ``bridged`` is written.
        play: the play that they join, as it was read; None if they create it.
        bridged: later plays that these matches connect to ``play``. A person should look at them.
    """

    play_key: PlayKey
    matches: tuple[Match, ...]
    play: Play | None = None
    bridged: tuple[Play, ...] = ()

    @classmethod
    def creating(cls, matches: tuple[Match, ...]) -> Self:
        """An airing that is not in PlayLog yet.

        Args:
            matches: at least one, the earliest first.
        """
        return cls(key_of_new_play(matches[0]), matches)

    @classmethod
    def joining(cls, play: Play, matches: tuple[Match, ...], bridged: tuple[Play, ...] = ()) -> Self:
        """An airing that has a play already, which goes on or begins earlier than was known."""
        return cls(play.key, matches, play, bridged)

    def play_with_matches(self, flag_below: Decimal) -> Play:
        """The play after these matches were added to it.

        The match that created the play is counted already. It waits again if a writer put it a second time, which is
        possible after it has expired.

        Args:
            flag_below: mean confidence (0 to 100) below which a play is flagged; 0 flags none.
        """
        before = self.play
        if before is None:
            play = self._new_play()
            set_by_mean = True
        else:
            added = [match for match in self.matches if match.match_id != before.created_by]
            scores = _scores(added)
            play = replace(
                before,
                start_time=min([before.start_time, *(match.matched_at for match in added)]),
                stop_time=max([before.stop_time, *(match.matched_at + match.duration for match in added)]),
                match_count=before.match_count + len(added),
                confidence_sum=sum(scores, before.confidence_sum),
                confidence_count=before.confidence_count + len(scores),
            )
            # Keep what a bridge or a person set. Other programs' edits show only where they contradict the mean.
            kept = before.bridged or before.flag_edited
            set_by_mean = not kept and before.flagged == _is_below(flag_below, before)
        if not set_by_mean or play.flagged == _is_below(flag_below, play):
            return play
        return replace(play, flagged=not play.flagged)

    def _new_play(self) -> Play:
        scores = _scores(self.matches)
        return Play(
            self.play_key,
            self.matches[0].track_id,
            start_time=min([match.matched_at for match in self.matches]),
            stop_time=max([match.matched_at + match.duration for match in self.matches]),
            match_count=len(self.matches),
            confidence_sum=sum(scores, Decimal(0)),
            confidence_count=len(scores),
            flagged=False,
            created_by=self.matches[0].match_id,
        )


def key_of_new_play(match: Match) -> PlayKey:
    """The key of the play that a match creates if there is none that it joins."""
    return PlayKey(match.station_id, play_id_of(match.matched_at, match.track_id))


def _scores(matches: Iterable[Match]) -> list[Decimal]:
    return [match.avg_confidence_score for match in matches if match.avg_confidence_score is not None]


def _is_below(limit: Decimal, play: Play) -> bool:
    mean = play.avg_confidence_score if limit else None
    return mean is not None and mean < limit

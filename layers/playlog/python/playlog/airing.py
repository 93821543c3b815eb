"""An airing, the matches that heard it, and the play that PlayLog holds of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from playlog import timestamps
from playlog.match import Match


@dataclass(frozen=True, slots=True)
class Play:
    """What PlayLog says of an airing, and its matches may change.

    Attributes:
        play_id: sort key; it never changes.
        start_time: earliest ``matched_at`` of its matches.
        stop_time: latest ``matched_at + duration``.
        match_count: how many matches it accounts for. Every write raises it, so it serves as the play's version.
        confidence_sum: sum of the confidences (0 to 100) of those of its matches that have one.
        confidence_count: how many of its matches have one.
        flagged: whether a person should look at it.
    """

    play_id: str
    start_time: datetime
    stop_time: datetime
    match_count: int
    confidence_sum: Decimal
    confidence_count: int
    flagged: bool

    @property
    def avg_confidence_score(self) -> Decimal | None:
        """Mean confidence of the matches that have one; None if none has."""
        return self.confidence_sum / self.confidence_count if self.confidence_count else None


@dataclass(frozen=True, slots=True)
class Airing:
    """Matches of one airing that wait to be written: all of them together, or none.

    Attributes:
        matches: at least one, of one station, track and instant.
        play: the play that they join, as it was read; None where they create it.
    """

    matches: tuple[Match, ...]
    play: Play | None = None

    @property
    def first(self) -> Match:
        """The match that lends a new play its station, track, programme and source."""
        return self.matches[0]

    def play_with_matches(self, flag_below: Decimal) -> Play:
        """The play as it is once these matches are part of it.

        Args:
            flag_below: mean confidence (0 to 100) below which a play is flagged; 0 flags none.
        """
        scores = [match.avg_confidence_score for match in self.matches if match.avg_confidence_score is not None]
        before = self.play or self._no_play_yet()
        play = Play(
            play_id=before.play_id,
            start_time=min(before.start_time, *(match.matched_at for match in self.matches)),
            stop_time=max(before.stop_time, *(match.matched_at + match.duration for match in self.matches)),
            match_count=before.match_count + len(self.matches),
            confidence_sum=sum(scores, before.confidence_sum),
            confidence_count=before.confidence_count + len(scores),
            flagged=before.flagged,
        )
        # A flag that the mean did not set is a person's: it stays.
        set_by_mean = before.flagged == _is_below(flag_below, before)
        return replace(play, flagged=_is_below(flag_below, play)) if set_by_mean else play

    def _no_play_yet(self) -> Play:
        start = min(match.matched_at for match in self.matches)
        play_id = f"{timestamps.to_text(start)}#{self.first.track_id}"
        return Play(play_id, start, start, match_count=0, confidence_sum=Decimal(0), confidence_count=0, flagged=False)


def _is_below(limit: Decimal, play: Play) -> bool:
    mean = play.avg_confidence_score
    return mean is not None and mean < limit

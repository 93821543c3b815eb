"""An airing, the matches that heard it, and the play that PlayLog holds of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Self

from playlog.domain import timestamps
from playlog.domain.match import Match

# The least that DynamoDB takes for a number that is not 0 (Developer Guide, "Supported data types: Number").
LEAST_NUMBER = Decimal("1E-130")


class PlayKey(NamedTuple):
    """Key of a play in PlayLog."""

    station_id: str
    play_id: str


@dataclass(frozen=True, slots=True)
class Play:
    """What PlayLog says of an airing, and its matches may change.

    Attributes:
        key: it never changes.
        track_id: what was played.
        start_time: earliest ``matched_at`` of its matches.
        stop_time: latest ``matched_at + duration``.
        match_count: how many matches it accounts for. Every match that joins raises it, so it serves as the play's
            version.
        confidence_sum: sum of the confidences (0 to 100) of those of its matches that have one.
        confidence_count: how many of its matches have one.
        flagged: whether a person should look at it.
        bridged: whether a match has joined it to an earlier play when both were written already.
        defect: why the item cannot be read, in a sentence; None if it can. Then its times are those of its key.
    """

    key: PlayKey
    track_id: str
    start_time: datetime
    stop_time: datetime
    match_count: int
    confidence_sum: Decimal
    confidence_count: int
    flagged: bool
    bridged: bool = False
    defect: str | None = None

    @property
    def avg_confidence_score(self) -> Decimal | None:
        """Mean confidence of the matches that have one; None if none has."""
        if not self.confidence_count:
            return None
        mean = self.confidence_sum / self.confidence_count
        return mean if mean >= LEAST_NUMBER else Decimal(0)

    @property
    def reach(self) -> timedelta:
        """How far the airing reaches from the time in its ``play_id``, before or after it."""
        created = time_of(self.key.play_id)
        return max(created - self.start_time, self.stop_time - created)


@dataclass(frozen=True, slots=True)
class Airing:
    """Matches of one airing that wait to be written: all of them together, or none.

    Attributes:
        play_key: of the play that they join or create.
        matches: of one station and track; the first lends a new play what it does not get from all of them. None where
            only ``bridged`` is written.
        play: the play that they join, as it was read; None where they create it.
        bridged: later plays that these matches join to ``play``, and that a person should look at.
    """

    play_key: PlayKey
    matches: tuple[Match, ...]
    play: Play | None = None
    bridged: tuple[Play, ...] = ()

    @classmethod
    def creating(cls, matches: tuple[Match, ...]) -> Self:
        """An airing of which nothing is written yet.

        Args:
            matches: at least one, the earliest first.
        """
        first = matches[0]
        return cls(PlayKey(first.station_id, play_id_of(first.matched_at, first.track_id)), matches)

    @classmethod
    def joining(cls, play: Play, matches: tuple[Match, ...], bridged: tuple[Play, ...] = ()) -> Self:
        """An airing that goes on, or that begins earlier than was known."""
        return cls(play.key, matches, play, bridged)

    def play_with_matches(self, flag_below: Decimal) -> Play:
        """The play as it is once these matches are part of it.

        Args:
            flag_below: mean confidence (0 to 100) below which a play is flagged; 0 flags none.
        """
        before = self.play
        if before is None:
            play = self._new_play()
            set_by_mean = True
        else:
            scores = self._scores()
            play = replace(
                before,
                start_time=min([before.start_time, *(match.matched_at for match in self.matches)]),
                stop_time=max([before.stop_time, *(match.matched_at + match.duration for match in self.matches)]),
                match_count=before.match_count + len(self.matches),
                confidence_sum=sum(scores, before.confidence_sum),
                confidence_count=before.confidence_count + len(scores),
            )
            # A flag that the mean did not set is a person's, or says that plays were bridged: it stays.
            set_by_mean = before.flagged == _is_below(flag_below, before) and not before.bridged
        if not set_by_mean or play.flagged == _is_below(flag_below, play):
            return play
        return replace(play, flagged=not play.flagged)

    def _new_play(self) -> Play:
        scores = self._scores()
        return Play(
            self.play_key,
            self.matches[0].track_id,
            start_time=min([match.matched_at for match in self.matches]),
            stop_time=max([match.matched_at + match.duration for match in self.matches]),
            match_count=len(self.matches),
            confidence_sum=sum(scores, Decimal(0)),
            confidence_count=len(scores),
            flagged=False,
        )

    def _scores(self) -> list[Decimal]:
        return [match.avg_confidence_score for match in self.matches if match.avg_confidence_score is not None]


def play_id_of(start: datetime, track_id: str) -> str:
    """The ``play_id`` of a play that is created (CONTRACT, PlayLog)."""
    return f"{timestamps.to_text(start)}#{track_id}"


def time_of(play_id: str) -> datetime:
    """The time in a ``play_id``: when the airing began, as it was known when the play was created.

    Raises:
        ValueError: it is no ``play_id`` of the contract.
    """
    return timestamps.from_text(play_id.partition("#")[0])


def _is_below(limit: Decimal, play: Play) -> bool:
    mean = play.avg_confidence_score if limit else None
    return mean is not None and mean < limit

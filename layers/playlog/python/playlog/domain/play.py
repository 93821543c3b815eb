"""A play, as PlayLog holds it, and its key."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Self

from playlog.domain import timestamps

# The smallest number above 0 that DynamoDB holds (Developer Guide, "Supported data types: Number").
LEAST_NUMBER = Decimal("1E-130")


class PlayKey(NamedTuple):
    """Key of a play in PlayLog."""

    station_id: str
    play_id: str


@dataclass(frozen=True, slots=True)
class Play:
    """The part of a PlayLog item that further matches of the airing may change.

    Attributes:
        key: it never changes.
        track_id: what was played.
        start_time: earliest ``matched_at`` of its matches.
        stop_time: latest ``matched_at + duration``.
        match_count: number of matches that it accounts for. Every match that joins raises it, so it serves as the
            play's version.
        confidence_sum: sum of its matches' confidences (0 to 100).
        confidence_count: number of its matches that have a confidence.
        flagged: whether a person should look at it.
        bridged: whether a late match connected it to an earlier play when both were written already.
        edits: how many edits people have made.
        flag_edited: whether a person has set the flag or taken it away. It is theirs from then on.
        created_by: id of the match that created it; empty if the item does not say.
        matches_expire_at: earliest ``expires_at`` of its matches, in epoch seconds; None if none expires.
        defect: why the item cannot be read, in a sentence. Its times are then those of its key. None if it can be read.
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
    edits: int = 0
    flag_edited: bool = False
    created_by: str = ""
    matches_expire_at: int | None = None
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
        """The longest time from the instant in the ``play_id`` to the airing's start or stop."""
        created = time_of(self.key.play_id)
        return max(created - self.start_time, self.stop_time - created)

    def with_matches_that_expire(self, at: int | None) -> Self:
        """The play after a match was added that expires.

        Args:
            at: ``expires_at`` of the match, in epoch seconds; None if it does not expire.
        """
        if at is None:
            return self
        return replace(
            self, matches_expire_at=at if self.matches_expire_at is None else min(at, self.matches_expire_at)
        )


def play_id_of(start: datetime, track_id: str) -> str:
    """The ``play_id`` of a new play (docs/contract.md, PlayLog)."""
    return f"{timestamps.to_text(start)}#{track_id}"


def time_of(play_id: str) -> datetime:
    """The time in a ``play_id``: the start of the airing when the play was created.

    Raises:
        ValueError: the text is not a valid ``play_id``.
    """
    return timestamps.from_text(play_id.partition("#")[0])


def track_of(play_id: str) -> str:
    """The track in a ``play_id``. Empty if the text is not a valid ``play_id``."""
    return play_id.partition("#")[2]

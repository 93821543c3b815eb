"""A play as a list shows it."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from playlog.domain import timestamps
from playlog.domain.match import Item

from playlog_cli.reporting.attributes import attribute, unusable

ATTRIBUTES = (
    "station_id",
    "play_id",
    "track_id",
    "station_program_id",
    "source",
    "played_at",
    "stop_time",
    "duration_seconds",
    "match_count",
    "avg_confidence_score",
    "flagged",
    "active",
    "is_archived",
)


DIGESTS = 2**256
SEPARATOR = "\x1f"  # between the values of a play
SECONDS_PLACES, CONFIDENCE_PLACES = 6, 35  # of the columns of an export
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ListedPlay(NamedTuple):
    """What a list has of an item of PlayLog. The first three fields are the order of a list.

    Attributes:
        played_at: when it began, in UTC.
        station_id: that it was heard on.
        play_id: its key within the station.
        stopped_at: when it ended, in UTC.
        seconds: how long it was heard.
        match_count: how many matches it accounts for.
        confidence: 0 to 100; None if none of its matches has one.
        active: false for a play that was withdrawn.
        archived: whether it was put away.
    """

    played_at: datetime
    station_id: str
    play_id: str
    track_id: str
    program_id: str
    source: str
    stopped_at: datetime
    seconds: Decimal
    match_count: int
    confidence: Decimal | None
    flagged: bool
    active: bool
    archived: bool


def listed_play_of(item: Item) -> ListedPlay:
    """Reads a play.

    Args:
        item: of PlayLog, in DynamoDB's wire format, with ``ATTRIBUTES``.

    Raises:
        CommandError: an attribute is missing or has another type than the contract says.
    """
    try:
        started = timestamps.from_text(attribute(item, "played_at", "S"))
        seconds = Decimal(attribute(item, "duration_seconds", "N"))
        if not 0 <= seconds < 10**9:
            raise ValueError(f"duration_seconds is {seconds}: it must be 0 or more")
        stopped = attribute(item, "stop_time", "S", otherwise=None)
        score = attribute(item, "avg_confidence_score", "N", otherwise=None)
        return ListedPlay(
            played_at=started,
            station_id=attribute(item, "station_id", "S"),
            play_id=attribute(item, "play_id", "S"),
            track_id=attribute(item, "track_id", "S"),
            program_id=attribute(item, "station_program_id", "S", otherwise=""),
            source=attribute(item, "source", "S", otherwise=""),
            stopped_at=timestamps.from_text(stopped) if stopped else started + timedelta(seconds=float(seconds)),
            seconds=seconds,
            match_count=int(attribute(item, "match_count", "N")),
            confidence=None if score is None else Decimal(score),
            flagged=attribute(item, "flagged", "BOOL", otherwise=False),
            active=attribute(item, "active", "BOOL", otherwise=True),
            archived=attribute(item, "is_archived", "BOOL", otherwise=False),
        )
    except ValueError as error:
        raise unusable(item, "listed", error) from None


def digest_of(play: ListedPlay) -> int:
    """A number that tells plays apart: the SHA-256 of what is paid for.

    The digest of many plays is the sum of their digests, modulo ``DIGESTS``: it does not depend on their order.
    ``sums.digest`` has the same in SQL.
    """
    exponent = play.seconds.as_tuple().exponent
    fits = isinstance(exponent, int) and exponent >= -SECONDS_PLACES
    seconds = f"{play.seconds:.{SECONDS_PLACES}f}" if fits else f"{play.seconds.normalize():f}"
    confidence = "" if play.confidence is None else f"{play.confidence:.{CONFIDENCE_PLACES}f}"
    flags = "true" if play.flagged else "false", "true" if play.active else "false"
    at = str((play.played_at - _EPOCH) // _MICROSECOND)
    text = SEPARATOR.join((play.station_id, play.play_id, play.track_id, at, seconds, confidence, *flags))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), "big")

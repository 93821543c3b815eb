"""A match: as DynamoDB holds it, and as a valid value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

# An item in DynamoDB's JSON: {"track_id": {"S": "XX-PLY-26-00001"}, "duration_seconds": {"N": "201"}}.
Item: TypeAlias = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Match:
    """A valid detection of a track on a station.

    Attributes:
        match_id: key in MatchCache.
        station_id: the station that was heard.
        track_id: the track that was recognized.
        matched_at: when the detected audio began, in UTC.
        duration: its length.
        source: ``Radio`` or ``Streaming``.
        carried: the optional attributes of this match that a new play takes from it (``schema.CARRIED``).
        avg_confidence_score: 0 to 100, if the match has one.
        item: the match as the index holds it. A dead letter needs it if DynamoDB rejects the write.
    """

    match_id: str
    station_id: str
    track_id: str
    matched_at: datetime
    duration: timedelta
    source: str
    carried: Mapping[str, str]
    avg_confidence_score: Decimal | None
    item: Item

"""A match that waits, as the index holds it and as the rest of the code knows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

# An item in DynamoDB's wire format: {"track_id": {"S": "XX-PLY-26-00001"}, "duration_seconds": {"N": "201"}}.
Item: TypeAlias = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Match:
    """A detection of a track on a station that was judged and found valid.

    Attributes:
        match_id: key in MatchCache.
        station_id: the station that was heard.
        track_id: the track that was recognized.
        matched_at: when the detected audio began, in UTC.
        duration: how long it was heard.
        source: ``Radio`` or ``Streaming``.
        station_program_id: the programme, if the match names one.
        avg_confidence_score: 0 to 100, if the match has one.
        item: the match as the index holds it, for a dead letter, should its write be refused.
    """

    match_id: str
    station_id: str
    track_id: str
    matched_at: datetime
    duration: timedelta
    source: str
    station_program_id: str | None
    avg_confidence_score: Decimal | None
    item: Item

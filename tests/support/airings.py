"""Which detections are one airing: the rule of docs/airings.md over all of them at once.

It shares no code with what it judges.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True)
class Detection:
    """A valid match.

    Attributes:
        start: its ``matched_at``.
        stop: that and its duration.
        score: its confidence, if it has one.
    """

    station_id: str
    track_id: str
    start: datetime
    stop: datetime
    score: Decimal | None = None


@dataclass(frozen=True)
class Airing:
    """What the play of an airing has to say: what all its detections come to."""

    station_id: str
    track_id: str
    start: datetime
    stop: datetime
    match_count: int
    mean: Decimal | None


def airings(detections: Iterable[Detection], gap: timedelta) -> list[Airing]:
    """In the order of time, a detection joins the airing before it if it begins by that one's stop and the gap.

    Args:
        detections: in any order.
        gap: with none, only the same instant is one airing.
    """
    found: list[list[Detection]] = []
    for each in sorted(detections, key=lambda each: (each.station_id, each.track_id, each.start)):
        last = found[-1] if found else []
        same = last and (last[0].station_id, last[0].track_id) == (each.station_id, each.track_id)
        latest = max((one.stop for one in last), default=each.start) + gap if gap else each.start
        if same and each.start <= latest and (gap or each.start == last[0].start):
            last.append(each)
        else:
            found.append([each])
    return [summed(airing) for airing in found]


def summed(airing: Sequence[Detection]) -> Airing:
    """What detections of one airing come to."""
    scores = [each.score for each in airing if each.score is not None]
    return Airing(
        airing[0].station_id,
        airing[0].track_id,
        min(each.start for each in airing),
        max(each.stop for each in airing),
        len(airing),
        sum(scores, Decimal(0)) / len(scores) if scores else None,
    )

"""Backlogs to convert: clean matches of ordinary size, each its own play."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from playlog.domain.match import Item
from playlog.domain.shards import shard_of

STATIONS = 40
TRACKS = 977
SECONDS_APART = 200


def matches(count: int, shards: int) -> Iterator[Item]:
    """Clean matches as a detection system writes them, in the order of time.

    Args:
        count: how many.
        shards: the stack's ``UnprocessedShards``.
    """
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    for number in range(count):
        station = f"station-{number % STATIONS}"
        yield {
            "match_id": {"S": f"m-260301-{number:07}"},
            "unprocessed_shard": {"S": shard_of(station, shards)},
            "matched_at": {"S": (begin + timedelta(seconds=SECONDS_APART * (number // STATIONS))).isoformat()},
            "track_id": {"S": f"XX-PLY-26-{number % TRACKS:05}"},
            "station_id": {"S": station},
            "station_program_id": {"S": f"{station}/drive"},
            "source": {"S": "Radio"},
            "duration_seconds": {"N": "187"},
            "avg_confidence_score": {"N": "93.5"},
            "processed": {"BOOL": False},
            "artist": {"S": "Vantonge & the Cartographers"},
            "title": {"S": "Slow Harbour"},
        }

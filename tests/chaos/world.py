"""What a round is about: matches drawn by seed, and what has to become of each, known from how it was drawn."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TypeAlias

from playlog.domain.shards import shard_of

from tests.support.airings import Detection
from tests.support.invariants import Item

DEFAULT_DURATION = 180
# Attributes that a person may have to mend.
MENDABLE = (
    "matched_at",
    "track_id",
    "station_id",
    "station_program_id",
    "source",
    "duration_seconds",
    "avg_confidence_score",
)

# Station, track and instant: two matches that have them in common are one play (docs/contract.md, The invariants).
Airing: TypeAlias = tuple[str, str, datetime]

_DEFECTS: dict[str, tuple[Item, ...]] = {
    "MALFORMED": ({"track_id": {"N": "7"}}, {"duration_seconds": {"S": "178"}}, {"attempts": {"S": "none"}}),
    "MISSING_TRACK": ({"track_id": {"S": "  "}}, {"track_id": {"NULL": True}}),
    "MISSING_STATION": ({"station_id": {"S": " "}}, {"station_id": {"NULL": True}}),
    "INVALID_TIME": (
        {"matched_at": {"S": "yesterday"}},
        {"matched_at": {"S": "2026-03-14T08:00:00"}},
        {"matched_at": {"S": "9999-12-31T00:00:00+00:00"}},
    ),
    "INVALID_DURATION": ({"duration_seconds": {"N": "0"}}, {"duration_seconds": {"N": "86401"}}),
    "INVALID_CONFIDENCE": ({"avg_confidence_score": {"N": "-1"}}, {"avg_confidence_score": {"N": "100.5"}}),
    "INVALID_SOURCE": ({"source": {"S": "Carrier pigeon"}},),
    "REJECTED": ({"track_id": {"S": "t" * 1100}}, {"station_id": {"S": "s" * 2100}}),
}
# Conversion ignores them, whatever their type.
_NAMES_FOR_PEOPLE: tuple[Item, ...] = (
    {"title": {"S": "Lonely Snow"}, "artist": {"S": "Lumley & the Tuesdays"}, "isrc": {"S": "USAB12345678"}},
    {"album": {"N": "1989"}, "label": {"L": []}, "isrc": {"NULL": True}, "title": {"M": {}}},
)
_OFFSETS = (UTC, timezone(timedelta(hours=1)), timezone(timedelta(hours=-9, minutes=-30)))


@dataclass(frozen=True)
class Drawn:
    """A match, and what has to become of it.

    Attributes:
        match_id: its key.
        airing: what it is a detection of, were it valid.
        item: as the detection system writes it.
        reason_code: of its failure; None if it has to be played.
    """

    match_id: str
    airing: Airing
    item: Item
    reason_code: str | None

    @property
    def detection(self) -> Detection:
        """What it says, if it is valid."""
        start = datetime.fromisoformat(self.item["matched_at"]["S"])
        seconds = int(self.item.get("duration_seconds", {"N": str(DEFAULT_DURATION)})["N"])
        score = Decimal(self.item["avg_confidence_score"]["N"]) if "avg_confidence_score" in self.item else None
        station, track, _ = self.airing
        return Detection(station, track, start, start + timedelta(seconds=seconds), score)


def draw_airings(chance: random.Random, gap: timedelta) -> list[Airing]:
    """A few airings on a few stations, so that matches of the same one are many.

    Args:
        chance: of the round.
        gap: with one they begin further apart, so that not all are the same.
    """
    step = timedelta(minutes=3) if gap else timedelta(seconds=30)
    morning = datetime(2026, 3, 14, 8, tzinfo=UTC)
    stations = [f"station-{number}" for number in range(chance.randint(1, 4))]
    tracks = [f"track-{number}" for number in range(chance.randint(1, 5))]
    return [
        (chance.choice(stations), chance.choice(tracks), morning + step * chance.randrange(20))
        for _ in range(chance.randint(3, 15))
    ]


def draw_matches(
    chance: random.Random, airings: list[Airing], gap: timedelta, first: int, count: int, shards: int
) -> list[Drawn]:
    """Draws matches, some of them with a defect.

    Args:
        chance: of the round.
        airings: what they are detections of.
        gap: with one, a detection may begin at any time in its airing.
        first: number of the first, which its id is made of.
        count: how many.
        shards: the stack's ``UnprocessedShards``.
    """
    defective = chance.choice((0.0, 0.1, 0.4))
    drawn = (
        _valid(chance, f"match-{number:04}", _heard(chance, chance.choice(airings), gap), shards)
        for number in range(first, first + count)
    )
    return [_with_defect(chance, match, shards) if chance.random() < defective else match for match in drawn]


def mended(chance: random.Random, match: Drawn, shards: int) -> Drawn:
    """The match as a person mends it: it has to be played now."""
    return _valid(chance, match.match_id, match.airing, shards)


def _heard(chance: random.Random, airing: Airing, gap: timedelta) -> Airing:
    """When an airing is heard: with a gap, some time after it began, to the second."""
    station, track, instant = airing
    return station, track, instant + timedelta(seconds=chance.choice((0, 0, 10, 20, 41, 100, 101)) if gap else 0)


def _valid(chance: random.Random, match_id: str, airing: Airing, shards: int) -> Drawn:
    station, track, instant = airing
    # Another shard than its station's is allowed, and loses nothing.
    shard = shard_of(station, shards) if chance.random() < 0.9 else str(chance.randrange(shards))
    item: Item = {
        "match_id": {"S": match_id},
        "unprocessed_shard": {"S": shard},
        "matched_at": {"S": instant.astimezone(chance.choice(_OFFSETS)).isoformat()},
        "station_id": {"S": station},
        "track_id": {"S": track},
        "processed": {"BOOL": False},
        "heard_by": {"S": "an attribute of the writer's own"},
    }
    if chance.random() < 0.7:
        item["avg_confidence_score"] = {"N": str(Decimal(chance.randrange(10001)) / 100)}
    if chance.random() < 0.7:
        item["duration_seconds"] = {"N": str(chance.randint(1, 400))}
    if chance.random() < 0.5:
        item["station_program_id"] = {"S": f"programme-{chance.randrange(3)}"}
    if chance.random() < 0.3:
        item["source"] = {"S": "Streaming"}
    if chance.random() < 0.3:
        item |= chance.choice(_NAMES_FOR_PEOPLE)
    return Drawn(match_id, airing, item, None)


def _with_defect(chance: random.Random, match: Drawn, shards: int) -> Drawn:
    reason_code = chance.choice(list(_DEFECTS))
    item = {**match.item, **chance.choice(_DEFECTS[reason_code])}
    if reason_code == "MISSING_STATION":
        item["unprocessed_shard"] = {"S": shard_of(match.match_id, shards)}
    return replace(match, item=item, reason_code=reason_code)

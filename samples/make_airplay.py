"""Makes ``airplay.csv``: one broadcast day of ten made-up stations, as a detection system would write it.

    python samples/make_airplay.py [FILE]

Seeded and standard library only, so that every machine makes the same bytes. Stations, programmes, rotation,
repeats and defects are the tables below: change one, run this, and commit both files. Nothing in it exists:
``XX`` is no country's code, and stations, artists and titles are put together from lists of words.
"""

import csv
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import cycle, product
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SEED = 20260314
MIDNIGHT = datetime(2026, 3, 14)  # noqa: DTZ001  each station's own midnight, in its own offset
HOUR, DAY_END = 3_600, 86_400  # seconds
SHORTEST = 120  # seconds of music; nothing starts that would be cut shorter
DETECTED = 0.95  # share of airings that the detection system notices
ARTIST_REST = HOUR // 2  # seconds between two tracks of one artist


@dataclass(frozen=True)
class Station:
    station_id: str
    utc_offset: float  # hours
    library: str  # stations with the same library play the same tracks
    clock: str  # the rotations of its tracks in turn, over and over
    news_seconds: int = 240  # without music, from each full hour
    source: str = "Radio"


STATIONS = (
    Station("harbour-fm", +1, "hits", "PCRPGCRPCGRC"),
    Station("linden-radio", +1, "gold", "GRGGCGRG", news_seconds=300),
    Station("saltmarsh-sound", 0, "indie", "CGRCPGRC"),
    Station("fjord-7", +2, "indie", "CRGPCRG"),
    Station("prairie-hits", -5, "hits", "PCPRCGPCR", news_seconds=180),
    Station("redwood-gold", -7, "gold", "GGRGGCGR"),
    Station("monsoon-fm", +5.5, "hits", "PCRGCRPCGR"),
    Station("lantern-loop", 0, "indie", "CRGG", news_seconds=0, source="Streaming"),
    Station("moonwave", +9, "gold", "GRG", news_seconds=0, source="Streaming"),
    Station("southern-stream", -3, "hits", "PCRCRG", news_seconds=0, source="Streaming"),
)


@dataclass(frozen=True)
class Programme:
    name: str
    from_hour: int
    talk_seconds: tuple[int, int]  # between two tracks, at least and at most


PROGRAMMES = (
    Programme("night", 0, (2, 15)),
    Programme("breakfast", 6, (20, 210)),
    Programme("mid-morning", 10, (10, 90)),
    Programme("afternoon", 13, (5, 75)),
    Programme("drive", 16, (15, 150)),
    Programme("evening", 19, (5, 60)),
    Programme("late", 22, (2, 30)),
)


@dataclass(frozen=True)
class Rotation:
    letter: str
    tracks: int  # in each library
    rest: int  # seconds before a station plays the same track again
    years: tuple[int, int]  # of release, first and last


ROTATIONS = (
    Rotation("P", 7, 9 * HOUR // 4, (2026, 2026)),  # power
    Rotation("C", 20, 4 * HOUR, (2025, 2026)),  # current
    Rotation("R", 45, 7 * HOUR, (2022, 2025)),  # recurrent
    Rotation("G", 200, 16 * HOUR, (1968, 2021)),  # gold
)


@dataclass(frozen=True)
class Repeat:
    """Airings that more than one detector reports, each under a match id of its own: still one play."""

    airings: int
    more: int  # matches beside the first
    in_utc: bool = False  # the other detectors write the same instant in UTC
    other_confidence: bool = False


REPEATS = (
    Repeat(14, more=1),
    Repeat(12, more=1, other_confidence=True),
    Repeat(10, more=1, in_utc=True),
    Repeat(4, more=2, in_utc=True, other_confidence=True),
    Repeat(1, more=4, in_utc=True, other_confidence=True),
)


@dataclass(frozen=True)
class Defect:
    """What one broken match states instead of the truth, and the reason code it fails with."""

    reason_code: str
    cells: Mapping[str, str]  # by column; %H and the like in matched_at: the airing's local time


DEFECTS = (
    Defect("MISSING_TRACK", {"track_id": ""}),
    Defect("MISSING_TRACK", {"track_id": "   "}),
    Defect("MISSING_TRACK", {"track_id": "", "avg_confidence_score": "101"}),  # the first code counts
    Defect("MISSING_STATION", {"station_id": ""}),
    Defect("MISSING_STATION", {"station_id": "   "}),
    Defect("MISSING_STATION", {"station_id": "", "station_program_id": ""}),
    Defect("INVALID_TIME", {"matched_at": "%Y-%m-%dT%H:%M:%S"}),  # no offset: whose clock?
    Defect("INVALID_TIME", {"matched_at": "%Y-%m-%d %H:%M:%S"}),
    Defect("INVALID_TIME", {"matched_at": "%d/%m/%Y %H:%M"}),
    Defect("INVALID_TIME", {"matched_at": "2026-02-30T%H:%M:%S+00:00"}),  # a day that never was
    Defect("INVALID_TIME", {"matched_at": "around %H:%M"}),
    Defect("INVALID_TIME", {"matched_at": "2099-03-14T%H:%M:%S+00:00"}),
    Defect("INVALID_TIME", {"matched_at": "9999-12-31T23:59:59-05:00"}),  # in UTC past Python's last year
    Defect("INVALID_DURATION", {"duration_seconds": "0"}),
    Defect("INVALID_DURATION", {"duration_seconds": "-180"}),
    Defect("INVALID_DURATION", {"duration_seconds": "100000"}),
    Defect("INVALID_CONFIDENCE", {"avg_confidence_score": "101"}),
    Defect("INVALID_CONFIDENCE", {"avg_confidence_score": "-3"}),
    Defect("INVALID_CONFIDENCE", {"avg_confidence_score": "100.1"}),
    Defect("INVALID_SOURCE", {"source": "Cinema"}),
    Defect("INVALID_SOURCE", {"source": "Podcast"}),
    Defect("INVALID_SOURCE", {"source": "radio"}),
    Defect("MALFORMED", {"duration_seconds": "3 min"}),  # no number, so it reaches the table as text
    Defect("MALFORMED", {"duration_seconds": "3:24"}),
    Defect("MALFORMED", {"avg_confidence_score": "high"}),
    Defect("MALFORMED", {"avg_confidence_score": "92 %", "station_id": ""}),  # comes before every other code
    Defect("REJECTED", {"track_id": "XX-PLY-26-" + "0" * 1_090}),  # the play's key would pass 1,024 bytes
)

FIRST_NAMES = "Wren Juno Otis Maribel Søren Tamsin Cosmo Zoé Ludo Ottilie Barnaby Imke Rafe Saskia"
LAST_NAMES = "Alderly Quillon Fennimore Brambleby Vantonge Marlowick Osterley Pellwater Thackeroy Lumley"
BANDS = "Ferries Lamplighters Cartographers Understudies Herons Weathervanes Tuesdays"
ADJECTIVES = """
    Slow Paper Velvet Distant Borrowed Silver Hollow Golden Restless Quiet Amber Electric Wooden Midnight
    Painted Secret Northern Wandering Crooked Tender Frozen Open Faded Bright Second Tidal Lonely Gentle"""
NOUNS = """
    Harbour Lanterns Orchard Satellites Letters Avenue Thunder Compass Meadow Windows Embers Postcards Rivers
    Snow Carousel Shadows Staircase Horizon Garden Sparrows Signals Mirrors Summer Islands Telephone Engine
    Daydream Lighthouse Cinema Pavilion"""


@dataclass(frozen=True)
class Track:
    track_id: str  # looks like an ISRC: country, registrant, year, number
    artist: str
    title: str
    seconds: int


@dataclass(frozen=True)
class Airing:
    station: Station
    track: Track
    programme: Programme
    starts: datetime  # with the station's offset
    seconds: int


@dataclass(frozen=True)
class Row:
    """One line of the file, cell by cell. An empty cell: the match does not have the attribute."""

    match_id: str
    matched_at: str
    track_id: str
    station_id: str
    station_program_id: str
    source: str
    duration_seconds: str
    avg_confidence_score: str
    artist: str  # this and the next one the contract does not know: they are kept as they are
    title: str


@dataclass(frozen=True)
class Arrival:
    at: datetime  # when the detection system writes the row
    row: Row
    reason_code: str = ""  # why it will fail, if it will


@dataclass(frozen=True)
class Day:
    """The rows, and what becomes of them."""

    rows: Sequence[Row]
    expected_plays: int  # distinct station, track and instant of the rows that do not fail
    reason_codes: Mapping[str, str]  # of the rows that fail, by match_id

    @property
    def expected_failures(self) -> Counter[str]:
        """How many rows fail, by reason code."""
        return Counter(self.reason_codes.values())


class Dice:
    """Chance from ``random()`` alone: of no other method does Python promise to keep the sequence."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random  # noqa: S311  a sample day needs no secrets

    def between(self, low: int, high: int) -> int:
        return low + int(self.random() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        return options[self.between(0, len(options) - 1)]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        return sorted(items, key=lambda _: self.random())

    def confidence(self) -> str:
        """Percent: mostly 84 to 97, and one in 20 far below, as with talk over the music."""
        if self.random() < 0.05:
            return f"{40 + 42 * self.random():.1f}"
        return f"{84 + 6.5 * (self.random() + self.random()):.1f}"


def make_day() -> Day:
    """The whole day, in the order in which the detection system writes it: by instant, some matches late."""
    dice = Dice(SEED)
    libraries = make_libraries(dice)
    airings = [a for station in STATIONS for a in broadcast(station, libraries[station.library], dice)]
    airings.sort(key=lambda airing: airing.starts)

    spacing = len(airings) / len(DEFECTS)
    places = dice.shuffled(int((n + 0.5) * spacing) for n in range(len(DEFECTS)))
    defects = dict(zip(places, DEFECTS, strict=True))
    sound = iter(dice.shuffled(n for n in range(len(airings)) if n not in defects))
    repeats = {next(sound): repeat for repeat in REPEATS for _ in range(repeat.airings)}

    arrivals: list[Arrival] = []
    for n, airing in enumerate(airings):
        row, at = detect(airing, dice), airing.starts
        if n in defects:
            arrivals.append(Arrival(at, spoil(row, defects[n], airing), defects[n].reason_code))
        else:
            arrivals.append(Arrival(at + delay(dice, 0.01), row))
        if n in repeats:
            again = repeated(row, repeats[n], airing, dice)
            arrivals.extend(Arrival(at + delay(dice, 0.25), other) for other in again)
    arrivals.sort(key=lambda arrival: arrival.at)

    rows = [replace(arrival.row, match_id=f"m-260314-{n:05}") for n, arrival in enumerate(arrivals, start=1)]
    reason_codes = {
        row.match_id: arrival.reason_code for row, arrival in zip(rows, arrivals, strict=True) if arrival.reason_code
    }
    return Day(rows, expected_plays=len(airings) - len(defects), reason_codes=reason_codes)


def make_libraries(dice: Dice) -> dict[str, dict[str, list[Track]]]:
    """The tracks of each library, by rotation. No two tracks share a title."""
    titles = iter(dice.shuffled(map(" ".join, product(ADJECTIVES.split(), NOUNS.split()))))
    people = map(" ".join, product(FIRST_NAMES.split(), LAST_NAMES.split()))
    bands = map(" & the ".join, product(LAST_NAMES.split(), BANDS.split()))
    artists = dice.shuffled([*people, *bands])
    numbers = iter(dice.shuffled(range(1, 2_000)))

    def make_track(rotation: Rotation) -> Track:
        title = next(titles)
        if dice.random() < 0.07:
            title = f"Oh, {title}"  # a comma, so that the file has quoted cells
        track_id = f"XX-PLY-{dice.between(*rotation.years) % 100:02}-{next(numbers):05}"
        seconds = 130 + int(290 * min(dice.random() + dice.random(), dice.random() + dice.random()) / 2)
        return Track(track_id, dice.pick(artists), title, seconds)

    return {
        library: {it.letter: [make_track(it) for _ in range(it.tracks)] for it in ROTATIONS}
        for library in dict.fromkeys(station.library for station in STATIONS)
    }


def broadcast(station: Station, library: Mapping[str, Sequence[Track]], dice: Dice) -> Iterator[Airing]:
    """What a station plays from its midnight to the next, less what the detection system misses."""
    midnight = MIDNIGHT.replace(tzinfo=timezone(timedelta(hours=station.utc_offset)))
    last_played: dict[str, int] = {}  # second of the day, by track and by artist
    clock = cycle(station.clock)
    now = station.news_seconds
    while now < DAY_END:
        ends_by = now - now % HOUR + HOUR if station.news_seconds else DAY_END  # the news wait for no song
        if ends_by - now < SHORTEST:
            now = ends_by + station.news_seconds
            continue
        track = next_track(library, next(clock), now, last_played, dice)
        last_played[track.track_id] = last_played[track.artist] = now
        cross_fade = dice.between(0, 8)
        seconds = min(track.seconds - cross_fade, ends_by - now)
        programme = next(on_air for on_air in reversed(PROGRAMMES) if now >= on_air.from_hour * HOUR)
        if dice.random() < DETECTED:
            yield Airing(station, track, programme, midnight + timedelta(seconds=now), seconds)
        now += seconds + (dice.between(*programme.talk_seconds) if station.news_seconds else 2)
        if now >= ends_by:
            now = max(now, ends_by + station.news_seconds)


def next_track(
    library: Mapping[str, Sequence[Track]], letter: str, now: int, last_played: Mapping[str, int], dice: Dice
) -> Track:
    """One of the longest rested tracks of the rotation, or of another (slower first) where all in it rest."""
    wanted = [rotation.letter for rotation in ROTATIONS].index(letter)
    for rotation in (*ROTATIONS[wanted:], *reversed(ROTATIONS[:wanted])):
        rested = [
            track
            for track in library[rotation.letter]
            if now - last_played.get(track.track_id, -DAY_END) >= rotation.rest
            and now - last_played.get(track.artist, -DAY_END) >= ARTIST_REST
        ]
        if rested:
            rested.sort(key=lambda track: last_played.get(track.track_id, -DAY_END))
            return dice.pick(rested[: max(3, len(rested) // 3)])
    raise LookupError(f"every track rests at second {now}: ROTATIONS needs more tracks or shorter rests")


def detect(airing: Airing, dice: Dice) -> Row:
    """The match of an airing. Its id is given when it is written; some matches lack what they may lack."""
    station, track = airing.station, airing.track
    has_programme = station.source == "Radio" and dice.random() < 0.98
    return Row(
        match_id="",
        matched_at=airing.starts.isoformat().replace("+00:00", "Z"),
        track_id=track.track_id,
        station_id=station.station_id,
        station_program_id=f"{station.station_id}/{airing.programme.name}" if has_programme else "",
        source=station.source,
        duration_seconds=str(airing.seconds) if dice.random() < 0.97 else "",
        avg_confidence_score=dice.confidence() if dice.random() < 0.98 else "",
        artist=track.artist,
        title=track.title,
    )


def spoil(row: Row, defect: Defect, airing: Airing) -> Row:
    """The row with the defect in it."""
    spoiled = replace(row, **defect.cells)
    if "matched_at" in defect.cells:
        return replace(spoiled, matched_at=airing.starts.strftime(spoiled.matched_at))
    return spoiled


def repeated(row: Row, repeat: Repeat, airing: Airing, dice: Dice) -> Iterator[Row]:
    """What the other detectors write of the same airing."""
    for _ in range(repeat.more):
        yield replace(
            row,
            matched_at=airing.starts.astimezone(UTC).isoformat() if repeat.in_utc else row.matched_at,
            avg_confidence_score=dice.confidence() if repeat.other_confidence else row.avg_confidence_score,
        )


def delay(dice: Dice, chance: float) -> timedelta:
    """None, or by this chance 5 to 90 minutes: a detector was offline and catches up."""
    return timedelta(minutes=dice.between(5, 90) if dice.random() < chance else 0)


def write(rows: Iterable[Row], path: Path) -> None:
    """The CSV file: a header, UTF-8, and a line feed after each row on every system."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(column.name for column in fields(Row))
        writer.writerows(astuple(row) for row in rows)


def main(arguments: Sequence[str]) -> None:
    """Writes the day to the path given, or next to this script."""
    path = Path(arguments[0]) if arguments else Path(__file__).with_name("airplay.csv")
    day = make_day()
    write(day.rows, path)
    failures = day.expected_failures.total()
    print(f"{path}: {len(day.rows)} matches, to become {day.expected_plays} plays and {failures} failures")


if __name__ == "__main__":
    main(sys.argv[1:])

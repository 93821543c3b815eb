"""Makes ``detections.csv``: three hours of five stations, as a system writes it that listens ten seconds at a time.

    python -m samples.make_detections [FOLDER]

A song is a match every ten seconds while it plays. Beside the matches, ``detections-plays.csv`` says which plays they
have to become where ``AiringGapSeconds`` is 30: those that were meant when the running orders were made. That is known
from how they were made and not worked out from the matches.

Stations, libraries and columns are those of ``make_airplay``, on another day. What happens on air is in the tables
below: change one, run ``make samples``, and commit what it made.
"""

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import cycle
from pathlib import Path

from samples import make_airplay
from samples.make_airplay import HOUR, PROGRAMMES, STATIONS, Dice, Row, Station, Track, make_libraries, next_track

SEED = 20260315
BEGINS = datetime(2026, 3, 15, 16, tzinfo=UTC)
ON_AIR = 3 * HOUR  # seconds
LISTENS = 10  # seconds: length of a match, and from one to the next
GAP = 30  # seconds: the AiringGapSeconds that the plays are meant for

CROSS_FADED = 0.65  # share of songs that begin while the one before still plays
CROSS_FADE = (4, 16)  # seconds, at least and at most
SHORTEST = 60  # seconds of music; nothing starts that would be cut shorter

MIX = Track("XX-PLY-26-02001", "Imke Thackeroy", "Tidal Hour (Continuous Mix)", HOUR // 2)

HEARD_ON = ("harbour-fm", "linden-radio", "saltmarsh-sound", "fjord-7", "lantern-loop")


@dataclass(frozen=True)
class Scene:
    """A song that is not just played from its beginning to its end.

    Attributes:
        station_id: where.
        minute: it is the first song that begins from then on.
        airings: each is to become a play: from and to which seconds of the scene the song is heard.
        ends: second of the scene at which the next song begins, if there are no news.
        track: what is played; None for the next song in the station's turn.
    """

    station_id: str
    minute: int
    airings: tuple[tuple[tuple[int, int], ...], ...]
    ends: int
    track: Track | None = None


SCENES = (
    # Played twice in a row: two plays.
    Scene("harbour-fm", 24, (((0, 170),), ((225, 395),)), ends=385),
    # Interrupted by the news for longer than the gap: two plays.
    Scene("harbour-fm", 25, (((0, 110),), ((205, 305),)), ends=295),
    # Interrupted by a jingle for less than the gap: one play.
    Scene("harbour-fm", 26, (((0, 95), (110, 200)),), ends=235),
    Scene("linden-radio", 12, (((0, 150),), ((200, 350),)), ends=341),
    Scene("linden-radio", 75, (((0, 60), (74, 150), (162, 230)),), ends=250),
    Scene("saltmarsh-sound", 40, (((0, 80),), ((250, 350),)), ends=365),
    Scene("fjord-7", 96, (((0, 130), (140, 210)),), ends=200),
    # Its refrain again under the song that follows, first within the gap and then after more than it.
    Scene("saltmarsh-sound", 95, (((0, 170), (182, 203)),), ends=165),
    Scene("fjord-7", 20, (((0, 180),), ((245, 276),)), ends=175),
    # A mix of half an hour: more matches than one transaction takes.
    Scene("lantern-loop", 62, (((0, MIX.seconds),),), ends=MIX.seconds, track=MIX),
)


@dataclass(frozen=True)
class SlowLine:
    """What a station plays from one minute to another is written late, in its order."""

    station_id: str
    from_minute: int
    to_minute: int
    late_minutes: int


SLOW_LINES = (
    SlowLine("saltmarsh-sound", 58, 71, late_minutes=14),
    SlowLine("linden-radio", 132, 140, late_minutes=6),
    SlowLine("lantern-loop", 88, 91, late_minutes=25),  # the last of the mix
)

HOLES = 0.05  # chance at each match that one or two are missed, or come late
MISSED = 0.5  # share of the holes that nobody ever hears
LATE_BEGINNINGS = 0.1  # share of airings whose first matches come late
LATE_MINUTES = (1, 40)
REPEATED = 0.006  # share of matches that a second detector reports as well, of the same instant


@dataclass(frozen=True)
class Airing:
    """A play that is meant: when the song is heard, in seconds from the beginning."""

    station: Station
    track: Track
    heard: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Play:
    """One line of ``detections-plays.csv``: what PlayLog has to say of an airing."""

    station_id: str
    track_id: str
    start_time: str
    stop_time: str
    match_count: int


@dataclass(frozen=True)
class Afternoon:
    """The matches in the order in which they are written, and the plays that they have to become."""

    rows: Sequence[Row]
    plays: Sequence[Play]


@dataclass(frozen=True)
class _Arrival:
    at: int  # when the match is written, in seconds from the beginning
    row: Row


def make_afternoon() -> Afternoon:
    """The three hours."""
    dice = Dice(SEED)
    libraries = make_libraries(Dice(make_airplay.SEED))
    stations = [station for station in STATIONS if station.station_id in HEARD_ON]
    airings = [airing for station in stations for airing in broadcast(station, libraries[station.library], dice)]

    arrivals: list[_Arrival] = []
    plays: list[Play] = []
    for airing in airings:
        found = list(detect(airing, dice))
        arrivals += found
        plays.append(play_of(airing, [each.row for each in found]))
    arrivals.sort(key=lambda arrival: arrival.at)
    plays.sort(key=lambda play: (play.station_id, play.start_time, play.track_id))
    rows = [replace(arrival.row, match_id=f"d-260315-{n:05}") for n, arrival in enumerate(arrivals, start=1)]
    return Afternoon(rows, plays)


def broadcast(station: Station, library: Mapping[str, Sequence[Track]], dice: Dice) -> Iterator[Airing]:
    """What a station plays, one song after the other."""
    scenes = [scene for scene in SCENES if scene.station_id == station.station_id]
    scenes.sort(key=lambda scene: scene.minute)
    last_played: dict[str, int] = {}  # second, by track and by artist
    clock = cycle(station.clock)
    now = station.news_seconds
    while now < ON_AIR - SHORTEST:
        scene = scenes.pop(0) if scenes and now >= scenes[0].minute * 60 else None
        ends_by = now - now % HOUR + HOUR if station.news_seconds else ON_AIR  # the news wait for no song
        if ends_by - now < SHORTEST:
            now = ends_by + station.news_seconds
            continue
        track = scene.track if scene else None
        if not track:
            track = next_track(library, next(clock), now, last_played, dice)
        last_played[track.track_id] = last_played[track.artist] = now
        airings = scene.airings if scene else (((0, min(track.seconds, ends_by - now)),),)
        for heard in airings:
            yield Airing(station, track, tuple((now + begin, now + end) for begin, end in heard))
        now += scene.ends if scene else airings[0][0][1]
        if now >= ends_by:
            now += station.news_seconds
        elif scene:
            continue
        elif dice.random() < CROSS_FADED:
            now -= dice.between(*CROSS_FADE)
        else:
            now += dice.between(*programme_at(station, now)[1]) if station.news_seconds else 2


def detect(airing: Airing, dice: Dice) -> Iterator[_Arrival]:
    """The matches of an airing. Whatever has come of them so far, no hole among them is longer than the gap."""
    usual = dice.between(84, 95)  # percent
    for part, (begin, end) in enumerate(airing.heard):
        instants = list(listen(begin, end, dice))
        missed, late = holes(len(instants), dice)
        if part == 0 and dice.random() < LATE_BEGINNINGS:
            late |= set(range(dice.between(1, 2)))
        for place, at in enumerate(instants):
            if place in missed:
                continue
            edge = 9 if place == 0 or place == len(instants) - 1 else 0  # the song fades in or out
            row = match_at(airing, at, usual - edge + 4 * dice.random())
            written = at + LISTENS + slow(airing, at) + (60 * dice.between(*LATE_MINUTES) if place in late else 0)
            yield _Arrival(written, row)
            if dice.random() < REPEATED:
                yield _Arrival(written + dice.between(0, 90), repeated(row, dice))


def listen(begin: int, end: int, dice: Dice) -> Iterator[int]:
    """The seconds at which ten seconds of the song are recognized."""
    at = begin + dice.between(0, 3)
    while at + LISTENS <= end:
        yield at
        at += LISTENS + (dice.random() < 0.15)


def holes(count: int, dice: Dice) -> tuple[set[int], set[int]]:
    """Which of so many matches are missed and which come late: two in a row at most, and neither end is near."""
    missed: set[int] = set()
    late: set[int] = set()
    place = 5
    while place < count - 5:
        if dice.random() < HOLES:
            length = dice.between(1, 2)
            (missed if dice.random() < MISSED else late).update(range(place, place + length))
            place += length + 3
        place += 1
    return missed, late


def slow(airing: Airing, at: int) -> int:
    """Seconds that a slow line keeps a match. What began before the line recovers is slow to its end."""
    station_id, began = airing.station.station_id, airing.heard[0][0]
    return sum(
        60 * line.late_minutes
        for line in SLOW_LINES
        if line.station_id == station_id and at >= line.from_minute * 60 and began < line.to_minute * 60
    )


def match_at(airing: Airing, second: int, confidence: float) -> Row:
    """The match that begins at a second. Its id is given when it is written."""
    station, track = airing.station, airing.track
    return Row(
        match_id="",
        matched_at=local_time(station, second).isoformat(),
        track_id=track.track_id,
        station_id=station.station_id,
        station_program_id=f"{station.station_id}/{programme_at(station, second)[0]}" if station.news_seconds else "",
        source=station.source,
        duration_seconds=str(LISTENS),
        avg_confidence_score=f"{confidence:.1f}",
        artist=track.artist,
        title=track.title,
    )


def repeated(row: Row, dice: Dice) -> Row:
    """What a second detector writes of the same instant: the same, in UTC, or with another confidence."""
    match dice.between(1, 3):
        case 1:
            return row
        case 2:
            return replace(row, matched_at=datetime.fromisoformat(row.matched_at).astimezone(UTC).isoformat())
        case _:
            return replace(row, avg_confidence_score=f"{float(row.avg_confidence_score) - 3:.1f}")


def play_of(airing: Airing, rows: Sequence[Row]) -> Play:
    """The play that was meant: from the first of its matches to the end of the last, all of them counted."""
    zone = timezone(timedelta(hours=airing.station.utc_offset))
    instants = [datetime.fromisoformat(row.matched_at).astimezone(zone) for row in rows]
    stop = max(instants) + timedelta(seconds=LISTENS)
    return Play(
        airing.station.station_id, airing.track.track_id, min(instants).isoformat(), stop.isoformat(), len(rows)
    )


def local_time(station: Station, second: int) -> datetime:
    """So many seconds after the beginning, on the station's clock."""
    return BEGINS.astimezone(timezone(timedelta(hours=station.utc_offset))) + timedelta(seconds=second)


def programme_at(station: Station, second: int) -> tuple[str, tuple[int, int]]:
    """The programme on air, and how many seconds are talked between two of its songs."""
    hour = local_time(station, second).hour
    programme = next(on_air for on_air in reversed(PROGRAMMES) if hour >= on_air.from_hour)
    return programme.name, programme.talk_seconds


def write_plays(plays: Iterable[Play], path: Path) -> None:
    """The plays as a CSV file, with a line feed after each row on every system."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(column.name for column in fields(Play))
        writer.writerows(astuple(play) for play in plays)


def main(arguments: Sequence[str]) -> None:
    """Writes both files into the folder given, or next to this script."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent
    afternoon = make_afternoon()
    make_airplay.write(afternoon.rows, folder / "detections.csv")
    write_plays(afternoon.plays, folder / "detections-plays.csv")
    print(f"{folder / 'detections.csv'}: {len(afternoon.rows)} matches, to become {len(afternoon.plays)} plays")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Draws ``docs/airings.svg``: what a gap makes of twenty minutes of ``detections.csv``.

    python -m samples.draw_airings [FILE]

The plays of a gap of 30 s are those of ``detections-plays.csv``; without a gap each instant is a play of its own.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bench.figures import svg

SAMPLES = Path(__file__).parent
STATION = "harbour-fm"
BEGINS = datetime.fromisoformat("2026-03-15T17:22:00+01:00")
MINUTES = 20
# What happens to each song of these twenty minutes, in the order in which they begin.
STORIES = (
    ("played once,", "fades into the next song"),
    ("played twice, a minute apart;", "two matches were missed"),
    ("interrupted by the news", "for longer than the gap"),
    ("interrupted by a jingle", "for less than the gap"),
)

WIDTH, HEIGHT = 980, 404
TOP, ROW = 94, 68  # where the first song's row begins, and how high a row is
NAMES = 24  # where the songs' names begin
PANELS = (230, 612)  # where the panels begin: without a gap, and with one
PANEL = 344  # how wide a panel is
TICK, BAR = 10, 16  # how high a match and a play are drawn
COLOURS = ("#2f6db3", "#c8731f", "#ad2f6d", "#2e7d5b")
SIDE = 2.2  # width of a match: less than its ten seconds, so that two in a row can be told apart


@dataclass(frozen=True)
class Span:
    """From when to when something is heard."""

    start: datetime
    stop: datetime


@dataclass(frozen=True)
class Song:
    """A song of the twenty minutes: its matches, and its plays with a gap."""

    title: str
    matches: Sequence[Span]
    plays: Sequence[Span]

    @property
    def instants(self) -> Sequence[Span]:
        """Its plays without a gap."""
        return [*{match.start: match for match in self.matches}.values()]


STYLE = (
    "text { fill: #1d2730 } .small { font-size: 12.5px; fill: #44505c } .name { font-weight: bold } "
    ".middle { text-anchor: middle } .end { text-anchor: end } .head { font-size: 17px; font-weight: bold } "
    ".rule { stroke: #dde2e7 } .axis { stroke: #7b8794 }"
)


def songs() -> Iterator[Song]:
    """The songs that begin and end within the twenty minutes."""
    plays = [(row["track_id"], _span(row["start_time"], row["stop_time"])) for row in _rows("detections-plays.csv")]
    plays = [(track_id, span) for track_id, span in plays if _is_shown(span)]
    matches = _rows("detections.csv")
    for track_id in dict.fromkeys(track_id for track_id, _ in plays):
        heard = [row for row in matches if row["track_id"] == track_id]
        yield Song(
            heard[0]["title"],
            sorted(filter(_is_shown, map(_match, heard)), key=lambda span: span.start),
            [span for of_track, span in plays if of_track == track_id],
        )


def draw() -> str:
    """The figure."""
    shown = list(songs())
    matches = sum(len(song.matches) for song in shown)
    instants, joined = sum(len(song.instants) for song in shown), sum(len(song.plays) for song in shown)
    label = (
        f"{matches} matches of {len(shown)} songs on one station in {MINUTES} minutes: "
        f"{instants} plays without a gap, {joined} with a gap of 30 seconds"
    )
    lines = [
        *_heads(f"{instants} plays", f"{joined} plays"),
        svg.styled_text(NAMES, 36, f"{matches} matches", "head"),
        svg.styled_text(NAMES, 58, f"of {len(shown)} songs on {STATION},", "small"),
        svg.styled_text(NAMES, 75, f"{BEGINS:%H:%M} to {BEGINS + timedelta(minutes=MINUTES):%H:%M}", "small"),
    ]
    for place, (song, story) in enumerate(zip(shown, STORIES, strict=True)):
        lines += _row(song, story, TOP + place * ROW, COLOURS[place])
    for left in PANELS:
        lines += _axis(left, TOP + len(shown) * ROW)
    return svg.figure(label, WIDTH, HEIGHT, lines, STYLE)


def _heads(without: str, having: str) -> Iterator[str]:
    for left, plays, says in (
        (PANELS[0], without, "AiringGapSeconds 0: each match is a play"),
        (PANELS[1], having, "AiringGapSeconds 30: each airing is a play"),
    ):
        yield svg.styled_text(left, 36, plays, "head")
        yield svg.styled_text(left, 58, says, "small")


def _row(song: Song, story: tuple[str, str], top: int, colour: str) -> Iterator[str]:
    yield f'<path class="rule" d="M{NAMES} {top}H{WIDTH - NAMES}"/>'
    yield svg.styled_text(NAMES, top + 22, song.title, "name")
    yield svg.styled_text(NAMES, top + 40, story[0], "small")
    yield svg.styled_text(NAMES, top + 56, story[1], "small")
    for left, plays in zip(PANELS, (song.instants, song.plays), strict=True):
        yield f'<g fill="{colour}" fill-opacity=".45">'
        for match in song.matches:
            yield svg.bar(left + x(match.start), top + 14, SIDE, TICK)
        yield f'</g><g fill="{colour}">'
        for play in plays:
            width = max(SIDE, x(play.stop) - x(play.start)) if plays is song.plays else SIDE
            yield svg.bar(left + x(play.start), top + 34, width, BAR, radius=1)
        yield "</g>"
        yield beside(song, left, top + 23, counted(len(song.matches), "match", "matches"), "small")
        yield beside(song, left, top + 47, counted(len(plays), "play", "plays"), "name")


def _axis(left: int, top: int) -> Iterator[str]:
    yield f'<path class="axis" d="M{left} {top}h{PANEL}"/>'
    for minute in range(-BEGINS.minute % 5, MINUTES + 1, 5):
        instant = BEGINS + timedelta(minutes=minute)
        yield f'<path class="axis" d="M{left + x(instant):g} {top}v5"/>'
        yield svg.styled_text(left + x(instant), top + 20, f"{instant:%H:%M}", "small middle")


def beside(song: Song, left: int, baseline: int, what: str, kind: str) -> str:
    """A line of text after a song's last match or, where there is no room, before its first."""
    end = x(max(match.stop for match in song.matches))
    if end < PANEL * 0.7:
        return svg.styled_text(left + end + 8, baseline, what, kind)
    return svg.styled_text(left + x(song.matches[0].start) - 8, baseline, what, f"{kind} end")


def counted(number: int, one: str, several: str) -> str:
    """So many of them, in words."""
    return f"{number} {one if number == 1 else several}"


def x(instant: datetime) -> float:
    """How far from the left of a panel an instant is drawn."""
    return PANEL * (instant - BEGINS).total_seconds() / (60 * MINUTES)


def _is_shown(span: Span) -> bool:
    return span.start >= BEGINS and span.stop <= BEGINS + timedelta(minutes=MINUTES)


def _match(row: dict[str, str]) -> Span:
    start = datetime.fromisoformat(row["matched_at"])
    return Span(start, start + timedelta(seconds=int(row["duration_seconds"])))


def _span(start: str, stop: str) -> Span:
    return Span(datetime.fromisoformat(start), datetime.fromisoformat(stop))


def _rows(name: str) -> list[dict[str, str]]:
    """The station's rows of a sample."""
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["station_id"] == STATION]


def main(arguments: Sequence[str]) -> None:
    """Draws into the file given, or into ``docs``."""
    path = Path(arguments[0]) if arguments else SAMPLES.parent / "docs" / "airings.svg"
    path.write_text(draw(), encoding="utf-8", newline="\n")
    print(path)


if __name__ == "__main__":
    main(sys.argv[1:])

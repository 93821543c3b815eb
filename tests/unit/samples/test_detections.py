"""The sample detections have to become the plays that were meant, so that one that is off is the pipeline's fault."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from samples import draw_airings, make_detections
from samples.make_airplay import Row
from samples.make_detections import GAP, HEARD_ON
from tests.support import airings
from tests.support.airings import Airing, Detection
from tests.unit.samples.test_samples import ROOT, contract_says

SAMPLES = ROOT / "samples"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """What stands in the committed file."""
    with (SAMPLES / "detections.csv").open(encoding="utf-8", newline="") as file:
        return [Row(**cells) for cells in csv.DictReader(file)]


@pytest.fixture(scope="module")
def detections(rows: list[Row]) -> list[Detection]:
    return [detection_of(row) for row in rows]


@pytest.fixture(scope="module")
def meant() -> list[Airing]:
    """What stands in the committed file of plays."""
    with (SAMPLES / "detections-plays.csv").open(encoding="utf-8", newline="") as file:
        return [
            Airing(
                cells["station_id"],
                cells["track_id"],
                datetime.fromisoformat(cells["start_time"]),
                datetime.fromisoformat(cells["stop_time"]),
                int(cells["match_count"]),
                mean=None,
            )
            for cells in csv.DictReader(file)
        ]


def test_who_changes_the_script_and_not_the_files_is_told(tmp_path: Path) -> None:
    make_detections.main([str(tmp_path)])

    for name in ("detections.csv", "detections-plays.csv"):
        assert (SAMPLES / name).read_bytes() == (tmp_path / name).read_bytes()


def test_the_figure_shows_the_detections_as_they_are() -> None:
    assert (ROOT / "docs" / "airings.svg").read_text(encoding="utf-8") == draw_airings.draw()


def test_the_plays_that_were_meant_are_those_of_the_rule(detections: list[Detection], meant: list[Airing]) -> None:
    assert sorted(joined(detections), key=repr) == sorted(meant, key=repr)


def test_a_musician_is_paid_alike_in_whatever_portions_the_file_is_loaded(detections: list[Detection]) -> None:
    """No match joins two airings of the matches before it: both might be plays by then."""
    so_far: defaultdict[tuple[str, str], list[Detection]] = defaultdict(list)
    for detection in detections:
        of_track = so_far[detection.station_id, detection.track_id]
        before = len(joined(of_track))
        of_track.append(detection)
        assert len(joined(of_track)) >= before, detection


def test_a_play_that_is_off_would_not_be_put_down_to_a_broken_match(rows: list[Row]) -> None:
    assert [row for row in rows if contract_says(row)] == []
    assert len({row.match_id for row in rows}) == len(rows)
    assert {row.station_id for row in rows} == set(HEARD_ON)
    assert {row.duration_seconds for row in rows} == {"10"}
    assert (SAMPLES / "detections.csv").stat().st_size < 1_000_000


def test_a_song_paid_once_too_often_or_once_too_seldom_would_show(
    detections: list[Detection], meant: list[Airing]
) -> None:
    """Twice in a row, interrupted for longer than the gap and for less, a mix, songs over one another."""
    silences = [
        (later.start - earlier.stop).total_seconds()
        for earlier, later in pairwise(sorted(meant, key=lambda airing: (airing.station_id, airing.start)))
        if (earlier.station_id, earlier.track_id) == (later.station_id, later.track_id)
    ]
    assert len([silence for silence in silences if GAP < silence < 3 * GAP]) >= 2
    assert len([silence for silence in silences if silence > 3 * GAP]) >= 2
    assert len([hole for hole in holes(detections) if GAP / 2 < hole <= GAP]) >= 20
    assert max(airing.match_count for airing in meant) > 98, "more than one transaction takes"
    assert len(list(overlapping(meant))) >= 40
    assert any(outer.start < inner.start and inner.stop < outer.stop for outer, inner in overlapping(meant))


def test_a_match_that_comes_late_or_again_would_be_missed(detections: list[Detection], meant: list[Airing]) -> None:
    late = [later for earlier, later in pairwise(detections) if earlier.start - later.start > timedelta(minutes=1)]
    starts = {(airing.station_id, airing.track_id, airing.start) for airing in meant}
    again = Counter((each.station_id, each.track_id, each.start) for each in detections)

    assert len(late) >= 100
    assert len([each for each in late if (each.station_id, each.track_id, each.start) in starts]) >= 5
    assert len([times for times in again.values() if times > 1]) >= 20


def joined(detections: list[Detection]) -> list[Airing]:
    return airings.airings(detections, timedelta(seconds=GAP))


def detection_of(row: Row) -> Detection:
    start = datetime.fromisoformat(row.matched_at)
    return Detection(row.station_id, row.track_id, start, start + timedelta(seconds=int(row.duration_seconds)))


def holes(detections: list[Detection]) -> Iterator[float]:
    """Seconds of silence between two matches of a station's track, one after the other."""
    ordered = sorted(detections, key=lambda each: (each.station_id, each.track_id, each.start))
    for earlier, later in pairwise(ordered):
        if (earlier.station_id, earlier.track_id) == (later.station_id, later.track_id):
            yield (later.start - earlier.stop).total_seconds()


def overlapping(found: list[Airing]) -> Iterator[tuple[Airing, Airing]]:
    """Airings of a station that are heard over one another."""
    for place, earlier in enumerate(ordered := sorted(found, key=lambda airing: (airing.station_id, airing.start))):
        for later in ordered[place + 1 : place + 4]:
            if later.station_id == earlier.station_id and later.start < earlier.stop:
                yield earlier, later

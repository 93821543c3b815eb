"""The sample day is what its script says it is, so that a count that is off is the pipeline's fault."""

import csv
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))  # the script is no package of ours

from samples.make_airplay import ROTATIONS, STATIONS, Day, Row, main, make_day  # noqa: E402

COMMITTED = ROOT / "samples" / "airplay.csv"
LONGEST_KEY = 1_024  # bytes of a DynamoDB sort key


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day()


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """What stands in the committed file."""
    with COMMITTED.open(encoding="utf-8", newline="") as file:
        return [Row(**cells) for cells in csv.DictReader(file)]


@pytest.fixture(scope="module")
def sound(rows: list[Row]) -> list[Row]:
    return [row for row in rows if contract_says(row) is None]


def test_who_changes_the_script_and_not_the_file_is_told(tmp_path: Path) -> None:
    main([str(tmp_path / "airplay.csv")])

    assert COMMITTED.read_bytes() == (tmp_path / "airplay.csv").read_bytes()


def test_every_match_fails_for_the_reason_intended_or_not_at_all(day: Day, rows: list[Row]) -> None:
    verdicts = {row.match_id: contract_says(row) for row in rows}

    assert {match_id: code for match_id, code in verdicts.items() if code} == day.reason_codes


def test_the_plays_a_newcomer_is_promised_are_those_in_the_file(day: Day, sound: list[Row]) -> None:
    assert day.expected_plays == len({play_of(row) for row in sound})


def test_the_day_is_large_enough_to_look_real_and_small_enough_to_run(day: Day, rows: list[Row]) -> None:
    assert 2_800 <= len(rows) <= 3_300
    assert len({row.match_id for row in rows}) == len(rows)
    assert {row.station_id for row in rows if row.station_id.strip()} == {s.station_id for s in STATIONS}
    assert len(STATIONS) == 10
    assert 20 <= day.expected_failures.total() <= 40


def test_no_reason_that_a_file_can_bring_goes_without_an_example(day: Day) -> None:
    failures = day.expected_failures

    assert failures.pop("REJECTED") == 1
    assert set(failures) == {
        "MISSING_TRACK",
        "MISSING_STATION",
        "INVALID_TIME",
        "INVALID_DURATION",
        "INVALID_CONFIDENCE",
        "INVALID_SOURCE",
        "MALFORMED",
    }
    assert min(failures.values()) >= 2


def test_failures_come_all_day_long_and_not_in_one_batch(day: Day, rows: list[Row]) -> None:
    tenths = Counter(place * 10 // len(rows) for place, row in enumerate(rows) if row.match_id in day.reason_codes)

    assert set(tenths) == set(range(10))


def test_a_play_paid_twice_would_show(sound: list[Row]) -> None:
    """Repeats of every kind: the same again, another confidence, another offset, three and more."""
    by_play = defaultdict(list)
    for row in sound:
        by_play[play_of(row)].append(row)
    repeats = [matches for matches in by_play.values() if len(matches) > 1]

    def differ(matches: list[Row]) -> tuple[bool, bool]:
        return len({m.matched_at for m in matches}) > 1, len({m.avg_confidence_score for m in matches}) > 1

    assert len(repeats) >= 30
    assert {differ(matches) for matches in repeats} >= {(False, False), (False, True), (True, False)}
    assert any(len(matches) >= 3 and differ(matches) == (True, True) for matches in repeats)


def test_a_match_that_comes_late_or_states_little_would_be_missed(sound: list[Row]) -> None:
    instants = [datetime.fromisoformat(row.matched_at) for row in sound]
    late = sum(later < earlier for earlier, later in pairwise(instants))

    assert 10 <= late <= len(sound) * 0.03
    assert any(not row.station_program_id for row in sound if row.source == "Radio")
    assert any(not row.duration_seconds for row in sound)
    assert any(not row.avg_confidence_score for row in sound)
    assert {row.source for row in sound} == {"Radio", "Streaming"}
    assert len({datetime.fromisoformat(row.matched_at).utcoffset() for row in sound}) >= 7
    assert any(row.matched_at.endswith("Z") for row in sound)


def test_no_station_plays_what_no_station_would(sound: list[Row]) -> None:
    """No track over another one, and none again before it has rested as the fastest rotation wants."""
    last_end: dict[str, datetime] = {}
    last_start: dict[tuple[str, str], datetime] = {}
    airings = {play_of(row): row for row in sound}

    for (station, track, starts), row in sorted(airings.items(), key=lambda airing: airing[0][2]):
        assert starts >= last_end.get(station, starts), row
        rested = starts - last_start.get((station, track), starts - timedelta(days=1))
        assert rested >= timedelta(seconds=min(rotation.rest for rotation in ROTATIONS)), row
        last_start[station, track] = starts
        if row.duration_seconds:
            assert 120 <= int(row.duration_seconds) <= 420, row
            last_end[station] = starts + timedelta(seconds=int(row.duration_seconds))


def play_of(row: Row) -> tuple[str, str, datetime]:
    """What makes two matches one play: station, track and instant."""
    return row.station_id, row.track_id, datetime.fromisoformat(row.matched_at).astimezone(UTC)


def contract_says(row: Row) -> str | None:
    """The contract's reason code for a row, read off its table rather than off the script's."""
    duration, confidence = number(row.duration_seconds), number(row.avg_confidence_score)
    if (row.duration_seconds and duration is None) or (row.avg_confidence_score and confidence is None):
        return "MALFORMED"
    if not row.track_id.strip():
        return "MISSING_TRACK"
    if not row.station_id.strip():
        return "MISSING_STATION"
    if not has_happened(row.matched_at):
        return "INVALID_TIME"
    if duration is not None and not 0 < duration <= 86_400:
        return "INVALID_DURATION"
    if confidence is not None and not 0 <= confidence <= 100:
        return "INVALID_CONFIDENCE"
    if row.source not in ("", "Radio", "Streaming"):
        return "INVALID_SOURCE"
    if len(f"2026-03-14T00:00:00.000000+0000#{row.track_id}".encode()) > LONGEST_KEY:
        return "REJECTED"
    return None


def number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def has_happened(text: str) -> bool:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return False
    return instant.tzinfo is not None and instant <= datetime.now(UTC) + timedelta(hours=24)

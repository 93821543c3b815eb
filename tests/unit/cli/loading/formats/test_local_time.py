"""Local times are not doubled and not lost when clocks change: an hour off is another rate, or another play."""

from datetime import datetime
from pathlib import Path

import pytest
from playlog_cli.loading.formats.reading.local_time import folds_of

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems

FORMAT = """
time_zone = "Europe/Zurich"
[match]
matched_at = { column = "t", format = "%d.%m.%Y %H:%M" }
track_id = "id"
station_id = "s"
"""


def read(folder: Path, *times: str, extra: str = "", station: str = "fm-1") -> tuple[list[str], list[str]]:
    """The instants of a log's rows, without their date, and the problems of its bad rows."""
    path = folder / "log.csv"
    rows = [f"{time},{number},{station}" for number, time in enumerate(times)]
    path.write_text("\n".join(["t,id,s", *rows, ""]))
    found = outcomes(path, extra + FORMAT)
    return [each["matched_at"][11:16] for each in matches(found)], [problem for _, problem in problems(found)]


def test_an_hour_that_the_clock_skips_is_an_error_that_names_row_and_zone(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("t,id,s\n29.03.2026 01:59,1,a\n29.03.2026 02:00,2,a\n29.03.2026 03:00,3,a\n")

    rows = outcomes(tmp_path / "log.csv", FORMAT)

    assert [each["matched_at"] for each in matches(rows)] == [
        "2026-03-29T00:59:00.000000+0000",
        "2026-03-29T01:00:00.000000+0000",
    ]
    ((line, problem),) = problems(rows)
    assert line == 3
    assert "'2026-03-29 02:00:00', which is an hour that the clock skips in Europe/Zurich" in problem


def test_the_order_of_the_rows_decides_an_hour_that_is_shown_twice(tmp_path: Path) -> None:
    times = ["01:50", "02:10", "02:50", "02:05", "02:55", "03:01"]

    assert read(tmp_path, *(f"25.10.2026 {time}" for time in times)) == (
        ["23:50", "00:10", "00:50", "01:05", "01:55", "02:01"],
        [],
    )
    assert read(tmp_path, *(f"25.10.2026 {time}" for time in reversed(times))) == (
        ["02:01", "01:55", "01:05", "00:50", "00:10", "23:50"],
        [],
    )


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (["02:10"], "one row has no order"),
        (["01:50", "02:10", "02:50", "03:10"], "times never go back"),
        (["02:40", "02:05"], "the log may be in either order"),
        (["01:50", "02:40", "02:05", "02:30", "02:10", "03:10"], "times go back twice"),
    ],
)
def test_where_the_order_does_not_decide_it_the_log_format_does(tmp_path: Path, times: list[str], why: str) -> None:
    days = [f"25.10.2026 {time}" for time in times]
    hidden = [time for time in times if time.startswith("02")]

    instants, bad = read(tmp_path, *days)
    assert len(bad) == len(hidden), why
    assert 'set ambiguous = "earlier" or "later"' in bad[0]

    earlier, none = read(tmp_path, *days, extra='ambiguous = "earlier"\n')
    assert sorted(set(earlier) - set(instants)) == sorted(f"00{time[2:]}" for time in hidden)
    assert none == []
    later, none = read(tmp_path, *days, extra='ambiguous = "later"\n')
    assert sorted(set(later) - set(instants)) == sorted(f"01{time[2:]}" for time in hidden)
    assert none == []


def test_each_station_has_its_own_order(tmp_path: Path) -> None:
    rows = ["a,02:40", "b,02:50", "a,02:10", "b,02:20", "b,03:10", "a,03:20"]
    before = ["a,01:40", "b,01:50"]
    path = tmp_path / "log.csv"
    path.write_text("s,t,id\n" + "".join(f"{row[0]},25.10.2026 {row[2:]},{row[2:]}\n" for row in before + rows))

    found = {
        (each["station_id"], each["track_id"]): each["matched_at"][11:16] for each in matches(outcomes(path, FORMAT))
    }

    assert (found["a", "02:40"], found["a", "02:10"]) == ("00:40", "01:10")
    assert (found["b", "02:50"], found["b", "02:20"]) == ("00:50", "01:20")


def test_a_jump_from_one_station_to_the_next_decides_nothing(tmp_path: Path) -> None:
    rows = ["a,01:40", "a,02:30", "b,02:10", "b,03:10"]
    path = tmp_path / "log.csv"
    path.write_text("s,t,id\n" + "".join(f"{row[0]},25.10.2026 {row[2:]},x\n" for row in rows))

    assert sorted(line for line, _ in problems(outcomes(path, FORMAT))) == [3, 4]


@pytest.mark.parametrize("time", ["0001-01-01 00:00:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_no_calendar_has_in_utc_is_a_bad_row(tmp_path: Path, time: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"t,id\n{time},x\n2026-03-14 08:00:00,y\n")

    rows = outcomes(path, 'time_zone = "Europe/Zurich"\n[match]\nmatched_at = "t"\ntrack_id = "id"\n')

    assert len(matches(rows)) == 1
    ((line, problem),) = problems(rows)
    assert line == 2
    assert "lies before year 1 or after year 9999 in UTC" in problem


def test_two_years_in_one_file_are_two_changes_of_the_clock(tmp_path: Path) -> None:
    instants, bad = read(tmp_path, "26.10.2025 02:40", "25.10.2026 02:30", "25.10.2026 03:00")

    assert (instants, len(bad)) == (["02:00"], 2)

    times = ["26.10.2025 02:40", "25.10.2026 02:30", "25.10.2026 02:05", "25.10.2026 03:00"]
    instants, bad = read(tmp_path, *times)

    assert (instants, len(bad)) == (["00:30", "01:05", "02:00"], 1)


def test_one_row_between_two_jumps_is_not_enough() -> None:
    def at(hour: int, minute: int) -> datetime:
        return datetime(2026, 10, 25, hour, minute)  # noqa: DTZ001 - a local time

    assert folds_of([at(2, 40), at(2, 5)], at(1, 59), None) == [0, 1]
    assert folds_of([at(2, 40), at(2, 5)], None, at(3, 1)) == [0, 1]
    assert folds_of([at(2, 5), at(2, 40)], at(3, 1), None) == [1, 0]
    assert folds_of([at(2, 40), at(2, 5)], at(3, 1), None) is None  # the log descends, without a jump
    assert folds_of([at(2, 40), at(2, 40)], at(1, 59), at(3, 1)) is None

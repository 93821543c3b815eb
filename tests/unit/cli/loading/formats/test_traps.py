"""What looks like a good row and would pay wrongly: dates without times, ends before starts, hours typed as minutes."""

import unicodedata
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.loading.files.row import Row, RowsError
from playlog_cli.loading.formats.model import FormatError
from playlog_cli.loading.formats.toml.parse import parse_format
from playlog_cli.loading.matches import RowError, Seen, match_of

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems, skipped

FORMAT = """
time_zone = "Europe/Berlin"
[match]
matched_at = "At"
track_id = "Id"
"""


def log(folder: Path, *rows: str) -> Path:
    path = folder / "log.csv"
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def workbook(folder: Path, *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "log.xlsx")
    return folder / "log.xlsx"


@pytest.mark.parametrize("text", ["2026-03-14", "20260314", "2026-W11-6"])
def test_a_date_without_a_time_is_not_midnight(tmp_path: Path, text: str) -> None:
    # All plays of a track on a day would become one.
    rows = outcomes(log(tmp_path, "At,Id", f"{text},a"), FORMAT)

    assert matches(rows) == []
    assert problems(rows)[0][1].startswith(f"matched_at is '{text}', which has no time of the day")


def test_a_time_alone_is_not_called_a_date(tmp_path: Path) -> None:
    rows = outcomes(log(tmp_path, "At,Id", "08:00:05,a"), FORMAT)

    assert "it must be a time like '2026-03-14 17:05:09'" in problems(rows)[0][1]


def test_a_workbook_with_dates_alone_has_no_times(tmp_path: Path) -> None:
    rows = outcomes(workbook(tmp_path, ["At", "Id"], [date(2026, 3, 14), "a"], [date(2026, 3, 15), "b"]), FORMAT)

    assert [line for line, problem in problems(rows) if "has no time of the day" in problem] == [2, 3]


def test_midnight_in_a_workbook_is_a_time(tmp_path: Path) -> None:
    midnight, later = datetime(2026, 3, 14), datetime(2026, 3, 14, 0, 4)  # noqa: DTZ001 - as a workbook has them
    rows = outcomes(workbook(tmp_path, ["At", "Id"], [midnight, "a"], [later, "b"]), FORMAT)

    assert [each["matched_at"][:16] for each in matches(rows)] == ["2026-03-13T23:00", "2026-03-13T23:04"]


def test_a_date_of_a_workbook_goes_with_a_time_that_is_text(tmp_path: Path) -> None:
    toml = """
time_zone = "Europe/Berlin"
[match]
matched_at = { columns = ["Day", "Time"], format = "%d.%m.%Y %I:%M %p" }
track_id = "Id"
"""
    rows = outcomes(workbook(tmp_path, ["Day", "Time", "Id"], [date(2026, 3, 14), "8:05 pm", "a"]), toml)

    assert [each["matched_at"][:16] for each in matches(rows)] == ["2026-03-14T19:05"]


def test_a_date_is_not_read_as_seconds_since_1970(tmp_path: Path) -> None:
    toml = '[match]\nmatched_at = { column = "At", format = "unix" }\ntrack_id = "Id"'
    rows = outcomes(log(tmp_path, "At,Id", "20260314,a"), toml)

    assert "too small for seconds" in problems(rows)[0][1]


def test_an_end_shortly_before_the_start_is_not_on_the_next_day(tmp_path: Path) -> None:
    toml = FORMAT + 'duration_seconds = { end = "End", format = "%H:%M:%S" }'
    rows = outcomes(
        log(tmp_path, "At,End,Id", "2026-03-14 08:05:00,08:04:58,a", "2026-03-14 23:58:00,00:02:00,b"), toml
    )

    assert [each["duration_seconds"] for each in matches(rows)] == ["240"]
    assert problems(rows) == [
        (2, "the end is '08:04:58', which is no time in the 12 hours after the start, 2026-03-14T07:05:00.000000+0000")
    ]


def test_a_bad_row_and_a_skipped_one_end_the_row_before_them(tmp_path: Path) -> None:
    # Once the bad row is corrected, loading again would not shorten the row before it.
    toml = (
        FORMAT
        + """
source = { column = "Medium", values = { "FM" = "Radio" } }
duration_seconds = { until_next = 600 }
[[skip]]
column = "Id"
values = ["jingle"]
"""
    )
    rows = outcomes(
        log(
            tmp_path,
            "At,Medium,Id",
            "2026-03-14 08:00:00,FM,a",
            "2026-03-14 08:03:00,???,b",
            "2026-03-14 08:05:00,FM,c",
            "2026-03-14 08:07:00,???,jingle",
            "2026-03-14 08:08:00,FM,d",
        ),
        toml,
    )

    assert [each.get("duration_seconds") for each in matches(rows)] == ["180", "120", None]
    assert [line for line, _ in problems(rows)] == [3]
    assert skipped(rows) == [5]


@pytest.mark.parametrize("clock", ["ss.fff", "ss,fff", "milliseconds", "m:ss", "h:mm:ss"])
@pytest.mark.parametrize("text", ["1e999999999", "1e99999999999999999999", "9" * 5_000, "9" * 5_000 + ":00:00", "nan"])
def test_a_number_of_any_size_costs_only_its_row(tmp_path: Path, clock: str, text: str) -> None:
    toml = FORMAT + f'duration_seconds = {{ column = "Length", format = "{clock}" }}'
    rows = outcomes(log(tmp_path, "At;Length;Id", f"2026-03-14 08:00:00;{text};a"), toml)

    assert [line for line, _ in problems(rows)] == [2]


@pytest.mark.parametrize("text", ["1e999999999", "1e999999999999999999", "nan", "1_773_471_605"])
def test_a_time_of_any_size_costs_only_its_row(tmp_path: Path, text: str) -> None:
    toml = '[match]\nmatched_at = { column = "At", format = "unix" }\ntrack_id = "Id"'

    assert [line for line, _ in problems(outcomes(log(tmp_path, "At,Id", f"{text},a"), toml))] == [2]


@pytest.mark.parametrize("typed", [time(3, 35), timedelta(hours=3, minutes=35)])
@pytest.mark.parametrize("clock", ["ss.fff", "m:ss"])
def test_minutes_that_a_spreadsheet_took_for_hours_are_refused(tmp_path: Path, typed: object, clock: str) -> None:
    toml = FORMAT + f'duration_seconds = {{ column = "Length", format = "{clock}" }}'
    start = datetime(2026, 3, 14, 8)  # noqa: DTZ001 - as a workbook has it
    rows = outcomes(workbook(tmp_path, ["At", "Length", "Id"], [start, typed, "a"]), toml)

    assert "a spreadsheet reads 3:35 as hours and minutes" in problems(rows)[0][1]


def test_a_first_row_that_names_no_columns_is_not_lost(tmp_path: Path) -> None:
    toml = 'time_zone = "Europe/Berlin"\n[match]\nmatched_at = 1\ntrack_id = 2'

    with pytest.raises(RowsError, match="line 1: the row has a time, so it names no columns: set header = false"):
        outcomes(log(tmp_path, "2026-03-14 08:00:00,a", "2026-03-14 08:03:00,b"), toml)
    first = datetime(2026, 3, 14, 8)  # noqa: DTZ001 - as a workbook has it
    with pytest.raises(RowsError, match="set header = false"):
        outcomes(workbook(tmp_path, [first, "a"], [first, "b"]), toml)


def test_a_quote_that_swallows_rows_is_a_bad_row(tmp_path: Path) -> None:
    toml = FORMAT + 'artist = "Artist"'
    rows = [
        "At\tArtist\tId",
        '2026-03-14 08:00:05\t"Weird Al\ta',
        "2026-03-14 08:03:05\tB\tb",
        '2026-03-14 08:06:05\tC "\tc',
        '2026-03-14 08:09:05\t"D\nand E, F"\td',
    ]
    found = outcomes(log(tmp_path, *rows), toml)

    assert [(each["track_id"], each["artist"]) for each in matches(found)] == [("d", "D\nand E, F")]
    assert [line for line, problem in problems(found) if "closed on line 4 only, and 2 more rows" in problem] == [2]


def test_a_nul_byte_makes_a_bad_row(tmp_path: Path) -> None:
    rows = outcomes(log(tmp_path, "At,Id", "2026-03-14 08:00:05,a\0", "2026-03-14 08:03:05,b"), FORMAT)

    assert [each["track_id"] for each in matches(rows)] == ["b"]
    assert [line for line, problem in problems(rows) if "with a NUL byte" in problem] == [2]


def test_a_log_whose_title_is_in_brackets_is_no_json(tmp_path: Path) -> None:
    rows = outcomes(log(tmp_path, "[fm-1] March", "At,Id", "2026-03-14 08:00:05,a"), FORMAT)

    assert [each["track_id"] for each in matches(rows)] == ["a"]


def test_a_column_number_is_one_that_a_table_can_have() -> None:
    with pytest.raises(FormatError, match="its number from 1 to 16,384"):
        parse_format("a.toml", FORMAT.replace('"Id"', "1000000000"))


@pytest.mark.parametrize("name", ["Zürich", unicodedata.normalize("NFD", "Zürich")])
def test_a_station_by_the_name_of_its_file_is_one_however_its_letters_are_made(tmp_path: Path, name: str) -> None:
    toml = 'file_name = "{station}.csv"\n' + FORMAT + 'station_id = "{station}"'
    path = tmp_path / f"{name}.csv"
    path.write_text("At,Id\n2026-03-14 08:00:05,a\n")

    assert [each["station_id"] for each in matches(outcomes(path, toml))] == [unicodedata.normalize("NFC", "Zürich")]


def test_half_a_character_in_json_is_a_bad_row_and_ends_nothing(tmp_path: Path) -> None:
    toml = FORMAT.replace('track_id = "Id"', 'artist = "artist"\ntitle = "title"')
    lines = (r'{"At": "2026-03-14 08:00:05", "artist": "Nena", "title": "cut \ud83d"}', '{"At": "2026-03-14 08:03:05"}')
    cut, whole = (row for row in outcomes(log(tmp_path, *lines), toml) if isinstance(row, Row))

    with Seen() as seen:
        with pytest.raises(RowError, match="'title' holds half a character"):
            match_of(cut, seen, shards=8)
        assert match_of(whole, seen, shards=8)

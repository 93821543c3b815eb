"""Files load as they were sent: in folders, by patterns, packed, several in a ZIP file, as workbooks."""

import gzip
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.errors import CommandError
from playlog_cli.loading.files.inputs import find_inputs
from playlog_cli.loading.files.row import Number, Row, RowsError
from playlog_cli.loading.files.sources import check_intact, opened
from playlog_cli.loading.outcomes import Options, outcomes

from tests.unit.cli.loading.formats.logs import matches, problems
from tests.unit.cli.loading.formats.logs import outcomes as read_log

CSV = b"matched_at,track_id\n2026-03-14T08:00:00+01:00,t\n"


def names(*paths: Path) -> list[str]:
    return [each.name for each in find_inputs(paths)]


def test_a_folder_and_a_pattern_are_the_files_in_them_each_once(tmp_path: Path) -> None:
    (tmp_path / "may").mkdir()
    for name in ("b.csv", "a.csv", ".hidden.csv", "may/c.csv", "may/.DS_Store", "notes.txt"):
        (tmp_path / name).write_bytes(CSV)

    assert names(tmp_path) == [str(tmp_path / name) for name in ("a.csv", "b.csv", "may/c.csv", "notes.txt")]
    assert names(tmp_path / "*.csv") == [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    assert names(tmp_path / "**" / "*.csv", tmp_path / "a.csv") == [
        str(tmp_path / name) for name in ("a.csv", "b.csv", "may/c.csv")
    ]
    assert names(tmp_path / ".hidden.csv") == [str(tmp_path / ".hidden.csv")]


def test_a_name_with_brackets_is_a_name_and_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "log [1].csv").write_bytes(CSV)

    assert names(tmp_path / "log [1].csv") == [str(tmp_path / "log [1].csv")]


@pytest.mark.parametrize("name", ["missing.csv", "*.csv", "."])
def test_a_path_that_leads_to_no_file_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match=r"name a file of matches"):
        find_inputs([tmp_path / name])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "week.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("fm-2.csv", CSV)
        file.writestr("fm-1.csv.gz", gzip.compress(CSV))
        file.writestr("__MACOSX/fm-1.csv", b"\0")
        file.writestr("logs/", b"")
        file.writestr("logs/.DS_Store", b"\0")
    return path


def test_each_file_in_a_zip_file_is_a_file(archive: Path) -> None:
    assert names(archive) == [f"{archive}/fm-1.csv.gz", f"{archive}/fm-2.csv"]
    for file in find_inputs([archive]):
        check_intact(file.path, file.member)
        with opened(file.path, file.member) as source:
            assert len(list(outcomes(source, Options(), timedelta(0)))) == 1
            assert source.bytes_read == source.bytes_total == file.size


def test_a_damaged_zip_file_is_found_before_a_row_is_loaded(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    position = content.find(b"fm-2.csv") + 12
    content[position] ^= 0xFF
    archive.write_bytes(content)
    (file,) = (each for each in find_inputs([archive]) if each.member == "fm-2.csv")

    with pytest.raises(RowsError, match="is a broken packed file"):
        check_intact(file.path, file.member)


def test_a_cut_zip_file_says_what_it_is(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-30])
    (file,) = find_inputs([archive])

    with opened(file.path) as source, pytest.raises(RowsError, match="is a ZIP file"):
        list(outcomes(source, Options(), timedelta(0)))


def test_an_encrypted_zip_file_says_what_to_do(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # APPNOTE.TXT, 4.3.7 and 4.3.12
        position = content.find(mark)
        while position >= 0:
            content[position + flags] |= 1
            position = content.find(mark, position + 1)
    archive.write_bytes(content)

    file = find_inputs([archive])[0]
    with pytest.raises(RowsError, match="is encrypted: unpack the ZIP file with its password"):
        check_intact(file.path, file.member)


FORMAT = """
time_zone = "Europe/Zurich"
[match]
matched_at = { columns = ["Date", "Time"], format = "%d.%m.%Y %H:%M:%S" }
title = "Title"
artist = "Artist"
isrc = "ISRC"
duration_seconds = { column = "Length", format = "m:ss" }
"""


def workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        [None, "Radio Example, playlist of March"],
        [],
        [None, "Date", "Time", "Title", "Artist", "ISRC", "Length"],
        [None, date(2026, 3, 14), time(8, 0, 5), "Jóga", "Björk", "GBAXY9700123", timedelta(seconds=305)],
        [None, "14.03.2026", "08:05:10", 99, "Nena", None, "3:53"],
        [None, datetime(2026, 3, 14), time(8, 9, 3), "Hunter", "Björk", None, time(0, 4, 15)],  # noqa: DTZ001 - a cell
        [],
        [None, date(2026, 3, 14), time(8, 14), "Bachelorette", "Björk", None, time(5, 12)],
        [None, "Total", None, None, None, None, timedelta(seconds=1105)],
    ):
        sheet.append(row)
    book.create_sheet("Notes").append(["nothing"])
    book.save(path)


def test_a_workbook_with_dates_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "march.xlsx"
    workbook(path)

    rows = read_log(path, FORMAT)

    assert [
        (each["matched_at"][11:19], each["title"], each["artist"], each["duration_seconds"]) for each in matches(rows)
    ] == [
        ("07:00:05", "Jóga", "Björk", "305"),
        ("07:05:10", "99", "Nena", "233"),
        ("07:09:03", "Hunter", "Björk", "255"),
    ]
    (excel, total) = problems(rows)
    assert excel == (
        8,
        "duration_seconds is 5:12:00, 5 hours: a spreadsheet reads 5:12 as hours and minutes, so write 0:05:12 there, "
        'or say format = "h:mm:ss"',
    )
    assert total[0] == 9


def test_columns_of_a_sheet_are_counted_from_its_first(tmp_path: Path) -> None:
    path = tmp_path / "march.xlsx"
    workbook(path)
    toml = 'header = false\ntime_zone = "UTC"\nskip_lines = 3\n[match]\nmatched_at = { columns = [2, 3], format = '
    toml += '"%d.%m.%Y %H:%M:%S" }\ntitle = 4\n'

    assert [each["title"] for each in matches(read_log(path, toml))] == ["Jóga", "99", "Hunter", "Bachelorette"]


def test_a_sheet_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "march.xlsx"
    workbook(path)

    assert len(read_log(path, 'sheet = "Sheet"\n' + FORMAT)) == 5
    with pytest.raises(RowsError, match="has no sheet 'March': its sheets are 'Sheet', 'Notes'"):
        read_log(path, 'sheet = "March"\n' + FORMAT)


def test_a_workbook_of_matches_needs_no_log_format(tmp_path: Path) -> None:
    path = tmp_path / "matches.xlsx"
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Matched_at", "track_id", "duration_seconds", "title"])
    book.active.append([])
    book.active.append(["2026-03-14T08:00:00+01:00", " t ", 178, 99])
    book.save(path)

    assert names(path) == [str(path)]
    with opened(path) as source:
        rows = list(outcomes(source, Options(), timedelta(0)))
    assert rows == [
        Row(
            3,
            {
                "matched_at": "2026-03-14T08:00:00+01:00",
                "track_id": "t",
                "duration_seconds": Number("178"),
                "title": "99",
            },
        )
    ]

"""Files that are not what they are called, or that would take all memory, are named for what they are."""

import gzip
import io
import resource
import tarfile
import zipfile
from datetime import timedelta
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.errors import CommandError
from playlog_cli.loading.files.checks.workbook_size import MOST_BYTES, size_problem
from playlog_cli.loading.files.inputs import find_inputs
from playlog_cli.loading.files.row import RowsError
from playlog_cli.loading.files.sources import opened
from playlog_cli.loading.matches import Seen
from playlog_cli.loading.outcomes import Options, outcomes

CSV = "matched_at,track_id,station_id\n2026-03-14T08:00:00+01:00,t,fm-1\n"


def tar_gz() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        info = tarfile.TarInfo("fm-1.csv")
        info.size = len(CSV)
        archive.addfile(info, io.BytesIO(CSV.encode()))
    return content.getvalue()


def read(path: Path, encoding: str | None = None) -> int:
    with opened(path) as source:
        return len(list(outcomes(source, Options(encoding=encoding), timedelta(0))))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (tar_gz(), "is a TAR file: unpack it"),
        (b"%PDF-1.4\n", "is a PDF document: ask for the list as CSV or XLSX"),
        (b"{\\rtf1 matched_at}", "is a RTF document"),
        (b"\n<HTML><table><tr><td>matched_at", "is HTML or XML, whatever it is called"),
        (b'<?xml version="1.0"?><Workbook/>', "is HTML or XML"),
        (CSV.encode("utf-16-le"), "UTF-16 without a byte order mark: name it with --encoding utf-16-le"),
        (CSV.encode("utf-16-be"), "UTF-16 without a byte order mark: name it with --encoding utf-16-be"),
    ],
)
def test_a_file_of_another_kind_says_what_it_is(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "list.xls"
    path.write_bytes(content)

    with pytest.raises(RowsError, match=problem):
        read(path)
    if "utf-16" in problem:
        assert read(path, problem.rpartition(" ")[2]) == 1


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "mac-roman", "cp1251"])
def test_utf_8_is_not_read_by_an_encoding_of_single_bytes(tmp_path: Path, encoding: str) -> None:
    # A station whose program writes UTF-8 from one day on would get tracks with other names.
    path = tmp_path / "log.csv"
    path.write_text(CSV.replace(",t,", ",Björk,"), encoding="utf-8")

    with pytest.raises(RowsError, match=r"is UTF-8, and not .*: leave the encoding out"):
        read(path, encoding)
    path.write_text(CSV.replace(",t,", ",Ёё," if encoding == "cp1251" else ",öß,"), encoding=encoding)
    assert read(path, encoding) == 1


def test_names_in_a_zip_file_are_as_their_writer_meant_them(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("logs\\fm-1.csv", "Zürich.csv", "/", "__MACOSX\\fm-1.csv", "~$fm-1.xlsx"):
            archive.writestr(name, CSV)
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):  # UTF-8 without the flag for it, as macOS writes
        position = content.find(mark)
        while position >= 0:
            content[position + flags] &= ~0x08
            position = content.find(mark, position + 4)
    path.write_bytes(content)
    found = find_inputs([path])

    assert sorted(each.name for each in found) == [f"{path}/Zürich.csv", f"{path}/logs/fm-1.csv"]
    names = []
    for each in found:
        with opened(each.path, each.member) as source:
            names.append(source.name)
    assert sorted(names) == ["Zürich.csv", "fm-1.csv"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_in_a_zip_file_are_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fm-1.csv", CSV)
        archive.writestr("fm-1.csv", CSV.replace("t,", "u,"))
    (file,) = find_inputs([path])

    with pytest.raises(RowsError, match="is the name of several files in the ZIP file"), opened(path, file.member):
        pass


def test_a_zip_file_without_files_holds_no_file(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    zipfile.ZipFile(path, "w").close()

    with pytest.raises(CommandError, match="holds no file"):
        find_inputs([path])


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_stray_cell_far_below_a_list_does_not_take_all_memory(tmp_path: Path, is_packed: bool) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active["A1"] = "matched_at"
    book.active["XFD1048576"] = "x"
    path = tmp_path / "list.xlsx"
    book.save(path)
    if is_packed:
        path.write_bytes(gzip.compress(path.read_bytes()))

    with pytest.raises(RowsError, match="reaches to row 1,048,576 and column 16,384, 17,179,869,184 cells"):
        read(path)


def sheet_of(rows: str) -> bytes:
    """A workbook whose sheet has these rows, and says that it has one cell."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.save(content)
    rebuilt = io.BytesIO()
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(rebuilt, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            sheet = f'<worksheet><dimension ref="A1"/><sheetData>{rows}</sheetData></worksheet>'
            new.writestr(info, sheet if info.filename == "xl/worksheets/sheet1.xml" else old.read(info))
    return rebuilt.getvalue()


FAR = '<row r="1"><c r="A1"><v>1</v></c></row>{}'


@pytest.mark.parametrize(
    "rows",
    [
        FAR.format('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        FAR.format('<row r="1048576"><c s="1" r="XFD1048576"><v>1</v></c></row>'),
        FAR.format("<x:row r='1048576'><x:c r='XFD1048576'><x:v>1</x:v></x:c></x:row>"),
        FAR.format('<row><c r="XFD2"><v>1</v></c></row><row r="1048575"/><row><c><v>1</v></c></row>'),
        FAR.format(f'<row r="9999">{"<c><v>1</v></c>" * 9_999}</row>'),
    ],
    ids=["far", "another order", "a namespace", "without places", "a wide row without places"],
)
def test_a_sheet_that_denies_its_stray_cell_is_refused(rows: str) -> None:
    assert "cells: delete the rows and columns after the list" in str(size_problem(sheet_of(rows)))


def test_rows_and_cells_without_values_or_places_are_no_reason_to_refuse_a_sheet() -> None:
    blank = '<row r="2"><c r="XFD2" s="1"/></row><row r="1048576" ht="20"/>'
    unplaced = "<row><c><v>1</v></c><c/><c><v>2</v></c></row>" * 5_000

    assert size_problem(sheet_of(FAR.format(blank))) is None
    assert size_problem(sheet_of(unplaced)) is None


def test_a_workbook_that_unpacks_to_gigabytes_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", b"")
    packed = bytearray(content.getvalue())
    size = packed.find(b"PK\x01\x02") + 24  # of the member, unpacked
    packed[size : size + 4] = (MOST_BYTES + 1).to_bytes(4, "little")

    assert size_problem(bytes(packed)) == "is a workbook of more than 2 GB unpacked: save its sheet as CSV"


def test_a_full_disk_says_which_folder_is_full() -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Seen() as seen:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, limits[1]))
        try:
            with pytest.raises(CommandError, match=r"folder for temporary files .*TMPDIR"):
                _fill(seen)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def _fill(seen: Seen) -> None:
    for number in range(200_000):
        seen.occurrence(number.to_bytes(32, "big"))

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

    with pytest.raises(RowsError, match="reaches to cell XFD1048576, 17,179,869,184 cells"):
        read(path)


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

"""A file that was cut loads no wrong row, and is named for what it is, wherever it was cut."""

import bz2
import gzip
import io
import lzma
import zipfile
from datetime import timedelta
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.loading.files.inputs import find_inputs
from playlog_cli.loading.files.row import BadRow, Row, RowsError
from playlog_cli.loading.files.sources import check_intact, opened
from playlog_cli.loading.formats.toml.parse import parse_format
from playlog_cli.loading.outcomes import PLAIN, Options, Outcome, outcomes

ROWS = [("matched_at", "station_id", "track_id")] + [(f"2026-03-14T08:{n:02}:00Z", "fm-1", f"t-{n}") for n in range(40)]
TEXT = "".join(",".join(row) + "\n" for row in ROWS).encode()
BY_FORMAT = Options(
    log_format=parse_format(
        "f", '[match]\nmatched_at = "matched_at"\nstation_id = "station_id"\ntrack_id = "track_id"\n'
    )
)


def zipped(*members: tuple[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members:
            archive.writestr(name, member)
    return content.getvalue()


def workbook() -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in ROWS:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def read(path: Path, options: Options) -> list[Outcome]:
    """The rows of a file, or of the files in it, read as loading does."""
    rows: list[Outcome] = []
    for file in find_inputs([path]):
        check_intact(file.path, file.member)
        with opened(file.path, file.member) as source:
            rows += outcomes(source, options, timedelta(0))
    return rows


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("log.csv.gz", gzip.compress(TEXT), "is a broken packed file"),
        ("log.csv.xz", lzma.compress(TEXT), "is a broken packed file"),
        ("log.csv.bz2", bz2.compress(TEXT), "is a broken packed file"),
        ("log.zip", zipped(("a.csv", TEXT), ("b.csv", TEXT)), "is a broken packed file"),
        ("logs.zip", zipped(("a.zip", zipped(("a.csv", TEXT))), ("b.csv", TEXT)), "is a broken packed file"),
        ("book.zip", zipped(("book.xlsx", workbook())), "is a broken packed file"),
        ("book.xlsx", workbook(), "fetch it again"),
    ],
)
def test_a_packed_file_that_ends_too_early_gives_no_row(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    step = max(len(content) // 150, 1)
    for length in [*range(20, len(content) - 60, step), *range(len(content) - 60, len(content))]:
        path.write_bytes(content[:length])
        with pytest.raises(RowsError, match=says):
            read(path, BY_FORMAT)


@pytest.mark.parametrize("options", [PLAIN, BY_FORMAT], ids=["plain", "by a format"])
def test_a_row_in_which_the_file_ends_is_bad(tmp_path: Path, options: Options) -> None:
    path = tmp_path / "log.csv"
    start = TEXT[: TEXT.rindex(b"2026")]
    for end in (b"2026-03-14T08:39:00Z,fm-1", b"2026-03-14T08:39:00Z", b"2026-03"):
        path.write_bytes(start + end)
        *rows, last = read(path, options)
        assert isinstance(last, BadRow)
        assert all(isinstance(row, Row) for row in rows)
        assert len(rows) == 39


def test_a_last_row_without_a_line_end_is_whole_if_it_has_all_cells(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = TEXT.rstrip().splitlines()
    lines[5] = b"2026-03-14T08:04:00Z,fm-1"  # a row with a cell less that ends is whole, too
    path.write_bytes(b"\n".join(lines))

    assert all(isinstance(row, Row) for row in read(path, BY_FORMAT))

"""What is written to a workbook or to Parquet is what other programs read, and the same rows give the same bytes."""

import gc
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path

import duckdb
import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.errors import CommandError
from playlog_cli.tabular import parquet, workbook
from playlog_cli.tabular.cells import Value, marked, unmarked
from playlog_cli.tabular.parquet import write_parquet
from playlog_cli.tabular.workbook import write_workbook

AT = datetime(2026, 3, 14, 8, 30, tzinfo=timezone(timedelta(hours=1)))
TYPES = {"at": "TIMESTAMP WITH TIME ZONE", "title": "VARCHAR", "seconds": "DECIMAL(18, 6)", "flagged": "BOOLEAN"}
ROWS: list[list[Value]] = [
    [AT, "=1+1", Decimal("180.25"), True],
    [AT + timedelta(minutes=3), 'a "b", c\nd', Decimal(3), False],
    [AT + timedelta(minutes=6), None, None, None],
]


def test_a_workbook_has_texts_numbers_and_times_for_another_program(tmp_path: Path) -> None:
    write_workbook(tmp_path / "a.xlsx", "plays", list(TYPES), ROWS)
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["plays"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        list(TYPES),
        [datetime(2026, 3, 14, 8, 30), "=1+1", 180.25, True],  # noqa: DTZ001
        [datetime(2026, 3, 14, 8, 33), 'a "b", c\nd', 3, False],  # noqa: DTZ001
        [datetime(2026, 3, 14, 8, 36), None, None, None],  # noqa: DTZ001
    ]
    assert sheet["B2"].data_type == "s"


def test_a_sheet_that_is_full_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    with pytest.raises(CommandError, match="at most 3 rows: use CSV or Parquet"):
        write_workbook(tmp_path / "a.xlsx", "plays", list(TYPES), ROWS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
@pytest.mark.parametrize("write", [partial(write_workbook, name="a"), write_parquet])
def test_a_full_disk_is_one_error_and_no_traceback(
    write: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    header = {"header": list(TYPES)} if isinstance(write, partial) else {"columns": TYPES}
    with pytest.raises(OSError, match="No space left on device"):
        write(path=Path("/dev/full"), rows=ROWS, **header)
    gc.collect()
    assert capsys.readouterr().err == ""


def test_parquet_has_typed_columns_in_order(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", TYPES, ROWS)
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT title, seconds, flagged, epoch(\"at\") FROM '{tmp_path}/a.parquet'"
        ).fetchall()
    assert found == [(row[1], row[2], row[3], row[0].timestamp()) for row in ROWS]  # type: ignore[union-attr]


def test_parquet_of_more_rows_than_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MEMORY_LIMIT", "48MB")
    rows: Iterator[list[Value]] = ([AT, "x" * 4_000, Decimal(number), False] for number in range(15_000))
    write_parquet(tmp_path / "a.parquet", TYPES, rows)
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT COUNT(*), MAX(seconds) FROM '{tmp_path}/a.parquet'").fetchone()
    assert found == (15_000, 14_999)


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_workbook(tmp_path / f"{name}.xlsx", "plays", list(TYPES), ROWS)
        write_parquet(tmp_path / f"{name}.parquet", TYPES, ROWS)
    for suffix in ("xlsx", "parquet"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_a_value_that_does_not_fit_its_column_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="the Parquet file cannot be written"):
        write_parquet(tmp_path / "a.parquet", TYPES, [["yesterday", "x", None, None]])


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "'Round Midnight", "'=1", "''-1", "plain", ""])
def test_a_marked_text_can_be_read_again(text: str) -> None:
    assert unmarked(marked(text)) == text

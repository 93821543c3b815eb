"""Reading files of matches: nothing is lost on the way, and what is wrong is told by its line."""

import csv
import gzip
import io
import json
import re
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playlog_cli.loading.files.row import LONGEST_LINE, BadRow, Number, Row, RowsError
from playlog_cli.loading.files.rows import read_rows
from playlog_cli.loading.files.sources import check_intact, opened

HEADER = "matched_at,track_id\n"


def read(folder: Path, content: bytes | str, name: str = "matches.csv") -> list[Row | BadRow]:
    """What a file of this content holds."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with opened(path) as source:
        return list(read_rows(source))


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8)


@given(rows=st.lists(st.tuples(cells, cells.filter(bool)), max_size=20))
def test_every_cell_that_a_csv_writer_wrote_is_read_with_the_line_it_is_on(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    written = [io.StringIO() for _ in rows]
    for file, row in zip(written, rows, strict=True):
        csv.writer(file, lineterminator="\n").writerow(row)
    texts = [file.getvalue() for file in written]
    lines = accumulate((text.count("\n") for text in texts), initial=2)
    wanted = [
        Row(line, {name: cell for name, cell in zip(("matched_at", "track_id"), row, strict=True) if cell})
        for line, row in zip(lines, rows, strict=False)
    ]
    assert read(tmp_path_factory.getbasetemp(), HEADER + "".join(texts)) == wanted


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + HEADER.encode() + b"2026,t\n",
        HEADER.replace("\n", "\r\n").encode() + b"2026,t\r\n",
        b"\n matched_at , track_id\n\n2026,t",
        gzip.compress(HEADER.encode() + b"2026,t\n"),
        b'{"matched_at": "2026", "track_id": "t"}\r\n',
        b'\xef\xbb\xbf{"matched_at": "2026", "track_id": "t", "source": null}',
        gzip.compress(b'{"matched_at": "2026", "track_id": "t"}'),
    ],
    ids=["marked", "crlf", "blanks", "gzip", "json", "json-null", "json-gzip"],
)
def test_a_file_is_read_whatever_program_wrote_it_and_whatever_it_is_called(tmp_path: Path, content: bytes) -> None:
    (row,) = read(tmp_path, content, "export")
    assert isinstance(row, Row)
    assert row.values == {"matched_at": "2026", "track_id": "t"}


def test_a_number_of_csv_and_of_json_is_the_same_number(tmp_path: Path) -> None:
    from_csv = read(tmp_path, "matched_at,duration_seconds,title,processed\n2026,180,99,False\n")
    from_json = read(tmp_path, '{"matched_at":"2026","duration_seconds":180,"title":"99","processed":false}', "a.json")
    assert [row.values for row in (*from_csv, *from_json) if isinstance(row, Row)] == [
        {"matched_at": "2026", "duration_seconds": Number("180"), "title": "99", "processed": False}
    ] * 2


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (b"2026\n", "the row has 1 cells and the header 2"),
        (b"2026,t,x\n", "the row has 3 cells and the header 2"),
        (b"2026,caf\xe9\n", r"track_id is 'caf\\udce9', which is not UTF-8"),
        (b'2026,"x"y\n', "broken CSV, .*put a cell with quotes, delimiters or line breaks in quotes"),
        (b'2026,"' + b"x" * 500_000 + b'"\n', "broken CSV, field larger than field limit"),
        (b"2026," + b"x" * (LONGEST_LINE + 10) + b"\n", "broken CSV, field larger than field limit"),
    ],
    ids=["short", "long", "latin-1", "quote", "cell", "line"],
)
def test_a_bad_row_of_csv_takes_no_other_with_it(tmp_path: Path, broken: bytes, problem: str) -> None:
    content = HEADER.encode() + b'"20\n26",t\n' + broken + b"2027,u\n"
    before, bad, after = read(tmp_path, content)
    assert before == Row(2, {"matched_at": "20\n26", "track_id": "t"})
    assert isinstance(bad, BadRow)
    assert bad.line == 4
    assert re.search(problem, bad.problem)
    assert after == Row(5, {"matched_at": "2027", "track_id": "u"})


def test_a_quote_that_is_never_closed_is_told_where_it_opens(tmp_path: Path) -> None:
    *_, bad = read(tmp_path, HEADER + '2026,t\n2026,"t\n2026,t\n')
    assert bad.line == 3
    assert isinstance(bad, BadRow)
    assert "the row goes on to line 4" in bad.problem


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (b'{"matched_at": "2026"', "broken JSON, Expecting ',' delimiter at column 22: write one object"),
        (b"[1]", "the line is '[1]': it must be a JSON object"),
        (b'{"title": "caf\xe9"}', "byte 15 of the line is not UTF-8: save the file as UTF-8"),
        (b'{"x": [NaN]}', "NaN is no JSON number: write a number, or null"),
        (b'{"x": {"y": 1, "y": 2}}', "the object names 'y' twice: name it once"),
        (b'{"x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b'{"x": "' + b"x" * LONGEST_LINE + b'"}', "the line is over 4,194,304 bytes long"),
    ],
    ids=["cut", "list", "latin-1", "nan", "twice", "deep", "line"],
)
def test_a_bad_row_of_json_takes_no_other_with_it(tmp_path: Path, broken: bytes, problem: str) -> None:
    before, bad, after = read(tmp_path, b'{"a": "1"}\n\n' + broken + b'\n{"b": "2"}\n')
    assert (before, after) == (Row(1, {"a": "1"}), Row(4, {"b": "2"}))
    assert isinstance(bad, BadRow)
    assert bad.line == 3
    assert problem in bad.problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty: it must hold a row per match"),
        (b"matched_at,x,x\n", "line 1: the header names column x twice"),
        (b"\nmatched_at,,x\n", "line 2: the header has no name for column 2"),
        (b"heard_at;track_id\n", "if this is a station's own log, run `playlog log-format guess FILE`"),
        (b"PK\x03\x04", "is a ZIP file: unpack it"),
        (b"2026-03-14T08:00:00+01:00,t\n", "the first line must name the columns"),
        ("matched_at\n".encode("utf-16")[:-1], "is not utf-16-le .*: save the file as UTF-8, or name its encoding"),
        (b'matched_at,"x"y\n', "line 1: the header is broken CSV"),
        (b"id,processed,failed_reason,track_id,matched_at\n", "the old table MatchCache, but for station_id: export"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_that_holds_no_rows_says_what_it_would_have_to_hold(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    with pytest.raises(RowsError, match=problem):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        b'[{"a": "1"}, {"b": "}{]["}]',
        b'[\n  {"a": "1"},\n  {"b": "}{]["}\n]\n',
        b'[{"a":\n"1"}\n,\n{"b": "}{][", "null": null}]',
        b'{\n"a": "1"\n}\n{\n"b": "}{]["\n}',
        b'[]\n[{"a": "1"}]\r\n[{"b": "}{]["}]',
        gzip.compress(b'\xef\xbb\xbf[{"a": "1"},\n{"b": "}{]["}]'),
    ],
    ids=["line", "member-a-line", "anywhere", "documents", "lists", "gzip"],
)
def test_json_is_read_as_it_was_laid_out(tmp_path: Path, content: bytes) -> None:
    rows = read(tmp_path, content)
    assert [row.values for row in rows if isinstance(row, Row)] == [{"a": "1"}, {"b": "}{]["}]
    assert len(rows) == 2


values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.sampled_from(['"', "\\", '\\"{', "]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=20)
@given(
    objects=st.lists(st.dictionaries(st.text(min_size=1, max_size=3), values.filter(lambda value: value is not None))),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
)
def test_every_object_of_a_list_is_a_row_with_the_line_it_begins_on(
    objects: list[dict[str, object]], indent: int | None, ascii_only: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = json.dumps(objects, indent=indent, ensure_ascii=ascii_only)
    rows = read(tmp_path_factory.getbasetemp(), text, "list.json")
    assert [row.values for row in rows if isinstance(row, Row)] == objects
    before = [json.dumps(objects[:number], indent=indent, ensure_ascii=ascii_only) for number in range(len(objects))]
    # The list of those before it ends on a line of its own, where this object would begin.
    assert [row.line for row in rows] == [1 + max(1, each.count("\n")) if indent is not None else 1 for each in before]


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (b'{"x": 1 2}', "broken JSON, Expecting ',' delimiter"),
        (b"{]", "broken JSON"),
        (b"null", "'null' stands outside of an object: a row must be an object"),
        (b'{"x": "' + b"x" * 3_000_000 + b'",\n"y": "' + b"x" * 3_000_000 + b'"}', "over 4,194,304 bytes long"),
    ],
    ids=["comma", "bracket", "null", "large"],
)
def test_a_bad_member_of_a_list_takes_no_other_with_it(tmp_path: Path, broken: bytes, problem: str) -> None:
    before, bad, after = read(tmp_path, b'[{"a": "1"},\n' + broken + b'\n,{"b": "2"}]\n')
    assert [row.values for row in (before, after) if isinstance(row, Row)] == [{"a": "1"}, {"b": "2"}]
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert problem in bad.problem


def test_a_list_that_was_cut_short_says_where_its_last_object_begins(tmp_path: Path) -> None:
    row, bad = read(tmp_path, b'[{"a": "1"},\n{"b":\n{"c": "2"}')
    assert row == Row(1, {"a": "1"})
    assert bad == BadRow(2, "broken JSON, the object is not closed up to line 3, the last: close it")


@pytest.mark.parametrize("also", ["", ",created_at", ",source"])
def test_an_export_of_the_old_table_is_known_by_its_columns(tmp_path: Path, also: str) -> None:
    columns = "id,track_id,station_id,matched_at,processed,failed_reason"
    (row,) = read(tmp_path, f"{columns}{also}\n7,t,s,2024-03-01 12:34:56+00,t,{also and ','}\n")
    assert row == Row(
        2,
        {"id": "7", "track_id": "t", "station_id": "s", "matched_at": "2024-03-01 12:34:56+00", "processed": "t"},
        is_of_old_table=True,
    )


def test_a_file_of_matches_may_have_columns_of_the_old_table(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "match_id,id,matched_at,processed,failed_reason\nm,7,2026,false,\n")
    assert isinstance(row, Row)
    assert not row.is_of_old_table


@pytest.mark.parametrize("damage", ["cut short", "altered"])
def test_a_damaged_gzip_file_is_found_before_it_gives_a_wrong_row(tmp_path: Path, damage: str) -> None:
    packed = gzip.compress(HEADER.encode() + b"".join(b"%x,t\n" % (n * n) for n in range(2_000)))
    middle = len(packed) // 2
    path = tmp_path / "matches.csv.gz"
    path.write_bytes(packed)
    check_intact(path)
    path.write_bytes(packed[:middle] if damage == "cut short" else packed[:middle] + b"x" + packed[middle + 1 :])
    with pytest.raises(RowsError, match=r"is a broken packed file .*: fetch it again"):
        check_intact(path)


def test_progress_is_measured_in_bytes_of_the_file_as_it_is_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "matches.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(json.dumps({"a": str(n)}).encode() + b"\n" for n in range(1_000))))
    with opened(path) as source:
        assert len(list(read_rows(source))) == 1_000
        assert source.bytes_read == source.bytes_total == path.stat().st_size

"""A catalog that people keep is read as they mean it, whichever program wrote it, and a mistake in it is named."""

import re
from fractions import Fraction
from pathlib import Path

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from playlog_cli.catalog.entry import Entry
from playlog_cli.catalog.reading import load_catalog
from playlog_cli.catalog.shares import Share
from playlog_cli.errors import CommandError

HEADER = "track_id,title,artist,album,label,isrc,composers,payee,shares,ean\n"
ROW = "t-1,Lonely Snow,Vantonge,Snowlines,Fjord,us-ab1-23-45678,A. Vantonge,Vantonge Ltd,,0012\n"
ENTRY = Entry(
    "t-1",
    "Lonely Snow",
    "Vantonge",
    "Snowlines",
    "Fjord",
    "USAB12345678",
    "A. Vantonge",
    (Share("Vantonge Ltd", Fraction(1)),),
    {"ean": "0012"},
)


def write(folder: Path, text: str, name: str = "catalog.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_any_spreadsheet_is_the_same_catalog(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = (HEADER + ROW).replace(",", delimiter)
    assert load_catalog(write(tmp_path, text, encoding=encoding)).entries == {"t-1": ENTRY}


def test_json_lines_and_a_workbook_are_the_same_catalog(tmp_path: Path) -> None:
    values = dict(zip(HEADER.strip().split(","), ROW.strip().split(","), strict=True))
    with xlsxwriter.Workbook(tmp_path / "catalog.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(values))
        sheet.write_row(1, 0, list(values.values()))
    line = str({name: value for name, value in values.items() if value}).replace("'", '"')

    assert load_catalog(write(tmp_path, line, "catalog.jsonl")).entries == {"t-1": ENTRY}
    assert load_catalog(tmp_path / "catalog.xlsx").entries == {"t-1": ENTRY}


def test_names_of_columns_may_have_capital_letters_in_every_form(tmp_path: Path) -> None:
    line = '{"Track_ID": "t", "Title": "Snow", "EAN": "0012"}'
    assert load_catalog(write(tmp_path, line, "catalog.jsonl")).entries == {
        "t": Entry("t", "Snow", more={"ean": "0012"})
    }
    with pytest.raises(CommandError, match="row 1: it names a column twice"):
        load_catalog(write(tmp_path, '{"track_id": "t", "payee": "A", "Payee": "B"}', "catalog.jsonl"))


def test_a_number_of_which_a_workbook_has_lost_digits_is_no_id(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "catalog.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["track_id"])
        sheet.write_row(1, 0, [12345678901234567890])
    with pytest.raises(CommandError, match=r"row 2: .*a workbook keeps 15 digits: format the column as text"):
        load_catalog(tmp_path / "catalog.xlsx")


def test_json_of_any_depth_is_a_mistake_that_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="row 1: is not JSON"):
        load_catalog(write(tmp_path, "[" * 100_000, "catalog.jsonl"))


@pytest.mark.parametrize("payee", [r'"A\ud800"', r'["50% A\udfff", "50% B"]'])
def test_half_of_a_character_is_no_name(tmp_path: Path, payee: str) -> None:
    with pytest.raises(CommandError, match=r"row 1: payee is .*half of a character"):
        load_catalog(write(tmp_path, f'{{"track_id": "t", "payee": {payee}}}', "catalog.jsonl"))


def test_a_track_without_a_row_has_no_names(tmp_path: Path) -> None:
    assert load_catalog(write(tmp_path, HEADER)).entry("t-9") == Entry("t-9")


def test_an_apostrophe_of_a_title_stays_and_one_before_a_formula_goes(tmp_path: Path) -> None:
    catalog = load_catalog(write(tmp_path, "track_id,title\na,'Round Midnight\nb,'=1+1\n"))
    assert [entry.title for entry in catalog.entries.values()] == ["'Round Midnight", "=1+1"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title\nSnow\n", "the header has no column track_id but 'title': the first row must name the columns"),
        ("track_id,title\n,Snow\n", "row 2: track_id is missing"),
        ("track_id\na\na\n", "row 3: track_id 'a' was there before: each track needs one row"),
        ("track_id,title\na\n", "row 2: it has 1 cells and the header 2"),
        ("track_id,payee,shares\na,B,50% C\n", "row 2: payee and shares both say who is paid"),
        ("track_id,shares\na,150% C\n", "row 2: share is '150%': it must be above 0 and at most the whole"),
        ("track_id,shares\na,Anna\n", "row 2: shares has 'Anna': write the share, the payee and perhaps a role"),
        ("track_id,shares\na,50% C; 20% C\n", "row 2: 'C' has two shares at the same time"),
        ("track_id,track_id\na,b\n", "the header names column track_id twice"),
    ],
)
def test_a_mistake_is_named_with_its_row(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(CommandError) as raised:
        load_catalog(write(tmp_path, text))
    assert says in raised.value.message


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.xlsx", b"text", "is no XLSX workbook"),
        ("a.jsonl", b"[" * 100_000, "row 1: is not JSON"),
        ("a.jsonl", b"[]", "row 1: is []: it must be an object"),
        ("a.jsonl", b'{"track_id": 1e99999999}', "row 1: track_id is 1E+99999999: it must have at most 100 digits"),
        ("a.jsonl", b'{"track_id": "t", "ean": 1e-999}', "row 1: ean is 1E-999: it must have at most 100 digits"),
        ("a.csv", "track_id\n\xe9".encode("latin-1"), "is not UTF-8"),
        ("a.csv", b'track_id\n"x', "broken CSV"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=re.escape(says)):
        load_catalog(tmp_path / name)


def test_a_share_file_replaces_the_shares_of_the_tracks_that_it_names(tmp_path: Path) -> None:
    catalog = write(tmp_path, "track_id,title,payee\na,Snow,Anna\nb,Rain,Ben\n")
    shares = write(
        tmp_path,
        "track_id,payee,role,share,valid_from,valid_to\na,Cleo,artist,1/3,,2026-03-14\na,Cleo,artist,2/3,2026-03-15,\n",
        "shares.csv",
    )
    entries = load_catalog(catalog, shares).entries
    assert [(each.part, each.since is None) for each in entries["a"].shares] == [
        (Fraction(1, 3), True),
        (Fraction(2, 3), False),
    ]
    assert entries["a"].title == "Snow"
    assert [each.payee for each in entries["b"].shares] == ["Ben"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,Cleo,10%,2026-03-32,", "valid_from is '2026-03-32': it must be a date like 2026-03-01"),
        ("a,Cleo,10%,2026-03-02,2026-03-01", "valid_to is 2026-03-01, before valid_from 2026-03-02"),
        ("a,,10%,,", "payee is missing"),
        ("a,Cleo,0%,,", "share is '0%': it must be above 0"),
    ],
)
def test_a_mistake_in_a_share_file_is_named_with_its_row(tmp_path: Path, row: str, says: str) -> None:
    shares = write(tmp_path, f"track_id,payee,share,valid_from,valid_to\n{row}\n", "shares.csv")
    with pytest.raises(CommandError) as raised:
        load_catalog(write(tmp_path, "track_id\na\n"), shares)
    assert f"--shares {shares}: row 2: {says}" in raised.value.message

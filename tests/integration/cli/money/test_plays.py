"""`playlog plays`: each play of the period is listed once, in order, with its names."""

import csv
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.commands.plays import plays_app
from playlog_cli.errors import CommandError
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.integration.cli.test_report import DATES, INSTANT, MARCH, play_item, put
from tests.support.aws import Aws

pytest_plugins = ["tests.support.aws_fixture"]


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("playlog_cli.reporting.sources.finding.find_stack", lambda *_, **__: stack)
    return lambda *arguments: CliRunner().invoke(plays_app, list(map(str, arguments)))


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.csv"
    path.write_text("track_id,title,artist\nfirst,=Snow,Anna\nlast,Rain,Ben\n")
    return path


@pytest.fixture
def plays(aws: Aws) -> None:
    put(
        aws,
        play_item("last", MARCH.until - INSTANT),
        play_item("first", MARCH.since, "other", flagged={"BOOL": True}),
        play_item("first", MARCH.since + timedelta(days=3), source={"S": "Streaming"}),
        play_item("gone", MARCH.since, active={"BOOL": False}),
        play_item("after", MARCH.until),
    )


@pytest.mark.usefixtures("plays")
def test_the_forms_have_the_same_plays_in_the_order_of_time(
    invoke: Callable[..., Result], catalog: Path, tmp_path: Path
) -> None:
    table, lines = tmp_path / "plays.csv", tmp_path / "plays.jsonl"
    assert invoke(*DATES, "--catalog", catalog, "--csv", table, "--jsonl", lines).exit_code == 0
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    values = [json.loads(line) for line in lines.read_text().splitlines()]

    keys = [("other", "first"), ("s", "first"), ("s", "last")]
    assert [(row["station_id"], row["track_id"]) for row in rows] == keys
    assert [(value["station_id"], value["track_id"]) for value in values] == keys
    assert rows[0]["played_at"] == values[0]["played_at"] == "2026-03-01T00:00:00+01:00"
    assert (rows[0]["title"], values[0]["title"]) == ("'=Snow", "=Snow")
    book, parquet = tmp_path / "plays.xlsx", tmp_path / "plays.parquet"
    assert invoke(*DATES, "--catalog", catalog, "--xlsx", book, "--parquet", parquet).exit_code == 0
    sheet = openpyxl.load_workbook(book)["plays"]
    assert [(row[2], row[5]) for row in sheet.iter_rows(min_row=2, values_only=True)] == keys
    assert duckdb.connect().execute(f"SELECT station_id, track_id FROM '{parquet}'").fetchall() == keys
    manifest = json.loads((tmp_path / "plays.parquet.manifest.json").read_text())
    assert manifest["inputs"]["plays"]["count"] == len(keys)
    assert manifest["inputs"]["catalog"]["name"] == "catalog.csv"
    assert manifest["output"]["sha256"] == hashlib.sha256(parquet.read_bytes()).hexdigest()
    assert "Rain" in invoke(*DATES, "--catalog", catalog).stdout


@pytest.mark.parametrize(
    ("options", "tracks"),
    [
        (["--flagged"], ["first"]),
        (["--not-flagged"], ["first", "last"]),
        (["--source", "Streaming"], ["first"]),
        (["--station", "s", "--track", "last"], ["last"]),
        (["--artist", " ben"], ["last"]),
        (["--withdrawn"], ["gone"]),
    ],
)
@pytest.mark.usefixtures("plays")
def test_only_the_plays_that_were_asked_for_are_listed(
    invoke: Callable[..., Result], catalog: Path, tmp_path: Path, options: list[str], tracks: list[str]
) -> None:
    lines = tmp_path / "plays.jsonl"
    assert invoke(*DATES, "--catalog", catalog, "--jsonl", lines, *options).exit_code == 0
    assert [json.loads(line)["track_id"] for line in lines.read_text().splitlines()] == tracks


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "2026-04-01"], "--from is '': it must be a date like 2026-03-01"),
        ([*DATES, "--json", "--jsonl", "x"], "--json and --jsonl both write JSON Lines: use one of them"),
        ([*DATES, "--json", "--csv", "-"], "two lists go to standard output: name a file for one"),
        ([*DATES, "--xlsx", "-"], "--xlsx - would write a binary file to standard output: name a file"),
        ([*DATES, "--artist", "Cleo"], "--artist 'Cleo': the catalog has no track of this artist"),
        ([*DATES, "--catalog", "no.csv"], "--catalog no.csv cannot be read: No such file or directory"),
    ],
)
def test_a_mistake_is_told_before_anything_is_read(
    aws: Aws, invoke: Callable[..., Result], arguments: list[str], message: str
) -> None:
    aws.door.requests.clear()
    result = invoke(*arguments)
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).startswith(message)
    assert aws.door.requests == []


@pytest.mark.usefixtures("plays")
def test_who_sees_ids_without_names_is_told_where_names_come_from(
    invoke: Callable[..., Result], catalog: Path, tmp_path: Path
) -> None:
    hint = "titles and artists: --catalog FILE; `playlog catalog make FILE` drafts one"
    assert invoke(*DATES).output.splitlines()[-1] == hint
    assert hint not in invoke(*DATES, "--catalog", catalog).output
    layout = (*DATES, "--layout", "npr-ds", "--station", "s", "--folder", tmp_path)
    assert "names of tracks come from a catalog, and no --catalog was given" in invoke(*layout).stderr


@pytest.mark.usefixtures("plays")
def test_a_layout_lists_what_is_missing_and_writes_the_file_with_a_manifest(
    invoke: Callable[..., Result], catalog: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    arguments = [*DATES, "--catalog", catalog, "--station", "s", "--folder", folder]
    result = invoke(*arguments, "--layout", "npr-ds")
    assert result.exit_code == 1
    assert "missing: Album: 2 of 2 rows, 2 plays" in result.stderr
    name = "s_20260301-20260331.txt"
    assert sorted(each.name for each in folder.iterdir()) == [name, f"{name}.manifest.json"]
    manifest = json.loads((folder / f"{name}.manifest.json").read_text())
    assert sorted(manifest["inputs"]) == ["catalog", "choice", "layout", "layout_file", "plays", "settings"]
    assert manifest["output"]["missing"]["Album"] == {"rows": 2, "plays": 2}
    before = [each.read_bytes() for each in sorted(folder.iterdir())]
    invoke(*arguments, "--layout", "npr-ds")
    assert [each.read_bytes() for each in sorted(folder.iterdir())] == before
    assert invoke(*arguments, "--layout", "playlog").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "service=X"], "--set needs --layout"),
        (["--layout", "playlog", "--csv", "x.csv"], "--layout writes a file of its own"),
        (["--layout", "playlog", "--folder", "no/such"], "--folder no/such is no folder"),
        (["--layout", "gema"], "--layout is 'gema': it must be the path of a TOML file, or one of "),
    ],
)
def test_a_mistake_about_a_layout_is_told_before_anything_is_read(
    aws: Aws, invoke: Callable[..., Result], arguments: list[str], message: str
) -> None:
    aws.door.requests.clear()
    result = invoke(*DATES, *arguments)
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).startswith(message)
    assert aws.door.requests == []


def test_a_file_of_another_station_is_not_replaced(
    aws: Aws, invoke: Callable[..., Result], catalog: Path, tmp_path: Path
) -> None:
    put(aws, play_item("first", MARCH.since, "a/b"), play_item("last", MARCH.since, "ab"))
    arguments = [*DATES, "--catalog", catalog, "--layout", "npr-ds", "--folder", tmp_path]
    assert invoke(*arguments, "--station", "a/b").exit_code == 1
    (path,) = tmp_path.glob("*.txt")
    before = path.read_bytes()
    other = invoke(*arguments, "--station", "ab")
    assert isinstance(other.exception, CommandError)
    assert "is there already, and is no earlier file of this period, plays and settings" in str(other.exception)
    assert path.read_bytes() == before

    catalog.write_text("track_id,title,artist\nfirst,Hail,Anna\n")
    assert invoke(*arguments, "--station", "a/b").exit_code == 1
    assert b"Hail" in path.read_bytes()


def test_a_file_of_another_month_is_not_replaced(aws: Aws, invoke: Callable[..., Result], tmp_path: Path) -> None:
    put(aws, play_item("first", MARCH.since, "s"), play_item("last", MARCH.until, "s"))
    layout = tmp_path / "mine.toml"
    layout.write_text('file_name = "plays.csv"\n[[column]]\nname = "Track"\nfield = "track_id"\n')
    arguments = ("--layout", layout, "--folder", tmp_path)
    assert invoke(*DATES, *arguments).exit_code == 0
    before = (tmp_path / "plays.csv").read_bytes()

    april = invoke("--from", "2026-04-01", "--to", "2026-05-01", "--time-zone", "Europe/Berlin", *arguments)
    assert "is no earlier file of this period, plays and settings" in str(april.exception)
    assert (tmp_path / "plays.csv").read_bytes() == before
    assert invoke(*DATES, *arguments).exit_code == 0

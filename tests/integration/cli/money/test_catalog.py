"""`playlog catalog`: a draft of the names that matches brought, and what it lacks for the plays of a period."""

import json
from collections.abc import Callable
from pathlib import Path

import openpyxl  # type: ignore[import-untyped]
import pytest
from playlog_cli.catalog.reading import load_catalog
from playlog_cli.commands.accounting.catalog import catalog_app
from playlog_cli.errors import CommandError
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.integration.cli.test_report import CARD, DATES, MARCH, play_item, put
from tests.support.aws import Aws
from tests.support.builders import make_item

pytest_plugins = ["tests.support.aws_fixture"]


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for module in ("commands.accounting.catalog", "reporting.sources.finding"):
        monkeypatch.setattr(f"playlog_cli.{module}.find_stack", lambda *_, **__: stack)
    return lambda *arguments: CliRunner().invoke(catalog_app, list(map(str, arguments)))


@pytest.mark.parametrize("name", ["catalog.csv", "catalog.xlsx", "catalog.jsonl"])
def test_a_draft_is_a_catalog_in_each_form(
    stack: Stack, aws: Aws, invoke: Callable[..., Result], tmp_path: Path, name: str
) -> None:
    for number, title in enumerate(["=Snow", "=Snow", "Rain"]):
        item = make_item(f"m-{number}", track_id={"S": "t"}, title={"S": title})
        aws.dynamodb.put_item(TableName=stack.match_cache_table, Item=item)
    assert invoke("make", tmp_path / name).exit_code == 0
    (entry,) = load_catalog(tmp_path / name).entries.values()
    assert (entry.track_id, entry.title, entry.more) == ("t", "=Snow", {"other_spellings": "title: Rain (1)"})

    assert invoke("make", tmp_path / f"again-{name}").exit_code == 0
    assert (tmp_path / f"again-{name}").read_bytes() == (tmp_path / name).read_bytes()
    assert invoke("make", tmp_path / f"new-{name}", "--keep", tmp_path / name).exit_code == 0
    assert load_catalog(tmp_path / f"new-{name}").entries == {"t": entry}


def test_a_catalog_that_people_have_completed_is_not_overwritten(
    stack: Stack, aws: Aws, invoke: Callable[..., Result], tmp_path: Path
) -> None:
    catalog, other = tmp_path / "catalog.csv", tmp_path / "other.csv"
    catalog.write_text("track_id,title,payee\na,Snow,Anna\n")
    other.write_text("track_id,title\nb,Rain\n")
    aws.dynamodb.put_item(TableName=stack.match_cache_table, Item=make_item("m", track_id={"S": "new"}))
    before = catalog.read_text()
    for options in ((), ("--keep", other), ("--keep", tmp_path / "absent.csv")):
        refused = invoke("make", catalog, *options).exception
        assert isinstance(refused, CommandError)
        assert str(refused).startswith(f"{catalog} is there already, and what people wrote into it would be lost")
    assert catalog.read_text() == before

    assert invoke("make", catalog, "--keep", catalog).exit_code == 0
    entries = load_catalog(catalog).entries
    assert list(entries) == ["a", "new"]
    assert [share.payee for share in entries["a"].shares] == ["Anna"]


def test_a_workbook_with_other_sheets_is_not_written_anew(
    stack: Stack, aws: Aws, invoke: Callable[..., Result], tmp_path: Path
) -> None:
    book, workbook = openpyxl.Workbook(), tmp_path / "catalog.xlsx"
    book.active.append(["track_id", "title"])
    book.create_sheet("Contracts")
    book.save(workbook)
    before = workbook.read_bytes()
    aws.dynamodb.put_item(TableName=stack.match_cache_table, Item=make_item("m", track_id={"S": "new"}))

    refused = invoke("make", workbook, "--keep", workbook).exception

    assert isinstance(refused, CommandError)
    assert "has other sheets, 'Contracts', which would be lost" in str(refused)
    assert workbook.read_bytes() == before
    assert invoke("make", tmp_path / "new.xlsx", "--keep", workbook).exit_code == 0
    assert list(load_catalog(tmp_path / "new.xlsx").entries) == ["new"]


def test_what_a_person_writes_into_the_catalog_meanwhile_is_kept(
    stack: Stack, invoke: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    catalog = tmp_path / "catalog.csv"
    catalog.write_text("track_id,title,payee\na,Snow,\n")

    def while_a_person_writes(*_: object, **__: object) -> Stack:
        catalog.write_text("track_id,title,payee\na,Snow,Anna\n")
        return stack

    monkeypatch.setattr("playlog_cli.commands.accounting.catalog.find_stack", while_a_person_writes)
    refused = invoke("make", catalog, "--keep", catalog).exception

    assert isinstance(refused, CommandError)
    assert str(refused) == f"{catalog} was changed while this command was at work: run the command again"
    assert catalog.read_text() == "track_id,title,payee\na,Snow,Anna\n"


def test_another_kind_of_file_is_refused(invoke: Callable[..., Result]) -> None:
    result = invoke("make", "catalog.ods")
    assert isinstance(result.exception, CommandError)
    assert str(result.exception).startswith("catalog.ods: the name must end with .csv, .xlsx or .jsonl")


def test_a_check_counts_plays_and_money_and_fails(aws: Aws, invoke: Callable[..., Result], tmp_path: Path) -> None:
    put(aws, play_item("a", MARCH.since), play_item("a", MARCH.since, "other"), play_item("gone", MARCH.until))
    catalog, card = tmp_path / "catalog.csv", tmp_path / "card.toml"
    catalog.write_text("track_id,title,artist,isrc\na,Snow,Anna,USAB12345678\n")
    card.write_text(CARD)
    options = [*DATES, "--catalog", catalog, "--rate-card", card]
    result = invoke("check", *options, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "tracks": 1,
        "findings": [{"problem": "no payee", "tracks": ["a"], "detail": "", "plays": 2, "amount": "4.53"}],
        "currency": "EUR",
    }
    assert "no payee       1      2  4.53" in invoke("check", *options).stdout

    catalog.write_text("track_id,title,artist,isrc,payee\na,Snow,Anna,USAB12345678,Anna\n")
    assert invoke("check", *options).exit_code == 0

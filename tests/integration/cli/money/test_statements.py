"""`playlog statements`: everything adds up, a closed period stays as it is, and the next one lists what changed."""

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer
from playlog_cli.commands.accounting.statements import statements_command
from playlog_cli.errors import CommandError
from playlog_cli.reporting.figures import By
from playlog_cli.reporting.rate_card_file import parse_rate_card
from playlog_cli.reporting.sources.tables import Tables
from playlog_cli.reporting.sums.report import report
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.integration.cli.test_report import CARD, DATES, MARCH, play_item, put
from tests.support.aws import Aws

pytest_plugins = ["tests.support.aws_fixture"]

command = typer.Typer()
command.command()(statements_command)

APRIL = ["--from", "2026-04-01", "--to", "2026-05-01", "--time-zone", "Europe/Berlin"]
CATALOG = "track_id,title,shares\na,Snow,1/3 Anna as artist; 2/3 Ben\nb,<b>Rain</b>,100% =Anna\n"


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    monkeypatch.setattr("playlog_cli.commands.accounting.statements.find_source", lambda *_, **__: Tables(stack))
    (tmp_path / "catalog.csv").write_text(CATALOG)
    (tmp_path / "card.toml").write_text(CARD)
    inputs = ["--catalog", tmp_path / "catalog.csv", "--rate-card", tmp_path / "card.toml"]
    return lambda *arguments: CliRunner().invoke(command, list(map(str, [*inputs, *arguments])))


@pytest.fixture
def plays(aws: Aws) -> None:
    put(
        aws,
        play_item("a", MARCH.since),
        play_item("b", MARCH.since),
        play_item("c", MARCH.since),
        play_item("b", MARCH.since, "other", flagged={"BOOL": True}),
    )


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, strict=True))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("plays")
def test_statements_and_what_is_held_back_are_the_reports_total(invoke: Callable[..., Result]) -> None:
    found = told(invoke(*DATES, "--json"))
    # a: 181 s * 0.0125 = 2.26; b: twice that is 4.525, half up, and the payee is before what is held back; c: 2.26
    assert (found["total"], found["held_back"]) == ("9.05", "4.52")
    assert [(each["payee"], each["total"]) for each in found["payees"]] == [
        ("=Anna", "2.27"),
        ("Anna", "0.75"),
        ("Ben", "1.51"),
    ]
    assert [(each["reason"], each["amount"]) for each in found["held"]] == [("flagged", "2.26"), ("no payee", "2.26")]
    assert "statements 4.53 + held back 4.52 = 9.05 EUR" in invoke(*DATES).stdout


@pytest.mark.usefixtures("plays")
def test_the_report_by_track_shows_the_same_total(stack: Stack, invoke: Callable[..., Result]) -> None:
    card = parse_rate_card(CARD)
    made = report(Tables(stack), MARCH, [By.TRACK], [], [], card, lambda _more: None)
    assert told(invoke(*DATES, "--json"))["total"] == str(made.figures.total.amount)


@pytest.mark.usefixtures("plays")
def test_payees_that_look_alike_are_named(invoke: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "catalog.csv").write_text("track_id,payee\na,Anna Ember\nb,anna  ember\n")
    assert told(invoke(*DATES, "--json"))["lookalikes"] == [["Anna Ember", "anna  ember"]]
    assert "'Anna Ember' and 'anna  ember', which differ only in" in invoke(*DATES).stdout


@pytest.mark.usefixtures("plays")
def test_the_folder_has_a_page_and_a_table_for_each_payee_and_a_manifest(
    invoke: Callable[..., Result], tmp_path: Path
) -> None:
    assert invoke(*DATES, "--folder", tmp_path / "statements").exit_code == 0
    (run,) = (tmp_path / "statements").iterdir()
    assert run.name == "2026-03-01_2026-04-01"
    summary = rows(run / "summary.csv")
    assert sum(Decimal(row["total"]) for row in summary) == Decimal("9.05")
    assert summary[0]["payee"] == "'=Anna"
    (ben,) = run.glob("payees/ben-*.csv")
    assert [(row["track_id"], row["share"], row["amount"]) for row in rows(ben)] == [("a", "2/3", "1.51")]
    pages = "".join(path.read_text() for path in run.glob("payees/*.html"))
    assert "&lt;b&gt;Rain&lt;/b&gt;" in pages
    assert "<b>Rain" not in pages
    manifest = json.loads((run / "manifest.json").read_text())
    assert sorted(manifest["inputs"]) == ["catalog", "closed", "plays", "rate_card"]
    assert manifest["inputs"]["plays"]["count"] == 4
    assert sorted(manifest["outputs"]) == sorted(name for name in bytes_of(run) if name != "manifest.json")


@pytest.mark.usefixtures("plays")
def test_the_same_inputs_give_the_same_bytes(invoke: Callable[..., Result], tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert invoke(*DATES, "--folder", tmp_path / name).exit_code == 0
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


@pytest.mark.usefixtures("plays")
def test_a_closed_period_is_never_changed_and_the_next_one_lists_what_changed(
    aws: Aws, invoke: Callable[..., Result], tmp_path: Path
) -> None:
    folder = ["--folder", tmp_path / "statements"]
    invoke(*DATES, *folder)
    before = bytes_of(tmp_path / "statements")
    again = invoke(*DATES, *folder)
    assert isinstance(again.exception, CommandError)
    assert "have statements in" in again.exception.message
    assert bytes_of(tmp_path / "statements") == before

    put(aws, play_item("a", MARCH.since + timedelta(days=3)), play_item("c", MARCH.since, active={"BOOL": False}))
    put(aws, play_item("b", MARCH.until))
    found = told(invoke(*APRIL, *folder, "--json"))
    assert found["total"] == "2.26"
    corrections = [
        (each["payee"], each["held"], each["before"], each["now"], each["reason"]) for each in found["corrections"]
    ]
    assert corrections == [
        ("Anna", None, "0.75", "1.51", "1 play late"),
        ("Ben", None, "1.51", "3.02", "1 play late"),
        ("", "no payee", "2.26", "0", "1 play withdrawn"),
    ]
    summary = rows(tmp_path / "statements/2026-04-01_2026-05-01/summary.csv")
    assert [(row["payee"], row["amount"], row["adjustments"], row["total"]) for row in summary if row["payee"]] == [
        ("'=Anna", "2.26", "0.00", "2.26"),
        ("Anna", "0.00", "0.76", "0.76"),
        ("Ben", "0.00", "1.51", "1.51"),
    ]
    may = ["--from", "2026-05-01", "--to", "2026-06-01", "--time-zone", "Europe/Berlin"]
    assert told(invoke(*may, *folder, "--json"))["corrections"] == []


@pytest.mark.usefixtures("plays")
def test_a_ledger_that_was_changed_is_not_taken_for_what_was_stated(
    invoke: Callable[..., Result], tmp_path: Path
) -> None:
    invoke(*DATES, "--folder", tmp_path / "statements")
    (ledger,) = (tmp_path / "statements").glob("*/ledger.jsonl")
    ledger.write_text(ledger.read_text().replace("1.51", "9.51"))
    result = invoke(*APRIL, "--folder", tmp_path / "statements")
    assert isinstance(result.exception, CommandError)
    assert "was changed after it was written" in result.exception.message


@pytest.mark.usefixtures("plays")
def test_a_run_that_fails_leaves_no_folder(
    invoke: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playlog_cli.statements.writing.folder.write_ledger", full)
    result = invoke(*DATES, "--folder", tmp_path / "statements")
    assert isinstance(result.exception, CommandError)
    assert result.exception.message.endswith("cannot be written: No space left on device")
    assert list((tmp_path / "statements").iterdir()) == []


def test_another_currency_is_refused(invoke: Callable[..., Result], tmp_path: Path) -> None:
    invoke(*DATES, "--folder", tmp_path / "statements")
    (tmp_path / "card.toml").write_text(CARD.replace("EUR", "CHF"))
    result = invoke(*APRIL, "--folder", tmp_path / "statements")
    assert isinstance(result.exception, CommandError)
    assert result.exception.message.startswith("the rate card is in CHF, and")

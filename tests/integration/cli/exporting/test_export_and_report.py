"""An export says what the tables say, and one that was broken off says nothing."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer
from playlog_cli.commands.export import export_command
from playlog_cli.commands.report import report_command
from playlog_cli.errors import CommandError
from playlog_cli.reporting.figures import By, Period
from playlog_cli.reporting.sources.export import Export
from playlog_cli.reporting.sources.source import Source
from playlog_cli.reporting.sources.tables import Tables
from playlog_cli.reporting.sums.report import report
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.integration.cli.test_report import MARCH, fail, play_item, put
from tests.support.aws import Aws
from tests.support.builders import make_item

pytest_plugins = ["tests.support.aws_fixture"]

DATES = ["--from", "2026-03-01", "--to", "2026-04-01", "--time-zone", "Europe/Berlin", "--by", "track", "--json"]


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for module in ("commands.export", "reporting.sources.finding"):
        monkeypatch.setattr(f"playlog_cli.{module}.find_stack", lambda *_, **__: stack)
    app = typer.Typer()
    app.command("export")(export_command)
    app.command("report")(report_command)
    return lambda *arguments: CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def plays(aws: Aws) -> None:
    put(
        aws,
        *(play_item(f"t-{number % 3}", MARCH.since + (MARCH.until - MARCH.since) / 7 * number) for number in range(9)),
        play_item("t-0", MARCH.since, "other", duration_seconds={"N": "0.000001"}, note={"S": "of a person"}),
        play_item("t-1", MARCH.since, "other", active={"BOOL": False}),
    )
    fail(aws, "INVALID_SOURCE", MARCH.since)
    aws.put(make_item("m-1"))


@pytest.mark.usefixtures("plays")
def test_a_report_on_an_export_is_the_report_on_the_tables(invoke: Callable[..., Result], tmp_path: Path) -> None:
    assert invoke("export", "--to", tmp_path / "export").exit_code == 0

    from_tables, from_export = (
        json.loads(invoke("report", *DATES, *more).stdout) for more in ([], ["--export", tmp_path / "export"])
    )
    for figures in (from_tables, from_export):
        del figures["notes"]
    assert from_export == from_tables
    assert from_export["total"]["plays"] == 9
    assert from_export["failures"] == {"INVALID_SOURCE": 1}


@pytest.mark.usefixtures("plays")
def test_an_export_without_its_manifest_is_not_read(invoke: Callable[..., Result], tmp_path: Path) -> None:
    invoke("export", "--to", tmp_path)
    (tmp_path / "manifest.json").unlink()

    result = invoke("report", *DATES, "--export", tmp_path)
    assert isinstance(result.exception, CommandError)
    assert "was broken off: it has no manifest.json" in str(result.exception)


@pytest.mark.usefixtures("plays")
def test_a_file_that_was_changed_or_lost_is_named(invoke: Callable[..., Result], tmp_path: Path) -> None:
    invoke("export", "--to", tmp_path)
    file = next(tmp_path.glob("*/plays/month=2026-03/*.parquet"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert "is not what was exported" in str(invoke("report", *DATES, "--export", tmp_path).exception)

    file.unlink()
    assert "is missing in the export" in str(invoke("report", *DATES, "--export", tmp_path).exception)


@pytest.mark.usefixtures("plays")
def test_a_new_export_takes_the_place_of_the_old_one(aws: Aws, invoke: Callable[..., Result], tmp_path: Path) -> None:
    invoke("export", "--to", tmp_path)
    put(aws, play_item("new", MARCH.since))
    invoke("export", "--to", tmp_path)

    generations = [each for each in tmp_path.iterdir() if each.is_dir()]
    assert len(generations) == 1
    figures = json.loads(invoke("report", *DATES, "--export", tmp_path).stdout)
    assert figures["total"]["plays"] == 10


def test_tables_without_items_are_exported_too(stack: Stack, invoke: Callable[..., Result], tmp_path: Path) -> None:
    assert invoke("export", "--to", tmp_path).exit_code == 0
    period = Period(date(2026, 3, 1), date(2026, 4, 1), ZoneInfo("UTC"))
    sources: list[Source] = [Export.find(str(tmp_path), stack.session), Tables(stack)]
    for source in sources:
        assert report(source, period, [By.DAY], [], [], None, lambda _more: None).figures.lines == ()

"""A report, a list, statements, a check of a catalog and an audit say the same of tables and of their export."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playlog_cli.auditing.invariants import Kind
from playlog_cli.stacks.stack import Stack
from typer.testing import Result

from tests.support.reporting.answers import check_same_answers, run_command
from tests.support.reporting.broken import broken_tables

pytest_plugins = ["tests.support.aws_fixture"]

DATES = ["--from", "2026-03-14", "--to", "2026-03-15", "--time-zone", "UTC"]
AIRINGS = 120


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for module in ("commands.export", "commands.audit", "reporting.sources.finding"):
        monkeypatch.setattr(f"playlog_cli.{module}.find_stack", lambda *_, **__: stack)
    monkeypatch.setattr("playlog_cli.auditing.audit.SETTLE_SECONDS", 0)
    return run_command


@pytest.mark.parametrize("violations", [0, 3])
def test_each_command_says_the_same_of_an_export(
    stack: Stack, invoke: Callable[..., Result], tmp_path: Path, violations: int
) -> None:
    made = broken_tables(airings=AIRINGS, of_each_kind=violations, seed=5)
    for table, items in (
        (stack.match_cache_table, made.matches),
        (stack.play_log_table, made.plays),
        (stack.failed_play_log_table, made.failures),
    ):
        for item in items:
            stack.dynamodb.put_item(TableName=table, Item=item)
    rows = [f"track-{number},Title {number},Artist {number % 7},100% Payee {number % 5}\n" for number in range(40)]

    answers = check_same_answers(invoke, tmp_path, DATES, "track_id,title,artist,shares\n" + "".join(rows))

    exit_code, audit = answers["audit"]
    assert {each["kind"] for each in audit["violations"]} == (set(Kind) if violations else set())
    assert exit_code == (1 if violations else 0)
    assert answers["track"][1]["total"]["plays"] > AIRINGS / 2
    assert len(answers["plays"]) == answers["track"][1]["total"]["plays"]

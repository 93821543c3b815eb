"""Whoever may write matches must not be able to write to an operator's terminal, only to be read there."""

import re
import sys
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playlog.domain.failure import Failure
from playlog.domain.validation import validate
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import connect, store
from playlog_cli import app as command_line
from playlog_cli.errors import CommandError
from playlog_cli.stacks.runs import LastRun
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.status import Count, ShardStatus, Status

from tests.support.aws import Aws
from tests.support.builders import NOW, make_item

pytest_plugins = ["tests.support.aws_fixture"]

# Clears the screen, sets the window's title, starts a colour by a C1 control, turns the text around, and looks like
# Rich's markup and an emoji code.
HOSTILE = "\x1b[2J\x1b]0;x\x07y\x9b31m\u202ez\x7f[red]bbc:radio:one"
SHOWN = "\\x1b[2J\\x1b]0;x\\x07y\\x9b31m\\u202ez\\x7f[red]bbc:radio:one"
# What Rich itself writes: styles, and the lines of progress bars.
BY_RICH = re.compile(r"\x1b\[[\d;]*m|\x1b\[\?25[lh]|\x1b\[1A|\x1b\[2K|\r")
COMMANDS = ("load", "audit", *(f"operating.{name}" for name in ("status", "failures", "parking_lot")))

Run = Callable[..., str]


@pytest.fixture
def run(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Types a command at a terminal, and returns all that it writes there."""
    for module in COMMANDS:
        monkeypatch.setattr(f"playlog_cli.commands.{module}.find_stack", lambda *_, **__: stack)
    monkeypatch.setattr("playlog_cli.reporting.sources.finding.find_stack", lambda *_, **__: stack)
    monkeypatch.setattr("playlog_cli.auditing.audit.SETTLE_SECONDS", 0)
    monkeypatch.setattr("playlog_cli.failures.parking_lot.RECEIVE_WAIT_SECONDS", 0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "400")

    def type_it(*arguments: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", ["playlog", *map(str, arguments)])
        with pytest.raises(SystemExit):
            command_line.main()
        captured = capsys.readouterr()
        return captured.out + captured.err

    return type_it


def assert_harmless(written: str) -> None:
    left = BY_RICH.sub("", written).replace("\n", "")
    bad = {character for character in left if unicodedata.category(character) in ("Cc", "Cf", "Cs")}
    assert not bad, repr(left)


@pytest.fixture
def hostile(aws: Aws, stack: Stack) -> Aws:
    """A failed, a stranded and a played match, and a parked letter, each of which is hostile in all its texts."""
    match = make_item(HOSTILE, station_id={"S": HOSTILE}, track_id={"S": HOSTILE}, source={"S": HOSTILE})
    match["note"] = {"S": HOSTILE}
    aws.put(match, make_item(f"{HOSTILE}2", unprocessed_shard={"S": HOSTILE}))
    failure = validate(match, now=NOW, default_duration=timedelta(minutes=3))
    assert isinstance(failure, Failure)
    connection = connect(stack.match_cache_table, stack.failed_play_log_table)
    assert store(DeadLetter.of(failure, max_attempts=3, now=NOW), connection, aws.retry_budget())
    aws.dynamodb.put_item(
        TableName=stack.play_log_table,
        Item={
            "station_id": {"S": HOSTILE},
            "play_id": {"S": f"2026-03-14T08:00:00.000000+0000#{HOSTILE}"},
            "track_id": {"S": HOSTILE},
            "played_at": {"S": "2026-03-14T08:00:00.000000+0000"},
            "duration_seconds": {"N": "180"},
            "match_count": {"N": "1"},
            "match_id": {"S": HOSTILE},
        },
    )
    letter = '{"version": 1, "match_id": "\\u001b[2J\\u202e", "attempt": 1, "reason_code": "X", "reason": "x", '
    letter += '"will_retry": false, "failed_at": "2026-03-14T08:00:00+00:00", "match": {}}'
    for body in (letter, "\u202e[red]:smile:"):
        aws.sqs.send_message(QueueUrl=stack.parking_lot_queue_url, MessageBody=body)
    return aws


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "--from", "2026-03-14", "--to", "2026-03-15", "--by", "track", "--by", "station"),
        ("failures", "list"),
        ("failures", "list", "--reason", HOSTILE),
        ("failures", "show", HOSTILE),
        ("failures", "show", f"{HOSTILE}3"),
        ("failures", "retry", f"{HOSTILE}3"),
        ("audit",),
        ("parking-lot", "list"),
        ("load", f"/nowhere/{HOSTILE}"),
        ("report", "--from", HOSTILE, "--to", HOSTILE),
    ],
    ids=lambda arguments: " ".join(arguments[:2]).replace(HOSTILE, "hostile"),
)
def test_no_command_lets_data_speak_to_the_terminal(run: Run, arguments: tuple[str, ...]) -> None:
    written = run(*arguments)
    assert_harmless(written)
    assert "\\x1b[2J" in written


@pytest.mark.usefixtures("hostile")
def test_ids_are_shown_as_they_are_so_that_they_can_be_copied(run: Run) -> None:
    assert SHOWN in run("failures", "list")


def test_a_load_shows_hostile_rows_and_file_names_escaped(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "day\x1b[2J[red]:smile:\u202e.csv"
    path.write_text(f"match_id,matched_at,source\n{HOSTILE},yesterday{HOSTILE},Radio\n{HOSTILE},x\n")
    written = run("load", path)
    assert_harmless(written)
    assert "day\\x1b[2J[red]:smile:\\u202e.csv" in written  # in the progress bar as well


def test_status_shows_a_hostile_log_line_and_stack_escaped(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    last_run = LastRun(HOSTILE, 1.0, True, 1, 1, 0, False, 1.0)
    shards = (ShardStatus(0, 1, HOSTILE, 1.0),)
    found = Status(HOSTILE, HOSTILE, shards, Count(1, True), Count(1, True), 0, 0, 0, last_run)
    monkeypatch.setattr("playlog_cli.commands.operating.status.status", lambda *_: found)
    written = run("status")
    assert_harmless(written)
    assert f"stack {SHOWN} in {SHOWN}" in BY_RICH.sub("", written)


def test_errors_are_shown_escaped_and_forge_no_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise CommandError(f"{HOSTILE}\nplaylog: all is well", log_lines=[HOSTILE])

    monkeypatch.setattr("playlog_cli.commands.operating.status.status", refuse)
    written = run("status")
    assert_harmless(written)
    assert written.splitlines() == [f"playlog: {SHOWN}\\nplaylog: all is well", f"  {SHOWN}"]


@pytest.mark.usefixtures("hostile")
def test_machines_are_given_no_control_character_either(run: Run) -> None:
    assert_harmless(run("failures", "list", "--json"))

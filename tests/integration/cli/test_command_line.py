"""The `playlog` command as a user types it: one clear line for what goes wrong, and the same facts for machines."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playlog_cli import app as command_line
from playlog_cli.errors import CommandError
from playlog_cli.stacks.convert import ConvertResult
from playlog_cli.stacks.runs import LastRun
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.status import Count, ShardStatus, Status

from tests.support.aws import Aws

pytest_plugins = ["tests.support.aws_fixture"]

CREDENTIALS = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION")


class Answers(BaseHTTPRequestHandler):
    """Answers every request with the error that the server was given."""

    def do_POST(self) -> None:
        code, message = self.server.error  # type: ignore[attr-defined]
        body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """An AWS that refuses everything, on this machine."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def deployed(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The stack that every command finds."""
    for module in ("load", "operating.convert", "operating.status"):
        monkeypatch.setattr(f"playlog_cli.commands.{module}.find_stack", lambda *_, **__: stack)
    return stack


class Terminal:
    """Types commands and reads what they print."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of a command."""
        self._monkeypatch.setattr(sys, "argv", ["playlog", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        captured = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, captured.out, captured.err


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


@pytest.fixture
def two_matches(tmp_path: Path) -> Path:
    path = tmp_path / "day.csv"
    path.write_text("match_id,matched_at\nm-1,2026-03-14T08:00:00+01:00\nm-2,2026-03-14T08:03:00+01:00\n")
    return path


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        ("ExpiredToken", "too old", "the AWS credentials have expired (DescribeStacks: ExpiredToken: too old)"),
        ("InvalidClientTokenId", "who?", "AWS does not know these credentials"),
        (
            "AccessDenied",
            "not\nyou",
            "AWS denies this to the credentials in use (DescribeStacks: AccessDenied: not you)",
        ),
        ("Odd", "odd", "AWS refused a request (DescribeStacks: Odd: odd)"),
    ],
)
def test_what_aws_refuses_is_one_line_that_says_what_would_be_right(
    terminal: Terminal, server: ThreadingHTTPServer, code: str, message: str, told: str
) -> None:
    server.error = code, message  # type: ignore[attr-defined]
    status, out, err = terminal.run("status")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"playlog: {told}")


@pytest.mark.parametrize("command", [("status",), ("convert",), ("load", __file__)], ids=lambda command: command[0])
def test_a_stack_that_is_not_there_is_one_line_for_every_command(
    terminal: Terminal, server: ThreadingHTTPServer, command: tuple[str, ...]
) -> None:
    server.error = "ValidationError", "Stack with id nope does not exist"  # type: ignore[attr-defined]
    status, out, err = terminal.run(*command, "--stack", "nope")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("playlog: there is no stack `nope` in us-east-1 at http://127.0.0.1:")


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
            "nothing answers at http://127.0.0.1:9/: is AWS_ENDPOINT_URL right",
        ),
        ({"AWS_REGION": "eu-west-1"}, "no usable AWS credentials (Unable to locate credentials): name a profile"),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, "no AWS region: name one with --region"),
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found: name one of those"),
    ],
    ids=["unreachable", "no-credentials", "no-region", "no-profile"],
)
def test_what_is_missing_to_reach_aws_is_one_line(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], told: str
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    for name in ("AWS_ENDPOINT_URL", *CREDENTIALS):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    status, out, err = terminal.run("status")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"playlog: {told}")


def test_text_that_no_terminal_can_show_ends_no_command(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB takes half a surrogate pair, and so a match may hold one."""

    def refuse(*_: object, **__: object) -> None:
        raise CommandError("this is no text: \ud83c")

    monkeypatch.setattr("playlog_cli.commands.operating.status.find_stack", refuse)
    assert terminal.run("status") == (1, "", "playlog: this is no text: \\ud83c\n")


@pytest.mark.usefixtures("deployed")
def test_a_file_that_is_not_there_is_one_line(terminal: Terminal, tmp_path: Path) -> None:
    missing = tmp_path / "nope.csv"
    status, out, err = terminal.run("load", missing)
    wanted = f"playlog: {missing}: No such file or directory: name a file of matches, CSV or JSON\n"
    assert (status, out, err) == (1, "", wanted)


@pytest.mark.usefixtures("deployed")
def test_a_load_says_what_became_of_the_rows_of_each_file(terminal: Terminal, aws: Aws, two_matches: Path) -> None:
    copy = two_matches.with_name("copy.csv")
    copy.write_bytes(two_matches.read_bytes())
    status, out, err = terminal.run("load", two_matches, copy, two_matches)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"{two_matches}: 2 rows, 2 added, 0 already there, 0 bad",
        f"{copy}: 2 rows, 0 added, 2 already there, 0 bad",
    ]
    assert len(aws.matches()) == 2


@pytest.mark.usefixtures("deployed")
def test_bad_rows_fail_the_command_and_only_the_first_are_printed(terminal: Terminal, two_matches: Path) -> None:
    with two_matches.open("a") as file:
        file.write("m-3\n" * 25)
    status, _, err = terminal.run("load", two_matches)
    lines = err.splitlines()
    assert status == 1
    assert lines[0].startswith(f"{two_matches}:4: the row has 1 cells and the header 2: ")
    assert lines[-1] == "... and 5 more bad rows; --bad-rows FILE.csv lists them all"
    assert len(lines) == 21


@pytest.mark.usefixtures("deployed")
def test_machines_are_given_every_bad_row(terminal: Terminal, two_matches: Path) -> None:
    with two_matches.open("a") as file:
        file.write("m-3\n" * 25)
    status, out, err = terminal.run("load", "--json", two_matches)
    (told,) = json.loads(out)["files"]
    assert (status, err) == (1, "")
    assert (told["rows"], told["added"], told["already_there"], told["error"]) == (27, 2, 0, None)
    assert [bad["line"] for bad in told["bad_rows"]] == list(range(4, 29))
    assert told["bad"] == 25


@pytest.mark.usefixtures("deployed")
def test_a_file_of_bad_rows_is_counted_and_listed_whole_and_kept_in_memory_in_part(
    terminal: Terminal, two_matches: Path
) -> None:
    with two_matches.open("a") as file:
        file.write("m-3\n" * 1_100)
    bad_rows = two_matches.with_name("bad.csv")

    status, out, err = terminal.run("load", two_matches, "--bad-rows", bad_rows, "--json")

    (told,) = json.loads(out)["files"]
    assert (status, err, told["bad"], len(told["bad_rows"])) == (1, "", 1_100, 1_000)
    header, *listed = bad_rows.read_text().splitlines()
    assert header == "file,line,problem"
    assert [line.split(",")[:2] for line in listed] == [[str(two_matches), str(line)] for line in range(4, 1_104)]
    assert listed[0].endswith(
        'the header 2: give each column one cell, and put a cell that holds the delimiter in quotes"'
    )

    status, out, _ = terminal.run("load", two_matches, "--bad-rows", bad_rows)
    assert (status, out) == (1, f"{two_matches}: 1,102 rows, 0 added, 2 already there, 1,100 bad\n")
    status, out, err = terminal.run("load", two_matches, "--bad-rows", two_matches)
    assert (status, out) == (1, "")
    assert err == f"playlog: --bad-rows is {two_matches}, a file that lists no bad rows: name a new file\n"
    assert two_matches.read_text().count("m-3") == 1_100


@pytest.mark.usefixtures("deployed")
def test_a_load_of_a_history_says_what_is_played_and_what_cannot_be(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "matchcache.csv"
    rows = ["1,t,s,2024-03-01 12:00:00+00,t,", "2,t,s,2024-03-01 12:00:00+00,t,", "3,t,s,2024-03-01 13:00:00+00,f,"]
    path.write_text("\n".join(["id,track_id,station_id,matched_at,processed,failed_reason", *rows, ""]))
    with path.open("a") as file:
        file.writelines(f"{number},,s,2024-03-01 14:00:00+00,t,\n" for number in range(100, 122))
    status, out, err = terminal.run("load", path)
    lines = err.splitlines()
    assert status == 0
    assert lines[0].startswith(f"{path}:5: match 100 is added as failed: track_id is absent")
    assert lines[-1] == "... and 2 more matches that are added as failed; `playlog failures list` lists them"
    assert len(lines) == 21
    assert out.splitlines() == [
        f"{path}: 25 rows, 25 added (2 played in 1 new plays, 22 failed, 1 waiting), 0 already there, 0 bad"
    ]


@pytest.mark.usefixtures("deployed")
def test_acrclouds_results_are_of_the_station_that_the_command_line_names(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "day.json"
    heard = {"timestamp_utc": "2020-07-06 04:38:43", "music": [{"acrid": "a"}]}
    path.write_text(json.dumps({"data": [{"metadata": heard}, {"status": {"code": 1001}}]}))
    status, out, err = terminal.run("load", path)
    assert (status, err) == (
        1,
        f"{path}:1: the result names no stream_id or channel_id: name the station with --station\n",
    )
    status, out, err = terminal.run("load", "--station", "triplej", path)
    assert (status, err) == (0, "")
    assert out == f"{path}: 2 rows, 1 added, 0 already there, 0 bad, 1 without a detection\n"


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("as_json", [False, True])
def test_a_run_is_shown_and_who_has_to_run_it_again_is_told(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    run = ConvertResult(True, "20000 matches processed", processed=20_000, plays=19_000, failed=7, waiting=True)
    monkeypatch.setattr("playlog_cli.commands.operating.convert.convert", lambda *_: run)
    status, out, _ = terminal.run("convert", *(["--json"] if as_json else []))
    assert status == 0
    if as_json:
        assert json.loads(out) == {
            "success": True,
            "message": "20000 matches processed",
            "processed": 20_000,
            "plays": 19_000,
            "failed": 7,
            "waiting": True,
        }
    else:
        assert [line.split() for line in out.splitlines()[1:3]] == [
            ["processed", "plays", "failed"],
            ["20,000", "19,000", "7"],
        ]
        assert out.endswith("as the run was out of time: run it again, or `playlog drain` all of them.\n")


STATUS = Status(
    stack="playlog",
    region="eu-central-1",
    shards=(ShardStatus(0, 0, None, None), ShardStatus(1, 1_204, "2026-03-14T11:58:00.000000+0000", 125.0)),
    plays=Count(31_204_555, exact=False),
    failures=Count(5, exact=True),
    dead_letters=2,
    dead_letters_in_flight=1,
    parking_lot=3,
    last_run=LastRun("2026-03-14T11:59:00.000000+0000", 65.0, True, 97, 95, 3, False, 4.12),
)


@pytest.fixture
def stands(deployed: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """How things stand, whatever the time is."""

    def status(stack: Stack, now: datetime) -> Status:
        assert (stack, now.tzinfo) == (deployed, UTC)
        return STATUS

    monkeypatch.setattr("playlog_cli.commands.operating.status.status", status)


@pytest.mark.usefixtures("stands")
def test_status_is_plain_text_where_there_is_no_terminal(terminal: Terminal) -> None:
    status, out, err = terminal.run("status")
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines() if line] == [
        ["stack", "playlog", "in", "eu-central-1"],
        ["waiting", "1,204", "the", "oldest", "was", "heard", "2", "min", "5", "s", "ago"],
        ["plays", "about", "31,204,555", "as", "DynamoDB", "counted,", "up", "to", "6", "h", "ago"],
        ["failures", "5"],
        ["dead", "letters", "2", "1", "in", "flight"],
        ["parking", "lot", "3"],
        [
            "last",
            "run:",
            "1",
            "min",
            "5",
            "s",
            "ago,",
            "97",
            "processed,",
            "95",
            "plays,",
            "3",
            "failed",
            "in",
            "4.1",
            "s",
        ],
        ["shard", "waiting", "oldest"],
        ["1", "1,204", "2", "min", "5", "s"],
    ]


@pytest.mark.usefixtures("stands")
def test_status_tells_machines_the_same(terminal: Terminal) -> None:
    status, out, _ = terminal.run("status", "--json")
    told = json.loads(out)
    assert status == 0
    assert (told["waiting"], told["oldest_age_seconds"]) == (1_204, 125.0)
    assert told["plays"] == {"items": 31_204_555, "exact": False}
    assert told["shards"][1]["waiting"] == 1_204
    assert told["last_run"]["plays"] == 95
    assert (told["dead_letters"], told["dead_letters_in_flight"], told["parking_lot"]) == (2, 1, 3)


def test_a_command_that_is_not_there_is_no_traceback(terminal: Terminal) -> None:
    status, out, err = terminal.run("stat")
    assert (status, out) == (2, "")
    assert "No such command 'stat'. Did you mean 'status'?" in err

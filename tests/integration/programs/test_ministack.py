"""Starting and stopping the embedded AWS: what a user's machine would be left with, or lose."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from playlog_cli.embedded import ministack, tools
from playlog_cli.embedded.processes import started_at
from playlog_cli.embedded.session import HOST, Server, Session, claimed
from playlog_cli.errors import CommandError


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session("test", tmp_path)
    session.folder.mkdir(parents=True)
    return session


def record(session: Session, pid: int, started: float) -> None:
    session.record.write_text(json.dumps(asdict(Server(pid, started, port=1))))


def group_of_two() -> tuple[subprocess.Popen[str], int]:
    """A process that leads a group, as MiniStack does, and the pid of its child, as a function's is."""
    script = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); input()"
    leader = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert leader.stdout
    return leader, int(leader.stdout.readline())


def is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while started_at(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return started_at(pid) is None


def test_stopping_ends_the_server_and_the_functions_that_it_runs(session: Session) -> None:
    leader, child = group_of_two()
    record(session, leader.pid, started_at(leader.pid) or 0.0)

    assert ministack.stop(session)

    assert is_gone(leader.pid)
    assert is_gone(child)
    assert not session.record.exists()


def test_a_process_that_was_given_the_servers_old_pid_is_not_touched(session: Session) -> None:
    stranger, child = group_of_two()
    try:
        record(session, stranger.pid, 1.0)

        assert session.running() is None
        assert not ministack.stop(session)
        assert stranger.poll() is None
    finally:
        os.killpg(stranger.pid, signal.SIGKILL)
        stranger.wait()
    assert is_gone(child)


def test_a_server_is_ended_even_if_its_checkout_was_deleted_meanwhile(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, child = group_of_two()
    server = Server(leader.pid, started_at(leader.pid) or 0.0, port=1)
    monkeypatch.setattr(ministack, "start", lambda _session, _port, _host: server)

    with ministack.served(session):
        shutil.rmtree(session.checkout)

    assert is_gone(leader.pid)
    assert is_gone(child)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"pid": 1'])
def test_a_broken_record_counts_as_nothing_running(session: Session, content: str) -> None:
    session.record.write_text(content)

    assert session.running() is None
    assert not ministack.stop(session)


def test_two_commands_at_once_do_not_get_in_each_others_way(session: Session) -> None:
    with (
        claimed(session),
        pytest.raises(CommandError, match="another command is at work"),
        claimed(session),
    ):
        pass
    with claimed(session):
        pass


def test_sigterm_unwinds_as_ctrl_c_does(session: Session) -> None:
    with pytest.raises(SystemExit) as caught, claimed(session):
        signal.raise_signal(signal.SIGTERM)

    assert caught.value.code == 128 + signal.SIGTERM


def test_a_taken_port_is_named_before_anything_starts(session: Session) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"port {port} of 127.0.0.1 is taken"):
            ministack.start(session, port)


def test_functions_see_nothing_of_the_machine(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "AWS_PROFILE", "AWS_ENDPOINT_URL", "VIRTUAL_ENV", "PATH"):
        monkeypatch.setenv(name, "/of/the/machine")

    assert "/of/the/machine" not in ministack.server_environment(session, 4566).values()


def test_tools_keep_the_proxy_and_lose_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "intranet")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")

    server = Server(pid=1, started_at=0.0, port=4566)
    environment = tools.tool_environment(server.environment)

    assert environment["HTTPS_PROXY"] == "http://proxy:3128"
    assert environment["NO_PROXY"] == "intranet,127.0.0.1"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert "AWS_PROFILE" not in environment


def test_a_tool_that_fails_shows_its_last_lines_and_no_traceback(session: Session) -> None:
    script = "import sys; print(*range(40), sep='\\n', file=sys.stderr); sys.exit('no such bucket')"

    with pytest.raises(CommandError) as caught:
        tools.call("sam deploy", [sys.executable, "-c", script], session, session.folder / "sam.log", {})

    lines = str(caught.value).splitlines()
    assert lines[0] == f"sam deploy failed with exit status 1; the end of {session.folder / 'sam.log'}:"
    assert lines[-1] == "  no such bucket"
    assert len(lines) == 1 + tools.TAIL_LINES


@pytest.mark.parametrize(
    ("value", "argument"), [("rate(1 minute)", '"rate(1 minute)"'), ('say "hi"', r'"say \"hi\""'), ("", '""')]
)
def test_a_parameter_with_blanks_reaches_the_template_whole(value: str, argument: str) -> None:
    assert ministack.quoted(value) == argument

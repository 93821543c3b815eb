"""MiniStack, the embedded AWS, on a loopback port, with this checkout's stack deployed into it.

MiniStack runs in an environment of its own and sees none of the machine's Python or AWS settings. Its functions run on
its Python, so that nothing from the machine can replace a package or a variable that the stack lacks.
"""

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

from playlog_cli.embedded.processes import end_group, started
from playlog_cli.embedded.session import HOST, Server, Session, claimed, open_session
from playlog_cli.embedded.tools import build, deploy, environment_of, failure, install, server_environment
from playlog_cli.errors import CommandError

READY_SECONDS = 60.0  # MiniStack takes 2; a busy machine several times that
POLL_SECONDS = 0.05


@contextmanager
def served(session: Session) -> Iterator[Server]:
    """A MiniStack that lives as long as the block.

    It may still be starting when the block begins: call ``wait_until_ready`` before the first request.

    Args:
        session: claimed and prepared.
    """
    try:
        server = start(session, free_port())
        try:
            yield server
        finally:
            end(server)  # even if its record was deleted with the checkout
    finally:
        stop(session)


@contextmanager
def deployed(name: str, parameters: Mapping[str, str]) -> Iterator[Server]:
    """A session with the stack deployed. It lives as long as the block, and all AWS clients in the block call it.

    Args:
        name: of the session.
        parameters: parameters of the template that differ from their defaults.

    Raises:
        CommandError: another process has the session, or a tool failed.
    """
    own = open_session(name)
    with claimed(own):
        prepare(own)
        with served(own) as server:
            build(own)
            wait_until_ready(own, server)
            deploy(own, server, parameters)
            with environment_of(server):
                yield server


def prepare(session: Session) -> None:
    """Clears the session, and installs SAM and MiniStack.

    A server that a killed process left behind in this session is stopped first.

    Raises:
        CommandError: uv is missing or failed. The message ends with the last lines that it wrote.
    """
    stop(session)
    shutil.rmtree(session.folder)  # the logs of the last time
    session.scratch.mkdir(parents=True)
    install(session)


def is_alive(server: Server) -> bool:
    """Whether the process still runs. Another process with the same pid does not count."""
    return started(server.pid) == server.started


def end(server: Server) -> None:
    """Ends the server, if it is alive, and the functions that it runs."""
    if is_alive(server):
        end_group(server.pid)


def running(session: Session) -> Server | None:
    """The session's server, if it is alive."""
    try:
        server = Server(**json.loads(session.record.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return server if is_alive(server) else None


def start(session: Session, port: int) -> Server:
    """Starts MiniStack detached: it outlives this process unless ``stop`` is called.

    Args:
        session: prepared.
        port: of the loopback interface.

    Raises:
        CommandError: the port is taken.
    """
    if not _is_free(port):
        raise CommandError(f"port {port} of {HOST} is taken: name another, or none to have a free one picked")
    with session.server_log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [session.tool("ministack") / ".venv/bin/ministack"],
            env=server_environment(session, port),
            cwd=session.scratch,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, which its functions' processes join
        )
    server = Server(process.pid, started(process.pid) or "", port)
    session.record.write_text(json.dumps(asdict(server)))
    return server


def wait_until_ready(session: Session, server: Server) -> None:
    """Returns once MiniStack answers.

    Raises:
        CommandError: it ended, or did not answer within ``READY_SECONDS``. The message ends with the last lines of
            its log.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(server):
        if not is_alive(server):
            raise CommandError(failure("MiniStack ended before it was ready", session.server_log))
        if time.monotonic() > deadline:
            what = f"MiniStack did not answer on {server.endpoint} within {READY_SECONDS:.0f} s"
            raise CommandError(failure(what, session.server_log))
        time.sleep(POLL_SECONDS)


def stop(session: Session) -> bool:
    """Stops the session's server and its functions, and removes their files except the logs.

    Returns:
        Whether a server was running.
    """
    server = running(session)
    if server:
        end(server)
    session.record.unlink(missing_ok=True)
    for folder in (session.build, session.scratch):
        shutil.rmtree(folder, ignore_errors=True)
    return server is not None


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(server: Server) -> bool:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=5)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True

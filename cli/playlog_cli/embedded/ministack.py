"""MiniStack: install, start, deploy into it, stop.

MiniStack has an environment of its own and sees none of the machine's Python or AWS settings. Its functions run on its
Python, so that a setting of the machine cannot replace a package or a variable that the stack lacks.
"""

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from filelock import FileLock

from playlog_cli.embedded.processes import end_group, started_at
from playlog_cli.embedded.session import HOST, REGION, Server, Session, claimed, session
from playlog_cli.embedded.tools import call, failure, sam, tool_environment, uv
from playlog_cli.errors import CommandError
from playlog_cli.schedules import problem_of
from playlog_cli.wiring import built_template
from playlog_cli.wiring.refusal import refusal
from playlog_cli.wiring.release import stamp

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

STACK = "playlog"  # as samconfig.toml names it in its local section
READY_SECONDS = 60.0  # MiniStack takes 2; a busy machine several times that
POLL_SECONDS = 0.05


@contextmanager
def served(session: Session, host: str = HOST) -> Iterator[Server]:
    """A MiniStack that lives as long as the block, however the block ends.

    It may still be starting when the block begins: call ``wait_until_ready`` before the first request.

    Args:
        session: claimed, and prepared by ``install``.
        host: address of this machine to listen on.
    """
    try:
        server = start(session, free_port(host), host)
        try:
            yield server
        finally:
            end(server)  # even if its record was deleted, for example with the whole checkout
    finally:
        stop(session)


@contextmanager
def deployed(name: str, parameters: Mapping[str, str]) -> Iterator[Server]:
    """A session with the stack deployed. It lives as long as the block, and the block sees no other AWS.

    Args:
        name: name of the session.
        parameters: parameters of the template that differ from their defaults.

    Raises:
        CommandError: another process uses the session, or a tool failed.
    """
    used = session(name)
    with claimed(used):
        install(used)
        with served(used) as server:
            build(used)
            wait_until_ready(used, server)
            deploy(used, server, parameters)
            with spoken_to(server):
                yield server


@contextmanager
def spoken_to(server: Server) -> Iterator[None]:
    """AWS clients of this process use the server, whatever the user's environment and configuration say."""
    before = dict(os.environ)
    after = tool_environment(server.environment)
    try:
        _replace_environment(after)
        yield
    finally:
        _replace_environment(before)


def install(session: Session) -> None:
    """Clears the session, and installs SAM and MiniStack into ``tools/`` if they are not there.

    A server that a killed process left behind in this session is stopped first.

    Raises:
        CommandError: uv is missing or failed.
    """
    stop(session)
    shutil.rmtree(session.folder)  # with the logs of the last time
    session.scratch.mkdir(parents=True)
    # One session installs at a time: uv takes an environment that another uv still fills for a whole one.
    with FileLock(session.install_lock):
        for tool in ("sam", "ministack"):
            command = [uv(), "sync", "--quiet", "--locked", "--project", str(session.tool(tool))]
            call(f"uv sync --project tools/{tool}", command, session, session.folder / "install.log", {})


def start(session: Session, port: int, host: str = HOST) -> Server:
    """Starts MiniStack as a process that outlives this one. ``stop`` ends it.

    Args:
        session: ``install`` has prepared it.
        port: a port of that address.
        host: address of this machine to listen on.

    Raises:
        CommandError: the port is taken.
    """
    if not _is_free(host, port):
        raise CommandError(f"port {port} of {host} is taken: name another one, or none to use a free one")
    with session.server_log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [session.tool("ministack") / ".venv/bin/ministack"],
            env=server_environment(session, port, host),
            cwd=session.scratch,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, which its functions' processes join
        )
    server = Server(process.pid, started_at(process.pid) or 0.0, port, host)
    session.save(server)
    return server


def wait_until_ready(session: Session, server: Server) -> None:
    """Returns once MiniStack answers.

    Raises:
        CommandError: it ended, or did not answer within ``READY_SECONDS``. The error has the last lines of its log.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(server):
        if not server.is_alive:
            raise failure("MiniStack ended before it was ready", session.server_log)
        if time.monotonic() > deadline:
            what = f"MiniStack did not answer on {server.endpoint} within {READY_SECONDS:.0f} s"
            raise failure(what, session.server_log)
        time.sleep(POLL_SECONDS)


def build(session: Session) -> None:
    """Runs ``sam build`` into the session's folder, and names the release.

    Raises:
        CommandError: the build failed.
    """
    sam(session, ["build", "--build-dir", str(session.build)], {})
    stamp(session.build / "template.yaml")


def functions(session: Session) -> list[str]:
    """The names of the functions in the template of a session's checkout."""
    template = built_template.load(session.checkout / "template.yaml")
    return [each.logical_id for each in template.of_type("AWS::Serverless::Function")]


def deploy(session: Session, server: Server, parameters: Mapping[str, str]) -> None:
    """Deploys the result of ``build``, with the ``local`` section of ``samconfig.toml``.

    Args:
        session: ``build`` has built it.
        server: it is ready.
        parameters: parameters of the template that differ from their defaults.

    Raises:
        CommandError: the template has no such parameter, AWS would refuse its value, or the deployment failed.
    """
    check_schedule(parameters)
    template = session.build / "template.yaml"
    known = built_template.load(template).parameters
    for name in parameters:
        if name not in known:  # SAM would ignore it without a message
            raise CommandError(f"template.yaml has no parameter {name}: it has {', '.join(sorted(known))}")
    arguments = ["deploy", "--config-env", "local", "--config-file", str(session.checkout / "samconfig.toml")]
    arguments += ["--template-file", str(template)]
    if parameters:  # they replace those of samconfig.toml, which are Embedded=true
        pairs = (f"{name}={quoted(value)}" for name, value in {"Embedded": "true", **parameters}.items())
        arguments += ["--parameter-overrides", *pairs]
    # The embedded AWS is quicker than AWS, for which SAM polls every 5 s.
    try:
        sam(session, arguments, {**server.environment, "SAM_CLI_POLL_DELAY": "0.2"})
    except CommandError as error:
        if reason := refusal(_cloudformation(server), STACK):
            raise CommandError(
                f"the new version did not pass its check, so nothing went live: {reason}", error.log_lines
            ) from error
        raise


def _cloudformation(server: Server) -> "CloudFormationClient":
    keys = server.environment["AWS_ACCESS_KEY_ID"], server.environment["AWS_SECRET_ACCESS_KEY"]
    return boto3.Session(*keys, region_name=REGION).client("cloudformation", endpoint_url=server.endpoint)


def check_schedule(parameters: Mapping[str, str]) -> None:
    """Refuses a schedule expression that AWS would refuse: MiniStack deploys it without a word.

    Args:
        parameters: parameters of the template.

    Raises:
        CommandError: the expression is not valid.
    """
    problem = problem_of(parameters["ScheduleExpression"]) if "ScheduleExpression" in parameters else None
    if problem:
        raise CommandError(f"ScheduleExpression is {problem}")


def stop(session: Session) -> bool:
    """Stops the session's server and its functions, and removes their files. The logs stay.

    Returns:
        Whether a server was running.
    """
    server = session.running()
    if server:
        end(server)
    session.record.unlink(missing_ok=True)
    for folder in (session.build, session.scratch):
        shutil.rmtree(folder, ignore_errors=True)
    return server is not None


def end(server: Server) -> None:
    """Ends the server and its functions, if it is alive."""
    if server.is_alive:
        end_group(server.pid)


def free_port(host: str = HOST) -> int:
    """A port of an address of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _replace_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def server_environment(session: Session, port: int, host: str = HOST) -> dict[str, str]:
    """Environment of MiniStack and its functions. Nothing in it comes from the machine's environment."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(session.scratch),
        "TMPDIR": str(session.scratch),
        "STATE_DIR": str(session.scratch / "state"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": host,
        "MINISTACK_HOST": host,  # in the addresses that it gives out
        "AUTH": "true",  # enforces the policies of the functions' roles
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{session.scratch}/none",  # otherwise it would use the machine's containers
    }


def _answers(server: Server) -> bool:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def quoted(value: str) -> str:
    """Quotes a parameter's value for SAM, since it may contain blanks."""
    escaped = value.replace('"', r"\"")
    return f'"{escaped}"'

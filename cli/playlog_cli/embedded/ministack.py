"""The embedded AWS: MiniStack on a loopback port, with this checkout's stack deployed into it.

MiniStack runs in an environment of its own and sees none of the machine's Python or AWS settings: its
functions run on its Python, and what leaked in could stand in for a package or a variable that the stack lacks.

A session is one embedded AWS from start to stop. Its name says whose it is (``local``, ``demo``, ``e2e``):
there is one of a name at a time in a checkout, and those of different names share nothing but the sources.
"""

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from playlog_cli.errors import CommandError
from playlog_cli.wiring import built_template

HOST = "127.0.0.1"
REGION = "us-east-1"

READY_SECONDS = 60.0  # MiniStack takes 2; a busy machine several times that
GRACE_SECONDS = 2.0  # from SIGTERM to SIGKILL: nothing that is stopped here has anything to save
POLL_SECONDS = 0.05
TAIL_LINES = 15

# Settings of the machine's that would change what is built, or which AWS is spoken to.
_MISLEADING = ("AWS_", "SAM_CLI_", "UV_PROJECT", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME")


@dataclass(frozen=True)
class Server:
    """A MiniStack process, as its session's record keeps it.

    ``started`` is when the process began, as the system tells it. Where the pid has been given to another
    process since, that differs: so nothing is ever stopped that a session did not start.
    """

    pid: int
    started: str
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes any AWS client speak to this server; its credentials stand for no account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }


@dataclass(frozen=True)
class Session:
    """Where a session of a name keeps its things: all under ``.playlog/`` of the checkout."""

    name: str
    checkout: Path

    @property
    def folder(self) -> Path:
        return self.checkout / ".playlog" / self.name

    def tool(self, name: str) -> Path:
        """The project of a tool, with its environment in ``.venv``."""
        return self.checkout / "tools" / name

    @property
    def record(self) -> Path:
        return self.folder.with_suffix(".json")

    @property
    def lock(self) -> Path:
        return self.folder.with_suffix(".lock")

    @property
    def build(self) -> Path:
        return self.folder / "build"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def server_log(self) -> Path:
        return self.folder / "ministack.log"


def session(name: str) -> Session:
    """The session of a name in the checkout that this package was installed from.

    Raises:
        CommandError: the package was installed without its checkout.
    """
    checkout = _checkout()
    if not (checkout / "template.yaml").is_file():
        raise CommandError(
            f"the embedded AWS deploys template.yaml of a checkout, and there is none in {checkout}: "
            "clone playlog and start with `make run`"
        )
    return Session(name, checkout)


@contextmanager
def claimed(session: Session) -> Iterator[None]:
    """Keeps the session to this process, and makes SIGTERM and SIGHUP unwind it as Ctrl-C does.

    Raises:
        CommandError: another process has it.
    """
    session.folder.mkdir(parents=True, exist_ok=True)
    with session.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"another command is at work with the embedded AWS `{session.name}` of this checkout: "
                "wait until it has ended"
            ) from None
        before = {number: signal.signal(number, _exit) for number in (signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def served(session: Session) -> Iterator[Server]:
    """A MiniStack that lives as long as the block, whatever ends that.

    It is starting when the block begins: ``wait_until_ready`` before the first request.

    Args:
        session: claimed, and prepared by ``install``.
    """
    try:
        server = start(session, free_port())
        try:
            yield server
        finally:
            end(server)  # even if its record is gone, say with the whole checkout
    finally:
        stop(session)


@contextmanager
def deployed(name: str, parameters: Mapping[str, str]) -> Iterator[Server]:
    """A session with the stack deployed, which lives as long as the block and is all the AWS there is in it.

    Args:
        name: the session's.
        parameters: of the template, where they are not to be its defaults.

    Raises:
        CommandError: the session is taken, or a tool failed: with the last lines that it wrote.
    """
    this = session(name)
    with claimed(this):
        install(this)
        with served(this) as server:
            build(this)
            wait_until_ready(this, server)
            deploy(this, server, parameters)
            with spoken_to(server):
                yield server


@contextmanager
def spoken_to(server: Server) -> Iterator[None]:
    """AWS clients of this process speak to the server, whatever the user's environment and configuration say."""
    before = dict(os.environ)
    after = tool_environment(server.environment)
    try:
        _replace_environment(after)
        yield
    finally:
        _replace_environment(before)


def running(session: Session) -> Server | None:
    """The session's server, if it is alive."""
    try:
        server = Server(**json.loads(session.record.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return server if is_alive(server) else None


def is_alive(server: Server) -> bool:
    """Whether the process is there still, and not another one that was given its pid."""
    return started(server.pid) == server.started


def install(session: Session) -> None:
    """Clears the session, and installs what it runs, SAM and MiniStack, into ``tools/``: once, that is.

    A server that a killed process left behind in this session is stopped first.

    Raises:
        CommandError: uv is not there or failed: with the last lines that it wrote.
    """
    stop(session)
    shutil.rmtree(session.folder)  # the logs of the time before
    session.scratch.mkdir(parents=True)
    for tool in ("sam", "ministack"):
        command = [_uv(), "sync", "--quiet", "--locked", "--project", str(session.tool(tool))]
        call(f"uv sync --project tools/{tool}", command, session, session.folder / "install.log", {})


def start(session: Session, port: int) -> Server:
    """Starts MiniStack, detached: it outlives this process unless ``stop`` is called.

    Args:
        session: ``install`` has prepared it.
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
        CommandError: it ended, or did not answer within ``READY_SECONDS``: with the last lines of its log.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(server):
        if not is_alive(server):
            raise CommandError(_failure("MiniStack ended before it was ready", session.server_log))
        if time.monotonic() > deadline:
            what = f"MiniStack did not answer on {server.endpoint} within {READY_SECONDS:.0f} s"
            raise CommandError(_failure(what, session.server_log))
        time.sleep(POLL_SECONDS)


def build(session: Session) -> None:
    """Builds what is deployed, as ``sam build`` does, into the session's folder.

    Raises:
        CommandError: the build failed: with the last lines that it wrote.
    """
    _sam(session, ["build", "--build-dir", str(session.build)], {})


def deploy(session: Session, server: Server, parameters: Mapping[str, str]) -> None:
    """Deploys what ``build`` built, with the ``local`` section of ``samconfig.toml``.

    Args:
        session: ``build`` has built it.
        server: it is ready.
        parameters: of the template, where they are not to be its defaults.

    Raises:
        CommandError: the template has no such parameter, or the deployment failed: with the last lines that it
            wrote.
    """
    template = session.build / "template.yaml"
    known = built_template.load(template).parameters
    for name in parameters:
        if name not in known:  # SAM would leave it out and say nothing
            raise CommandError(f"template.yaml has no parameter {name}: it has {', '.join(sorted(known))}")
    arguments = ["deploy", "--config-env", "local", "--config-file", str(session.checkout / "samconfig.toml")]
    arguments += ["--template-file", str(template)]
    if parameters:
        pairs = (f"{name}={quoted(value)}" for name, value in parameters.items())
        arguments += ["--parameter-overrides", *pairs]
    # Nothing here is as slow as AWS: its default is to look every 5 s.
    _sam(session, arguments, {**server.environment, "SAM_CLI_POLL_DELAY": "0.2"})


def stop(session: Session) -> bool:
    """Stops the session's server and its functions, and removes what they left; the logs stay.

    Returns:
        Whether there was a server to stop.
    """
    server = running(session)
    if server:
        end(server)
    session.record.unlink(missing_ok=True)
    for folder in (session.build, session.scratch):
        shutil.rmtree(folder, ignore_errors=True)
    return server is not None


def end(server: Server) -> None:
    """Ends the server, if it is alive, and the functions that it runs."""
    if is_alive(server):
        with _undisturbed():
            _end_group(server.pid, lambda: not is_alive(server))


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _checkout() -> Path:
    return Path(__file__).resolve().parents[3]


def _replace_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def server_environment(session: Session, port: int) -> dict[str, str]:
    """All that MiniStack and the functions in it see of the machine: nothing but where programs are."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(session.scratch),
        "TMPDIR": str(session.scratch),
        "STATE_DIR": str(session.scratch / "state"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "AUTH": "true",  # enforces the policies of the functions' roles
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{session.scratch}/none",  # or it would look after the machine's containers
    }


def tool_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """What uv and SAM see: the machine's, its proxies and package index say, less what would mislead them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_MISLEADING)}
    no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), HOST]))
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(_uv()).parent), os.environ.get("PATH", os.defpath)]),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "SAM_CLI_TELEMETRY": "0",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **extra,
    }


def _uv() -> str:
    found = os.environ.get("UV") or shutil.which("uv") or shutil.which("uv", path=_checkout() / ".tools/uv/bin")
    if not found:
        raise CommandError("no uv on the PATH to install the embedded AWS with: `pip install uv`, or use `make run`")
    return found


def _sam(session: Session, arguments: Sequence[str], extra: Mapping[str, str]) -> None:
    command = [str(session.tool("sam") / ".venv/bin/sam"), *arguments]
    call(f"sam {arguments[0]}", command, session, session.folder / "sam.log", extra)


def call(what: str, command: Sequence[str], session: Session, log: Path, extra: Mapping[str, str]) -> None:
    """Runs a tool to its end, with what it writes in a log.

    Raises:
        CommandError: it failed: with the last lines that it wrote.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            env=tool_environment({"TMPDIR": str(session.scratch), **extra}),
            cwd=session.checkout,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches this process alone, which ends all of the tool's
        )
    try:
        status = process.wait()
    except BaseException:
        with _undisturbed():
            _end_group(process.pid, lambda: process.poll() is not None)
        raise
    if status:
        raise CommandError(_failure(f"{what} failed with exit status {status}", log))


def _failure(what: str, log: Path) -> str:
    """What failed, with the last lines of its log."""
    lines = log.read_text(errors="replace").rstrip().splitlines()
    return "\n".join([f"{what}; the end of {log}:", *(f"  {line}" for line in lines[-TAIL_LINES:])])


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


def started(pid: int) -> str | None:
    """When a process began, as the system tells it; None if it is no more, or only waits to be reaped."""
    if sys.platform == "linux":
        try:
            # After the name in parentheses, which may hold anything: state is the 3rd field, start the 22nd.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] == "Z" else fields[19]
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, began = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def _end_group(pid: int, ended: Callable[[], bool]) -> None:
    """Ends a process that leads a group, and then what is left of the group."""
    deadline = time.monotonic() + GRACE_SECONDS
    _signal_group(pid, signal.SIGTERM)
    while not ended() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    _signal_group(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody left; macOS says the second of zombies
        os.killpg(pid, number)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Stopping takes seconds at most, and a second Ctrl-C must not leave the half of it running."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def quoted(value: str) -> str:
    """A parameter's value as SAM reads it: in double quotes, since it may hold blanks."""
    escaped = value.replace('"', r"\"")
    return f'"{escaped}"'

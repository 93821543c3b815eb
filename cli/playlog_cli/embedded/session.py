"""A session: one embedded AWS from start to stop, and the record that other commands find it by.

The name of a session says who uses it (``local``, ``demo``, ``e2e``). A checkout has one session of a name at a time,
and sessions of different names share nothing but the sources.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from playlog_cli.embedded.processes import is_same_process, unwinding_on_signals
from playlog_cli.errors import CommandError

HOST = "127.0.0.1"
REGION = "us-east-1"
LOCAL = "local"  # the session that `playlog local up` leaves running


@dataclass(frozen=True)
class Server:
    """A MiniStack process, as the record of its session keeps it.

    Attributes:
        pid: its pid.
        started_at: when the process began, in epoch seconds. If the pid was given to another process since, that one
            began at another time: so no process is ever ended that a session did not start.
        port: its port.
        host: address that it listens on: loopback, or Docker's bridge, which containers reach.
    """

    pid: int
    started_at: float
    port: int
    host: str = HOST

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make any AWS client use this server. The credentials belong to no account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs, and is not another one that was given its pid."""
        return is_same_process(self.pid, self.started_at)


@dataclass(frozen=True)
class Session:
    """The files of a session, all in ``.playlog/`` of the checkout."""

    name: str
    checkout: Path

    @property
    def folder(self) -> Path:
        return self.checkout / ".playlog" / self.name

    def tool(self, name: str) -> Path:
        """The project of a tool. Its environment is in ``.venv``."""
        return self.checkout / "tools" / name

    @property
    def record(self) -> Path:
        return self.folder.with_suffix(".json")

    @property
    def lock(self) -> Path:
        return self.folder.with_suffix(".lock")

    @property
    def install_lock(self) -> Path:
        """Of all sessions of the checkout, which share the tools."""
        return self.checkout / ".playlog" / "install.lock"

    @property
    def build(self) -> Path:
        return self.folder / "build"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def server_log(self) -> Path:
        return self.folder / "ministack.log"

    def save(self, server: Server) -> None:
        """Writes the record."""
        self.record.write_text(json.dumps(asdict(server)))

    def running(self) -> Server | None:
        """The session's server, if it is alive."""
        try:
            server = Server(**json.loads(self.record.read_text()))
            return server if server.is_alive else None
        except (OSError, ValueError, TypeError):
            return None


def checkout() -> Path:
    """The folder that this package was installed from."""
    return Path(__file__).resolve().parents[3]


def session(name: str) -> Session:
    """The session of a name in this checkout.

    Raises:
        CommandError: the package was installed without its checkout.
    """
    if not (checkout() / "template.yaml").is_file():
        raise CommandError(
            f"the embedded AWS deploys template.yaml of a checkout, and there is none in {checkout()}: "
            "clone playlog and start with `make run`"
        )
    return Session(name, checkout())


@contextmanager
def claimed(session: Session) -> Iterator[None]:
    """Keeps the session to this process, and makes SIGTERM and SIGHUP unwind the block as Ctrl-C does.

    Raises:
        CommandError: another process uses the session.
    """
    session.folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(session.lock, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise CommandError(
            f"another command is at work with the embedded AWS `{session.name}` of this checkout: "
            "wait until it has ended"
        ) from None
    try:
        with unwinding_on_signals():
            yield
    finally:
        lock.release()

"""A session: one embedded AWS from start to stop, its files, and its server process.

Its name says who uses it (``local``, ``demo``, ``e2e``). A checkout has one session of a name at a time. Sessions of
different names share only the sources.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from playlog_cli.embedded.processes import exit_on_signal
from playlog_cli.errors import CommandError

HOST = "127.0.0.1"
REGION = "us-east-1"


@dataclass(frozen=True)
class Server:
    """A MiniStack process, as its session's record keeps it.

    Attributes:
        pid: of the process.
        started: when the process began, as the system says. If the pid was given to another process since, that
            differs, so that a session never stops a process that it did not start.
        port: of the loopback interface.
    """

    pid: int
    started: str
    port: int

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make any AWS client call this server. The credentials belong to no account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }


@dataclass(frozen=True)
class Session:
    """The places of a session's files: all under ``.playlog/`` of the checkout."""

    name: str
    checkout: Path

    @property
    def folder(self) -> Path:
        """Its logs and everything that it builds."""
        return self.checkout / ".playlog" / self.name

    def tool(self, name: str) -> Path:
        """The project of a tool, with its environment in ``.venv``."""
        return self.checkout / "tools" / name

    @property
    def record(self) -> Path:
        """Says which server runs."""
        return self.folder.with_suffix(".json")

    @property
    def lock(self) -> Path:
        """Is locked while a command works with the session."""
        return self.folder.with_suffix(".lock")

    @property
    def build(self) -> Path:
        """What ``sam build`` built."""
        return self.folder / "build"

    @property
    def scratch(self) -> Path:
        """The home folder of MiniStack."""
        return self.folder / "scratch"

    @property
    def server_log(self) -> Path:
        """What MiniStack writes."""
        return self.folder / "ministack.log"


def checkout() -> Path:
    """The checkout that this package was installed from."""
    return Path(__file__).resolve().parents[3]


def open_session(name: str) -> Session:
    """The session of a name.

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
    """Reserves the session for this process. SIGTERM and SIGHUP end the block as Ctrl-C does.

    Raises:
        CommandError: another process has it.
    """
    session.folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(session.lock).acquire(blocking=False)
    except Timeout:
        raise CommandError(
            f"another command works with the embedded AWS `{session.name}` of this checkout: wait until it has ended"
        ) from None
    with lock:
        before = {number: signal.signal(number, exit_on_signal) for number in (signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

"""Work that takes longer than an answer may take. A page asks for its progress."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from playlog_cli.errors import explained
from playlog_cli.failures.mending import MendTally
from playlog_cli.reporting.forms import Report


@dataclass
class Work:
    """Work in a thread of its own.

    Attributes:
        is_done: whether it has ended.
        problem: why it ended early; None if it did not.
    """

    is_done: bool = field(default=False, init=False)
    problem: str | None = field(default=None, init=False)

    _ended: Event = field(default_factory=Event, init=False, repr=False)

    def start(self, work: Callable[[], object]) -> None:
        """Begins the work."""
        Thread(target=self._run, args=(work,), daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Returns once the work has ended, but at the latest after some seconds."""
        self._ended.wait(seconds)

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            self.problem = explained(error)
            if self.problem is None:
                self.problem = f"{type(error).__name__}: this is a defect of playlog, see the terminal"
                raise
        finally:
            self.is_done = True
            self._ended.set()


@dataclass
class Job(Work):
    """A correction of many matches that is being written.

    Attributes:
        tally: its result so far.
        total: how many matches it works on.
    """

    tally: MendTally
    total: int

    @property
    def done(self) -> int:
        """How many matches it has worked on."""
        return len(self.tally.mended) + len(self.tally.left)


@dataclass
class Previewing(Work):
    """A preview of a correction that is being made.

    Attributes:
        back: address of the list that it began with.
        read: how many matches were read so far.
        values: what its template shows; empty until then.
    """

    back: str
    read: int = 0
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Making(Work):
    """A report that is being made.

    Attributes:
        title: what it is about.
        read: how many plays were read so far.
        report: the result; None until then.
    """

    title: str
    read: int = 0
    report: Report | None = None

    def progress(self, plays: int) -> None:
        """Progress callback: receives the number of plays just read."""
        self.read += plays

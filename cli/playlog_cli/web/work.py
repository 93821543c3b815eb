"""Work that takes longer than an answer may take. A page asks for its progress."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread

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

    def start(self, work: Callable[[], object]) -> None:
        """Begins the work."""
        Thread(target=self._run, args=(work,), daemon=True).start()

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

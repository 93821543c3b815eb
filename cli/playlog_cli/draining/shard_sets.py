"""A set of shards that one run at a time works on: is it drained, and when may its next run begin? No AWS, no clock."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from playlog_cli.stacks.convert import ConvertResult
from playlog_cli.terminal import counted

LONGEST_PAUSE = 16.0  # seconds


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: twice as long each time."""
    return min(LONGEST_PAUSE, 2.0**failures)


def shards_in_words(shards: Sequence[int]) -> str:
    """Like ``shard 3`` or ``shards 0, 3``."""
    return f"shard{'s' if len(shards) > 1 else ''} {', '.join(map(str, shards))}"


@dataclass
class ShardSet:
    """Shards that one run at a time works on.

    Attributes:
        shards: their numbers.
        due: time of a monotonic clock, in seconds, before which no run begins.
        was_read_to_the_end: whether a run got to the end of all shards.
        fewest_failed: the fewest failures of such a run.
        fruitless: runs in a row without progress.
        problem: what the last run said.
    """

    shards: tuple[int, ...]
    due: float = 0.0
    was_read_to_the_end: bool = False
    fewest_failed: float = math.inf
    fruitless: int = 0
    problem: str = ""

    def is_drained_by(self, run: ConvertResult, now: float) -> bool:
        """Records the result of a run.

        A match that fails waits until its dead letter is stored, and every run meets it again. So a run that gets to
        the end makes progress only if fewer matches fail than before. The number of processed matches does not count:
        those are new ones, and a detection system that goes on writing must not keep a drain from its end.

        Args:
            run: the result.
            now: time of the monotonic clock, in seconds.

        Returns:
            Whether nothing is left of the matches that waited.
        """
        if run.waiting:
            has_progress = run.processed > 0
            self.problem = f"the last run said: {run.message}"
        else:
            # The index is updated later than the table, so that a first run may miss the newest matches.
            if not run.failed and (self.was_read_to_the_end or not run.processed):
                return True
            has_progress = run.failed < self.fewest_failed
            self.was_read_to_the_end, self.fewest_failed = True, min(run.failed, self.fewest_failed)
            self.problem = (
                f"{counted(run.failed, 'match', 'matches')} failed in the last one: `playlog status` shows whether "
                "dead letters are stored, `playlog failures list` why matches failed"
            )
        self.fruitless = 0 if has_progress else self.fruitless + 1
        if run.failed or not has_progress:
            self.due = now + pause_after(self.fruitless)
        return False

    def record_failed_run(self, problem: str, now: float) -> None:
        """Records that a run failed.

        Args:
            problem: why.
            now: time of the monotonic clock, in seconds.
        """
        self.fruitless += 1
        self.problem = problem
        self.due = now + pause_after(self.fruitless)

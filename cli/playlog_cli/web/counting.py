"""Counts of failures that go on from request to request, so that no request has to count to the end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from playlog_cli.failures.counting import Count, count_on
from playlog_cli.failures.records import Selection
from playlog_cli.stacks.stack import Stack

# A complete count is shown again for a while that grows with what it cost.
LIFETIME_OF_AN_ANSWER = timedelta(seconds=5)
# A count that nobody goes on with is begun again after a while.
LIFETIME_OF_A_PART = timedelta(minutes=10)
MOST_COUNTS = 5000


@dataclass(frozen=True)
class Counted:
    """Counts, as far as they have come.

    Attributes:
        counts: by selection.
        began: when the oldest of them was begun, with an offset.
    """

    counts: dict[Selection, Count]
    began: datetime

    @property
    def is_complete(self) -> bool:
        """Whether each count is exact. They are lower bounds otherwise."""
        return all(count.is_complete for count in self.counts.values())

    @property
    def answers(self) -> int:
        """How many answers of DynamoDB were read for them."""
        return sum(count.answers for count in self.counts.values())


class Counting:
    """Counts of failures.

    Args:
        stack: where.
        now: the clock, with an offset.
    """

    def __init__(self, stack: Stack, now: Callable[[], datetime]) -> None:
        self._stack = stack
        self._now = now
        self._kept: dict[Selection, tuple[datetime, Count]] = {}
        self._lock = Lock()

    def go_on(self, lifetimes: Mapping[Selection, timedelta], most: int) -> Counted:
        """Goes on with counts, or begins them.

        Args:
            lifetimes: what is counted, each with a reason code, and how long a complete count is shown again at least.
            most: how many answers of DynamoDB are read now.
        """
        now = self._now()
        with self._lock:
            kept = {each: self._kept.get(each) for each in lifetimes}
        begun = {
            each: entry if entry and _is_fresh(*entry, now, lifetimes[each]) else (now, Count())
            for each, entry in kept.items()
        }
        counts = count_on(self._stack, {each: count for each, (_, count) in begun.items()}, most)
        with self._lock:
            if len(self._kept) > MOST_COUNTS:
                self._kept.clear()
            self._kept |= {each: (begun[each][0], count) for each, count in counts.items()}
        return Counted(counts, min((when for when, _ in begun.values()), default=now))


def _is_fresh(began: datetime, count: Count, now: datetime, lifetime: timedelta) -> bool:
    whole = max(lifetime, LIFETIME_OF_AN_ANSWER * count.answers)
    return now - began < (whole if count.is_complete else LIFETIME_OF_A_PART)

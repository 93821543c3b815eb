"""A guard: what keeps two runs that write plays of one station at once from writing one airing twice.

A new play is no conflict for DynamoDB where another run writes the same airing under another ``play_id``. So each
transaction that writes plays of a station also raises the version of its guard, on the condition that it is still what
it was before the station's plays were read: nobody has written any since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from playlog.domain.play import Play

# Plays that were written while there was no gap are not in the guard. None is longer than its longest match.
FIRST_REACH = timedelta(days=1)
# What a look-up reads at least: the first look-up of a station sees only those of these plays that are around it. An
# hour is longer than nearly any match, and costs a few plays; a day would cost hundreds.
LEAST_REACH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Guard:
    """The guard of a station's plays.

    Attributes:
        station_id: its key.
        version: rises with each transaction; 0 where there is no item yet.
        reach: how far any play of the station that was written with a gap reaches from the time in its ``play_id``,
            before or after it. So a look-up reads an hour and not days, and still misses none of them.
    """

    station_id: str
    version: int = 0
    reach: timedelta = timedelta()

    @property
    def looked_up(self) -> timedelta:
        """How far from its matches a look-up has to read."""
        return max(self.reach, LEAST_REACH if self.version else FIRST_REACH)

    def having_seen(self, plays: Iterable[Play]) -> Self:
        """The guard once plays of its station were read, those of times without a gap among them."""
        return type(self)(self.station_id, self.version, max(self.reach, _furthest(plays)))

    def raised(self, plays: Iterable[Play]) -> Self:
        """The guard after a transaction that writes these plays."""
        return type(self)(self.station_id, self.version + 1, max(self.reach, _furthest(plays)))


def _furthest(plays: Iterable[Play]) -> timedelta:
    return max((play.reach for play in plays), default=timedelta())

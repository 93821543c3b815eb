"""A row of a log on its way to a match. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from playlog_cli.loading.files.row import BadLogRow, LogCells, SkippedRow


@dataclass(slots=True)
class Draft:
    """A row whose instant or duration may hang on its neighbours.

    Attributes:
        line: of the file.
        station: whose log the row is in.
        at: local time, and then the instant in UTC.
        values: attributes of the match; None if the row becomes none, and only ends the row before it.
        is_doubtful: whether ``at`` is only the first of the instants that the row may be at.
        source: the row's cells.
        problem: what is wrong with a row that becomes no match; None if a skip rule says so.
        end: when it ended, as the row says: an instant, a local time, or a time of the day.
        until_next: time to the next row of the station, at most what the format says.
        is_longest: whether ``until_next`` is what the format says, and the next row is later still.
        step: 1 if it is later than the row before it of its station, -1 if it is earlier.
        unknown_after: line of a bad row after this one of which nobody knows the time; 0 if there is none.
        unknown_end: line of the row that ended this one at a time that nobody knows; 0 if there is none.
    """

    line: int
    station: str
    at: datetime
    values: dict[str, Any] | None
    source: LogCells
    problem: str | None = None
    is_doubtful: bool = False
    end: datetime | time | None = None
    until_next: timedelta | None = None
    is_longest: bool = False
    step: int = 0
    unknown_after: int = 0
    unknown_end: int = 0

    def refused(self, problem: str) -> "Draft":
        """The row as one that becomes no match, unless a skip rule says so already."""
        return self if self.values is None else replace(self, values=None, problem=problem)

    def left_out(self) -> BadLogRow | SkippedRow:
        """What a row without values is."""
        if self.problem is None:
            return SkippedRow(self.line, self.source)
        return BadLogRow(self.line, self.problem, self.source)

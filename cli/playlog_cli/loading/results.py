"""What became of a file's rows."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playlog_cli.loading.files.row import BadRow, Row

MOST_KEPT = 1_000  # bad rows of a file, and matches that the old system had as played: a file may have millions


@dataclass(frozen=True)
class NotPlayed:
    """A match that the old system has played and that can be no play here: it was added as failed.

    Attributes:
        line: of the file.
        match_id: its key in MatchCache.
        reason: why it can be no play.
    """

    line: int
    match_id: str
    reason: str


@dataclass(frozen=True)
class FileResult:
    """What became of a file's rows: each was added, there already, bad, skipped, or no detection.

    Attributes:
        file: as it was named.
        rows: that were read; blank lines are none. Of a document of ACRCloud's, each result is one.
        added: matches that were not in MatchCache before.
        already_there: matches that were, or that stand in the file twice; they are left as they are.
        bad_rows: the first ``MOST_KEPT`` that were not loaded, in the order of their lines.
        error: why the file could not be read, or not to its end; None if it was.
        played: how many of the added matches are played, as an old system had them.
        plays: how many plays were created for those.
        failed: how many of the added matches have failed, as an old system had them.
        not_played: those of the failed that the old system had as played, the first ``MOST_KEPT`` in the order of their
            lines.
        no_detections: results of ACRCloud's in which nothing was recognized.
        invalid_isrcs: ISRCs that are not valid. A match with one has another id, and keeps the text.
        null_markers: cells of an old system's export that were read as no value, like ``NULL``.
        skipped: rows that are no matches by a rule of the log format.
        unread_sheets: names of the sheets of a workbook that were not read.
        bad: how many rows were not loaded.
        not_played_count: how many matches the old system had as played that were added as failed.
        going_back: rows against the order of time, of a file whose rows last up to the next one.
        longest_rows: rows that last the maximum, because the next one is later still.
        open_rows: rows that should last up to the next one, and have none at another instant.
    """

    file: str
    rows: int
    added: int
    already_there: int
    bad_rows: tuple[BadRow, ...]
    error: str | None
    played: int = 0
    plays: int = 0
    failed: int = 0
    not_played: tuple[NotPlayed, ...] = ()
    no_detections: int = 0
    invalid_isrcs: int = 0
    null_markers: int = 0
    skipped: int = 0
    unread_sheets: tuple[str, ...] = ()
    bad: int = 0
    not_played_count: int = 0
    going_back: int = 0
    longest_rows: int = 0
    open_rows: int = 0


@dataclass(frozen=True)
class LoadResult:
    """What became of each file."""

    files: tuple[FileResult, ...]

    @property
    def ok(self) -> bool:
        """Whether every match of every file is in MatchCache now."""
        return not any(each.bad or each.error for each in self.files)


@dataclass(frozen=True)
class FileProgress:
    """How far all files have been loaded.

    Attributes:
        file: the file that is being loaded.
        number: its number, from 1.
        files: how many files there are.
        rows: that were read so far, of all files.
        bytes_read: of all files.
        bytes_total: of all files; None if it is unknown, as of a pipe.
    """

    file: str
    number: int
    files: int
    rows: int
    bytes_read: int
    bytes_total: int | None


@dataclass(frozen=True)
class Report:
    """Functions that receive results while files are loaded.

    Attributes:
        bad_row: receives the name of a file and a bad row of it, in the order in which they are found.
        result: receives the result of each file, also of one that was not loaded to its end.
    """

    bad_row: Callable[[str, BadRow], None] = lambda _file, _row: None
    result: Callable[[FileResult], None] = lambda _result: None


@dataclass
class Order:
    """Whether rows that last up to the next one are in the order of time.

    Attributes:
        later: rows that are later than the row before them of their station.
        earlier: rows that are earlier.
        longest_rows: rows that last the maximum.
        open_rows: rows that have no next row at another instant.
    """

    later: int = 0
    earlier: int = 0
    longest_rows: int = 0
    open_rows: int = 0

    def add(self, row: Row) -> None:
        """Counts a row."""
        self.later += row.step > 0
        self.earlier += row.step < 0
        self.longest_rows += row.is_longest
        self.open_rows += row.is_open

    @property
    def going_back(self) -> int:
        """Rows against the direction of most rows: a log may be in ascending or in descending order."""
        return min(self.later, self.earlier)


NO_REPORT = Report()
"""Nothing is received before the end."""


@dataclass
class Tally:
    """What became of a file's rows so far.

    Attributes:
        on_bad: receives each bad row as it comes, also those that are not kept.
    """

    on_bad: Callable[[BadRow], None] = lambda _row: None
    rows: int = 0
    added: int = 0
    already_there: int = 0
    played: int = 0
    plays: int = 0
    failed: int = 0
    no_detections: int = 0
    invalid_isrcs: int = 0
    null_markers: int = 0
    skipped: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    not_played: list[NotPlayed] = field(default_factory=list)
    error: str | None = None
    unread_sheets: tuple[str, ...] = ()
    bad: int = 0
    not_played_count: int = 0
    order: Order = field(default_factory=Order)

    def add_bad(self, row: BadRow) -> None:
        """Counts a bad row, and keeps it if it is one of the first."""
        self.bad += 1
        self.on_bad(row)
        if len(self.bad_rows) < MOST_KEPT:
            self.bad_rows.append(row)

    def add(self, written: "Tally") -> None:
        """Counts what was written of the file's rows."""
        self.added += written.added
        self.already_there += written.already_there
        self.played += written.played
        self.plays += written.plays
        self.failed += written.failed
        for row in written.bad_rows:
            self.add_bad(row)
        self.not_played_count += len(written.not_played)
        self.not_played += written.not_played[: MOST_KEPT - len(self.not_played)]


def result_of(file: str, tally: Tally) -> FileResult:
    """What became of a file's rows, from its tally."""
    return FileResult(
        file=file,
        rows=tally.rows,
        added=tally.added,
        already_there=tally.already_there,
        bad_rows=tuple(sorted(tally.bad_rows, key=lambda bad: bad.line)),
        error=tally.error,
        played=tally.played,
        plays=tally.plays,
        failed=tally.failed,
        not_played=tuple(sorted(tally.not_played, key=lambda each: each.line)),
        no_detections=tally.no_detections,
        invalid_isrcs=tally.invalid_isrcs,
        null_markers=tally.null_markers,
        skipped=tally.skipped,
        unread_sheets=tally.unread_sheets,
        bad=tally.bad,
        not_played_count=tally.not_played_count,
        going_back=tally.order.going_back,
        longest_rows=tally.order.longest_rows,
        open_rows=tally.order.open_rows,
    )

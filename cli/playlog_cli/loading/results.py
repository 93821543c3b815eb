"""What became of a file's rows."""

from dataclasses import dataclass, field

from playlog_cli.loading.files.row import BadRow


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
        bad_rows: that were not loaded, in the order of their lines.
        error: why the file could not be read, or not to its end; None if it was.
        played: how many of the added matches are played, as an old system had them.
        plays: how many plays were created for those.
        failed: how many of the added matches have failed, as an old system had them.
        not_played: those of the failed that the old system had as played, in the order of their lines.
        no_detections: results of ACRCloud's in which nothing was recognized.
        invalid_isrcs: ISRCs that are not valid. A match with one has another id, and keeps the text.
        null_markers: cells of an old system's export that were read as no value, like ``NULL``.
        skipped: rows that are no matches by a rule of the log format.
        unread_sheets: names of the sheets of a workbook that were not read.
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


@dataclass(frozen=True)
class LoadResult:
    """What became of each file."""

    files: tuple[FileResult, ...]

    @property
    def ok(self) -> bool:
        """Whether every match of every file is in MatchCache now."""
        return not any(each.bad_rows or each.error for each in self.files)


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


@dataclass
class Tally:
    """What became of a file's rows so far."""

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

    def add(self, written: "Tally") -> None:
        self.added += written.added
        self.already_there += written.already_there
        self.played += written.played
        self.plays += written.plays
        self.failed += written.failed
        self.bad_rows += written.bad_rows
        self.not_played += written.not_played


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
    )

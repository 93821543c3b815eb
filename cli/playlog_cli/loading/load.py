"""`playlog load`: files of matches into MatchCache, and those of an old system with their plays and failures.

Each match is written with everything that its state needs in one transaction: see ``writing``.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from playlog_cli.errors import CommandError
from playlog_cli.loading import history
from playlog_cli.loading.batches import WRITERS, PlayedMatch, PutMatch, make_batches, put_failed, write_ahead
from playlog_cli.loading.files.inputs import Input, find_inputs
from playlog_cli.loading.files.row import BadRow, Row, RowsError, SkippedRow
from playlog_cli.loading.files.sheets import is_workbook, other_sheets
from playlog_cli.loading.files.sources import Source, check_intact, opened, readable
from playlog_cli.loading.matches import RowError, Seen, has_invalid_isrc, match_of
from playlog_cli.loading.outcomes import PLAIN, NoDetection, Options, outcomes
from playlog_cli.loading.results import NO_REPORT, FileProgress, FileResult, LoadResult, Report, Tally, result_of
from playlog_cli.loading.taking_back import TakenBack, take_back
from playlog_cli.loading.writing import MatchStore
from playlog_cli.signals import whole_step
from playlog_cli.stacks.stack import Stack

NOT_TO_ITS_END = "was not loaded to its end: load it again, which adds what is missing"


def load_files(
    stack: Stack,
    paths: Sequence[Path],
    progress: Callable[[FileProgress], None],
    options: Options = PLAIN,
    report: Report = NO_REPORT,
) -> LoadResult:
    """Loads files one after the other. A match that is in MatchCache already is left as it is.

    Args:
        stack: where to write.
        paths: files of matches, of ACRCloud's results, or of the old Django table, also in folders and ZIP files;
            ``-`` is standard input.
        progress: progress callback: receives, every few rows, how far the files have been loaded.
        options: what the user says about the files.
        report: receives bad rows and results as they come. Something may end the load, and then there is no return.

    Raises:
        CommandError: a file is not there or may not be read; nothing has been loaded.
        BotoCoreError, ClientError: a table cannot be written. Loading the files again adds what is missing.
    """
    files = find_inputs(paths)
    total = sum(file.size for file in files) or None
    results: list[FileResult] = []
    rows = done = 0
    with ThreadPoolExecutor(WRITERS) as pool:
        load = _Load(stack, options, pool)
        for number, file in enumerate(files, start=1):
            start = FileProgress(file.name, number, len(files), rows, done, total)
            tally = Tally(on_bad=partial(report.bad_row, file.name))
            try:
                load.file(file, tally, start, progress)
            except BaseException:
                tally.error = NOT_TO_ITS_END
                raise
            finally:
                with whole_step():
                    results.append(result_of(file.name, tally))
                    report.result(results[-1])
            rows += tally.rows
            done += file.size
    return LoadResult(tuple(results))


def take_back_files(
    stack: Stack,
    paths: Sequence[Path],
    options: Options = PLAIN,
) -> list[TakenBack]:
    """Removes the matches of files that were not played, one file after the other.

    Args:
        stack: where they are.
        paths: the files that were loaded.
        options: what the user says about the files.

    Raises:
        CommandError: a file is missing, or cannot be read to its end; its matches before that are removed.
        BotoCoreError, ClientError: a table cannot be written.
    """
    files = find_inputs(paths)
    with ThreadPoolExecutor(1) as pool:
        load = _Load(stack, options, pool)
        return [load.take_back(file) for file in files]


class _Load:
    """Loads files into a stack, several transactions at a time."""

    def __init__(self, stack: Stack, options: Options, pool: Executor) -> None:
        self._stack = stack
        self._options = options
        self._pool = pool
        self._now = datetime.now(UTC)
        self._store = MatchStore(stack, self._now)

    def file(self, file: Input, tally: Tally, start: FileProgress, progress: Callable[[FileProgress], None]) -> None:
        """Loads a file. Its tally has an error if the file cannot be read to its end."""

        def written(batch: Tally) -> None:
            tally.add(batch)
            progress(replace(start, rows=start.rows + tally.rows, bytes_read=start.bytes_read + source.bytes_read))

        try:
            check_intact(file.path, file.member)
            tally.unread_sheets = self._unread_sheets(file)
            with opened(file.path, file.member) as source, Seen() as seen:
                matches = self._matches(source, seen, tally)
                write_ahead(self._pool, self._store.write, make_batches(matches), written)
        except RowsError as error:
            tally.error = str(error)

    def _unread_sheets(self, file: Input) -> tuple[str, ...]:
        if not file.path.is_file():
            return ()
        log_format = self._options.log_format
        with opened(file.path, file.member) as source, readable():
            is_book = is_workbook(source.start)
            return other_sheets(source.content, log_format.sheet if log_format else None) if is_book else ()

    def take_back(self, file: Input) -> TakenBack:
        tally = Tally()
        try:
            with opened(file.path, file.member) as source, Seen() as seen:
                done = take_back(self._stack, file.name, self._matches(source, seen, tally))
        except RowsError as error:
            tally.error = str(error)
        if tally.error:
            raise CommandError(f"{file.name} {tally.error}")
        return done

    def _matches(self, source: Source, seen: Seen, tally: Tally) -> Iterator[PutMatch | PlayedMatch]:
        """The matches to write; every other row goes into the tally, and so does what ends the file too early."""
        try:
            for row in outcomes(source, self._options, self._stack.airing_gap):
                tally.rows += 1
                match row:
                    case Row():
                        if found := self._match(row, seen, tally):
                            yield found
                    case BadRow():
                        tally.add_bad(BadRow(row.line, row.problem))
                    case SkippedRow():
                        tally.skipped += 1
                    case NoDetection():
                        tally.no_detections += 1
        except RowsError as error:
            tally.error = str(error)

    def _match(self, row: Row, seen: Seen, tally: Tally) -> PutMatch | PlayedMatch | None:
        tally.null_markers += row.null_markers
        tally.invalid_isrcs += row.invalid_isrcs
        tally.order.add(row)
        try:
            found = self._found(row, seen, tally)
        except RowError as problem:
            tally.add_bad(BadRow(row.line, str(problem)))
            return None
        if not found:
            tally.already_there += 1
        return found

    def _found(self, row: Row, seen: Seen, tally: Tally) -> PutMatch | PlayedMatch | None:
        """The match that a row is; None if it stands in the file before."""
        if not row.is_of_old_table:
            item = match_of(row, seen, self._stack.shards)
            if item and not row.values.get("acrid"):
                tally.invalid_isrcs += has_invalid_isrc(item)
            return PutMatch(row.line, item) if item else None
        match history.state_of(row, seen, self._stack.shards, self._stack.default_duration, self._now):
            case history.Waiting(item):
                return PutMatch(row.line, item)
            case history.Played(match):
                return PlayedMatch(row.line, match)
            case history.Failed() as failed:
                return put_failed(row.line, failed)
            case _:
                return None

"""`playlog load`: files of matches into MatchCache, and those of an old system with their plays and failures.

Each match is written with everything that its state needs in one transaction: see ``writing``.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playlog_cli.errors import CommandError
from playlog_cli.loading import history
from playlog_cli.loading.acrcloud import (
    CustomFiles,
    Detection,
    detection_of,
    invalid_isrcs,
    is_of_acrcloud,
    results_of,
    row_of,
)
from playlog_cli.loading.acrcloud_streams import Streams
from playlog_cli.loading.batches import WRITERS, PlayedMatch, PutMatch, make_batches, put_failed, write_ahead
from playlog_cli.loading.files.row import BadRow, Row, RowsError, SkippedRow
from playlog_cli.loading.files.rows import STDIN, Source, check_intact, opened, read_rows
from playlog_cli.loading.formats.model import LogFormat
from playlog_cli.loading.formats.reading.rows import read_log
from playlog_cli.loading.matches import RowError, Seen, has_invalid_isrc, match_of
from playlog_cli.loading.results import FileProgress, FileResult, LoadResult, Tally
from playlog_cli.loading.taking_back import TakenBack, take_back
from playlog_cli.loading.writing import MatchStore
from playlog_cli.stacks.stack import Stack


@dataclass(frozen=True)
class Options:
    """What a user says about the files.

    Attributes:
        station: id for results of ACRCloud's that name no stream.
        custom_files: what a station's own uploads in ACRCloud's results are.
        encoding: of text that is neither UTF-8 nor UTF-16 with a byte order mark.
        log_format: how the files read; None for files that are known by their content.
    """

    station: str | None = None
    custom_files: CustomFiles = CustomFiles.REFUSE
    encoding: str | None = None
    log_format: LogFormat | None = None


def load_files(
    stack: Stack,
    paths: Sequence[Path],
    progress: Callable[[FileProgress], None],
    options: Options = Options(),
) -> LoadResult:
    """Loads files one after the other. A match that is in MatchCache already is left as it is.

    Args:
        stack: where to write.
        paths: files of matches, of ACRCloud's results, or of the old Django table; ``-`` is standard input.
        progress: progress callback: receives, every few rows, how far a file has been loaded.
        options: what the user says about the files.

    Raises:
        CommandError: a file is not there or may not be read; nothing has been loaded.
        BotoCoreError, ClientError: a table cannot be written. Loading the files again adds what is missing.
    """
    for path in paths:
        _check_readable(path)
    with ThreadPoolExecutor(WRITERS) as pool:
        load = _Load(stack, options, pool)
        return LoadResult(tuple(load.file(path, progress) for path in paths))


def take_back_files(
    stack: Stack,
    paths: Sequence[Path],
    options: Options = Options(),
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
    for path in paths:
        _check_readable(path)
    with ThreadPoolExecutor(1) as pool:
        load = _Load(stack, options, pool)
        return [load.take_back(path) for path in paths]


class _Load:
    """Loads files into a stack, several transactions at a time."""

    def __init__(self, stack: Stack, options: Options, pool: Executor) -> None:
        self._stack = stack
        self._options = options
        self._pool = pool
        self._now = datetime.now(UTC)
        self._store = MatchStore(stack, self._now)

    def file(self, path: Path, progress: Callable[[FileProgress], None]) -> FileResult:
        tally = Tally()
        try:
            check_intact(path)
        except RowsError as error:
            return FileResult(str(path), rows=0, added=0, already_there=0, bad_rows=(), error=str(error))
        with opened(path) as source, Seen() as seen:
            for written in write_ahead(self._pool, self._store.write, make_batches(self._matches(source, seen, tally))):
                tally.add(written)
                progress(FileProgress(source.name, tally.rows, source.bytes_read, source.bytes_total))
        return FileResult(
            file=str(path),
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
        )

    def take_back(self, path: Path) -> TakenBack:
        tally = Tally()
        with opened(path) as source, Seen() as seen:
            done = take_back(self._stack, str(path), self._matches(source, seen, tally))
        if tally.error:
            raise CommandError(f"{path} {tally.error}")
        return done

    def _matches(self, source: Source, seen: Seen, tally: Tally) -> Iterator[PutMatch | PlayedMatch]:
        """The matches to write; every other row goes into the tally, and so does what ends the file too early."""
        try:
            for row in self._rows(source, tally):
                try:
                    match = self._match(row, seen, tally)
                except RowError as problem:
                    tally.bad_rows.append(BadRow(row.line, str(problem)))
                    continue
                if match:
                    yield match
                else:
                    tally.already_there += 1
        except RowsError as error:
            tally.error = str(error)

    def _rows(self, source: Source, tally: Tally) -> Iterator[Row]:
        """The rows, by the log format if there is one, and the detections in ACRCloud's documents as rows."""
        if self._options.log_format:
            yield from self._logged(source, self._options.log_format, tally)
            return
        streams = Streams(self._stack.airing_gap)
        for row in read_rows(source, self._options.encoding):
            if isinstance(row, BadRow):
                tally.rows += 1
                tally.bad_rows.append(row)
            elif is_of_acrcloud(row):
                for detection in self._detections(row, tally):
                    yield from map(row_of, streams.add(detection))
            else:
                for each in _members(row):
                    tally.rows += 1
                    tally.null_markers += each.null_markers
                    yield each
        yield from map(row_of, streams.finish())

    def _logged(self, source: Source, log_format: LogFormat, tally: Tally) -> Iterator[Row]:
        for row in read_log(source, log_format, self._options.station):
            tally.rows += 1
            match row:
                case Row():
                    yield row
                case BadRow():
                    tally.bad_rows.append(row)
                case SkippedRow():
                    tally.skipped += 1

    def _detections(self, document: Row, tally: Tally) -> Iterator[Detection]:
        try:
            results = results_of(document)
        except RowError as problem:
            tally.rows += 1
            tally.bad_rows.append(BadRow(document.line, str(problem)))
            return
        for result in results:
            tally.rows += 1
            try:
                detection = detection_of(result, self._options.station, self._options.custom_files)
            except RowError as problem:
                tally.bad_rows.append(BadRow(result.line, str(problem)))
                continue
            if detection:
                tally.invalid_isrcs += len(invalid_isrcs(detection))
                yield detection
            else:
                tally.no_detections += 1

    def _match(self, row: Row, seen: Seen, tally: Tally) -> PutMatch | PlayedMatch | None:
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


def _members(row: Row) -> list[Row]:
    """The row, or the matches in it if it is a document like ``{"data": [...]}``."""
    data = row.values.get("data")
    if "matched_at" in row.values or not isinstance(data, list):
        return [row]
    return [Row(row.line, {name: value for name, value in each.items() if value is not None}) for each in data]


def _check_readable(path: Path) -> None:
    if path == STDIN:
        return
    try:
        if path.is_dir():
            raise CommandError(f"{path} is a directory: name the files in it")
        path.stat()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}: name a file of matches, CSV or JSON") from None
    if not os.access(path, os.R_OK):
        raise CommandError(f"{path}: you may not read this file: its permissions would have to allow it")

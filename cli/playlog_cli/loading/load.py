"""`playlog load`: files of matches into MatchCache, and those of an old system with their plays and failures.

A match comes with all that its state needs in one transaction, or not at all: one that waits alone, one that was played
with its play, one that has failed with its record. So the law holds wherever a load ends, and loading again goes on.
"""

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, TypeAlias

from botocore.exceptions import ClientError
from playlog.converting.actions import Action, Tables
from playlog.converting.writing import Writer, Written
from playlog.domain.duplicates import ExactInstant
from playlog.domain.match import Item, Match
from playlog.dynamodb.limits import TRANSACTION_ACTIONS, TRANSACTION_BYTES, item_bytes
from playlog.runtime.retry import TRANSIENT_CODES, RequestError, Retry, UnavailableError

from playlog_cli.errors import CommandError
from playlog_cli.loading import history
from playlog_cli.loading.acrcloud import is_of_acrcloud, results_of, row_of
from playlog_cli.loading.matches import RowError, Seen, match_of
from playlog_cli.loading.rows import STDIN, BadRow, Row, RowsError, Source, check_intact, opened, read_rows
from playlog_cli.stacks.stack import Stack

# Transactions of 100 conditional puts, from a few threads. On AWS they cost one write unit a match more than PutItem,
# some 0.6 dollars a million. Against the embedded AWS they are 6 times as fast (7,000 matches a second to 1,100), and
# while a run is on there the only way: it answers one request at a time, and those of a run take long.
WRITERS = 4
BATCHES_AHEAD = 2 * WRITERS  # how far reading may be ahead of writing: this bounds the memory
PATIENCE_SECONDS = 60.0  # for a transaction that DynamoDB throttles
PLAYED_TOGETHER = 200  # matches of an old system: some four transactions, of which all but the last are full


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
    """What became of a file's rows: each was added, there already, bad, or no detection.

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
    """How far a file has been loaded: rows done, and bytes read of all it has (None for a pipe)."""

    file: str
    rows: int
    bytes_read: int
    bytes_total: int | None


def load_files(
    stack: Stack, paths: Sequence[Path], progress: Callable[[FileProgress], None], station: str | None = None
) -> LoadResult:
    """Loads files one after the other. A match that is in MatchCache already is left as it is.

    Args:
        stack: where to.
        paths: files of matches, of ACRCloud's results, or of the old Django table, gzipped or not; ``-`` is standard
            input.
        progress: is told, every few rows, how far a file has been loaded.
        station: id for results of ACRCloud's that name no stream.

    Raises:
        CommandError: a file is not there or may not be read; nothing has been loaded.
        BotoCoreError, ClientError: a table cannot be written. Loading the files again adds what is missing.
    """
    for path in paths:
        _check_readable(path)
    with ThreadPoolExecutor(WRITERS) as pool:
        load = _Load(stack, station, pool)
        return LoadResult(tuple(load.file(path, progress) for path in paths))


@dataclass(frozen=True)
class _Put:
    """A match that waits or has failed, as it is put."""

    line: int
    match: Item
    record: Item | None = None  # of a match that has failed
    not_played: NotPlayed | None = None

    @property
    def items(self) -> list[Item]:
        return [self.match] if self.record is None else [self.match, self.record]


@dataclass(frozen=True)
class _Play:
    """A match that was played, which is put together with its play."""

    line: int
    match: Match


# Of either kind: what one thread writes at a time.
_Batch: TypeAlias = list[_Put] | list[_Play]


@dataclass
class _Tally:
    """What became of a file's rows so far."""

    rows: int = 0
    added: int = 0
    already_there: int = 0
    played: int = 0
    plays: int = 0
    failed: int = 0
    no_detections: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    not_played: list[NotPlayed] = field(default_factory=list)
    error: str | None = None

    def add(self, written: "_Tally") -> None:
        self.added += written.added
        self.already_there += written.already_there
        self.played += written.played
        self.plays += written.plays
        self.failed += written.failed
        self.bad_rows += written.bad_rows
        self.not_played += written.not_played

    def has_put(self, puts: list[_Put]) -> None:
        self.added += len(puts)
        self.failed += sum(put.record is not None for put in puts)
        self.not_played += [put.not_played for put in puts if put.not_played]


class _Load:
    """Loads files into a stack, several transactions at a time."""

    def __init__(self, stack: Stack, station: str | None, pool: Executor) -> None:
        self._stack = stack
        self._station = station
        self._pool = pool
        self._now = datetime.now(UTC)
        self._took_a_write = Event()

    def file(self, path: Path, progress: Callable[[FileProgress], None]) -> FileResult:
        tally = _Tally()
        try:
            check_intact(path)
        except RowsError as error:
            return FileResult(str(path), rows=0, added=0, already_there=0, bad_rows=(), error=str(error))
        with opened(path) as source, Seen() as seen:
            for written in _ahead(self._pool, self._write, _batches(self._matches(source, seen, tally))):
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
        )

    def _matches(self, source: Source, seen: Seen, tally: _Tally) -> Iterator[_Put | _Play]:
        """The matches to write; every other row goes into the tally, and so does what ends the file too early."""
        try:
            for row in self._rows(source, tally):
                try:
                    match = self._match(row, seen)
                except RowError as problem:
                    tally.bad_rows.append(BadRow(row.line, str(problem)))
                    continue
                if match:
                    yield match
                else:
                    tally.already_there += 1
        except RowsError as error:
            tally.error = str(error)

    def _rows(self, source: Source, tally: _Tally) -> Iterator[Row]:
        """The rows, and the matches that ACRCloud's results are, as rows."""
        for row in read_rows(source):
            if isinstance(row, BadRow):
                tally.rows += 1
                tally.bad_rows.append(row)
            elif is_of_acrcloud(row):
                yield from self._rows_of_acrcloud(row, tally)
            else:
                tally.rows += 1
                yield row

    def _rows_of_acrcloud(self, document: Row, tally: _Tally) -> Iterator[Row]:
        try:
            results = results_of(document)
        except RowError as problem:
            tally.rows += 1
            tally.bad_rows.append(BadRow(document.line, str(problem)))
            return
        for result in results:
            tally.rows += 1
            try:
                row = row_of(result, self._station)
            except RowError as problem:
                tally.bad_rows.append(BadRow(result.line, str(problem)))
                continue
            if row:
                yield row
            else:
                tally.no_detections += 1

    def _match(self, row: Row, seen: Seen) -> _Put | _Play | None:
        if not row.is_of_old_table:
            item = match_of(row, seen, self._stack.shards)
            return _Put(row.line, item) if item else None
        match history.state_of(row, seen, self._stack.shards, self._stack.default_duration, self._now):
            case history.Waiting(item):
                return _Put(row.line, item)
            case history.Played(match):
                return _Play(row.line, match)
            case history.Failed() as failed:
                return _failed(row.line, failed)
            case _:
                return None

    def _write(self, batch: _Batch) -> _Tally:
        puts = [each for each in batch if isinstance(each, _Put)]
        plays = [each for each in batch if isinstance(each, _Play)]
        tally = _Tally()
        if puts:
            tally.add(self._put(puts))
        if plays:
            tally.add(self._play(plays))
        return tally

    def _play(self, plays: list[_Play]) -> _Tally:
        """Puts matches that were played, each with its play, which is created or joined as the converter does it.

        Raises:
            CommandError: DynamoDB throttles, or other writes are in the way, for longer than it is worth to wait.
            ClientError: DynamoDB refuses what has nothing to do with the matches.
        """
        # The old system made a play of each instant, so this rule holds whatever the stack's gap is. There is no
        # deadline: ``Retry`` counts its tries as well, anew for each batch.
        writer = Writer(
            self._stack.client,
            Tables(
                self._stack.match_cache_table,
                self._stack.play_log_table,
                retain_played=self._stack.retain_played,
            ),
            ExactInstant(),
            self._stack.flag_below_confidence,
            Retry(math.inf),
            self._took_a_write,
            history.encode_airing,
        )
        written = Written()
        try:
            writer.write((each.match for each in plays), written)
            writer.finish(written)
        except UnavailableError as error:
            raise CommandError(f"{error}: {_LOAD_AGAIN}") from None
        except RequestError as error:
            raise (error.__cause__ or error) from None
        if written.left:
            raise CommandError(f"{written.obstacle}: {_LOAD_AGAIN}")
        lines = {each.match.match_id: each.line for each in plays}
        failures = [history.cannot_be_played(failure, self._now) for failure in written.take_failures()]
        tally = _Tally(
            added=written.matches,
            already_there=len(plays) - written.matches - len(failures),
            played=written.matches,
            plays=written.plays,
        )
        if failures:
            tally.add(self._put([_failed(lines[failed.match_id], failed) for failed in failures]))
        return tally

    def _put(self, batch: list[_Put]) -> _Tally:
        """Puts the matches that are not there. A match that DynamoDB refuses takes no other with it.

        Raises:
            CommandError: DynamoDB throttles for longer than ``PATIENCE_SECONDS``.
            ClientError: it refuses what has nothing to do with the matches.
        """
        tally = _Tally()
        dynamodb = self._stack.dynamodb
        for _ in Retry(time.monotonic() + PATIENCE_SECONDS).rounds():
            actions: Any = [action for put in batch for action in self._actions(put)]
            try:
                dynamodb.transact_write_items(TransactItems=actions)
            except dynamodb.exceptions.TransactionCanceledException as cancelled:
                batch = _sorted_out(batch, cancelled.response["CancellationReasons"], tally)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationException":
                    raise
                if len(batch) == 1:
                    tally.bad_rows.append(_refused(batch[0], error.response["Error"]))
                    return tally
                # The transaction as a whole was refused: which match is the cause shows when each goes alone.
                for put in batch:
                    tally.add(self._put([put]))
                return tally
            else:
                tally.has_put(batch)
                return tally
            if not batch:
                return tally
        raise CommandError(f"DynamoDB throttles writes to {self._stack.match_cache_table}: {_LOAD_AGAIN}")

    def _actions(self, put: _Put) -> list[Action]:
        tables = (self._stack.match_cache_table, self._stack.failed_play_log_table)
        return [history.put_new(table, item) for table, item in zip(tables, put.items, strict=False)]


_LOAD_AGAIN = "load the files again later, which adds what is missing"


def _failed(line: int, failed: history.Failed) -> _Put:
    not_played = NotPlayed(line, failed.match_id, failed.reason) if failed.was_played else None
    return _Put(line, failed.item, failed.record, not_played)


def _batches(matches: Iterable[_Put | _Play]) -> Iterator[_Batch]:
    """Splits the matches: what is put into what one transaction takes, and what was played into some transactions."""
    puts: list[_Put] = []
    plays: list[_Play] = []
    actions = put_bytes = play_bytes = 0
    for match in matches:
        if isinstance(match, _Play):
            # In an export by time, the matches of a play stay together, and no two threads write at one play.
            is_enough = len(plays) >= PLAYED_TOGETHER and match.match.matched_at != plays[-1].match.matched_at
            if is_enough or play_bytes > TRANSACTION_BYTES:
                yield plays
                plays, play_bytes = [], 0
            plays.append(match)
            play_bytes += item_bytes(match.match.item)
            continue
        size = sum(map(item_bytes, match.items))
        if actions + len(match.items) > TRANSACTION_ACTIONS or put_bytes + size > TRANSACTION_BYTES:
            yield puts
            puts, actions, put_bytes = [], 0, 0
        puts.append(match)
        actions += len(match.items)
        put_bytes += size
    if puts:
        yield puts
    if plays:
        yield plays


def _ahead(pool: Executor, write: Callable[[_Batch], _Tally], batches: Iterable[_Batch]) -> Iterator[_Tally]:
    """Writes side by side, reading only so far ahead: ``Executor.map`` would read the whole file at once."""
    pending: deque[Future[_Tally]] = deque()
    try:
        for batch in batches:
            pending.append(pool.submit(write, batch))
            if len(pending) > BATCHES_AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for task in pending:
            task.cancel()


def _sorted_out(batch: list[_Put], reasons: Sequence[Mapping[str, Any]], tally: _Tally) -> list[_Put]:
    """The matches of a cancelled transaction that are to be sent again; the others go into the tally."""
    again = []
    left = iter(reasons)
    for put in batch:
        about_match, *about_record = [next(left) for _ in put.items]
        if about_match.get("Code") == "ConditionalCheckFailed":
            tally.already_there += 1
        elif any(reason.get("Code") == "ConditionalCheckFailed" for reason in about_record):
            problem = "FailedPlayLog has a record of this match, and MatchCache not the match: remove the record first"
            tally.bad_rows.append(BadRow(put.line, problem))
        elif refusals := [reason for reason in (about_match, *about_record) if not _is_transient(reason)]:
            tally.bad_rows.append(_refused(put, refusals[0]))
        else:
            again.append(put)
    return again


def _is_transient(reason: Mapping[str, Any]) -> bool:
    """Whether an action may do better a moment later: it met a throttle, or only stood beside one that failed."""
    code = reason.get("Code")
    return code == "None" or code in TRANSIENT_CODES


def _refused(put: _Put, refusal: Mapping[str, Any]) -> BadRow:
    return BadRow(put.line, f"DynamoDB refuses the match: {refusal.get('Message', refusal.get('Code'))}")


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

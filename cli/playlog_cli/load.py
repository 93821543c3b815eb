"""`playlog load`: files of matches into MatchCache."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from playlog.limits import TRANSACTION_ACTIONS, TRANSACTION_BYTES, item_bytes
from playlog.match import Item
from playlog.retry import TRANSIENT_CODES, Retry

from playlog_cli.errors import CommandError
from playlog_cli.matches import RowError, Seen, match_of
from playlog_cli.rows import STDIN, BadRow, RowsError, Source, check_intact, opened, read_rows
from playlog_cli.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# Transactions of 100 conditional puts, from a few threads. On AWS they cost one write unit a match more than PutItem,
# some 0.6 dollars a million. Against the embedded AWS they are 6 times as fast (7,000 matches a second to 1,100), and
# while a run is on there the only way: it answers one request at a time, and those of a run take long.
WRITERS = 4
BATCHES_AHEAD = 2 * WRITERS  # how far reading may be ahead of writing: this bounds the memory
PATIENCE_SECONDS = 60.0  # for a transaction that DynamoDB throttles


@dataclass(frozen=True)
class FileResult:
    """What became of a file's rows: each was added, there already, or bad.

    Attributes:
        file: as it was named.
        rows: that were read; blank lines are none.
        added: matches that were not in MatchCache before.
        already_there: matches that were, or that stand in the file twice; they are left as they are.
        bad_rows: that were not loaded, in the order of their lines.
        error: why the file could not be read, or not to its end; None if it was.
    """

    file: str
    rows: int
    added: int
    already_there: int
    bad_rows: tuple[BadRow, ...]
    error: str | None


@dataclass(frozen=True)
class LoadResult:
    """What became of each file."""

    files: tuple[FileResult, ...]

    @property
    def ok(self) -> bool:
        """Whether every row of every file is in MatchCache now."""
        return not any(each.bad_rows or each.error for each in self.files)


@dataclass(frozen=True)
class FileProgress:
    """How far a file has been loaded: rows done, and bytes read of all it has (None for a pipe)."""

    file: str
    rows: int
    bytes_read: int
    bytes_total: int | None


def load_files(stack: Stack, paths: Sequence[Path], progress: Callable[[FileProgress], None]) -> LoadResult:
    """Loads files one after the other. A match that is in MatchCache already is left as it is.

    Args:
        stack: where to.
        paths: CSV with a header or JSON Lines, gzipped or not; ``-`` is standard input.
        progress: is told, every few rows, how far a file has been loaded.

    Raises:
        CommandError: a file is not there or may not be read; nothing has been loaded.
        BotoCoreError, ClientError: MatchCache cannot be written. Loading the files again adds what is missing.
    """
    for path in paths:
        _check_readable(path)
    write = partial(_write, stack.dynamodb, stack.match_cache_table)
    with ThreadPoolExecutor(WRITERS) as pool:
        return LoadResult(tuple(_load_file(path, stack.shards, pool, write, progress) for path in paths))


@dataclass(frozen=True)
class _Candidate:
    line: int
    match: Item


@dataclass
class _Tally:
    """What became of a file's rows so far."""

    rows: int = 0
    added: int = 0
    already_there: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    error: str | None = None

    def add(self, written: "_Tally") -> None:
        self.added += written.added
        self.already_there += written.already_there
        self.bad_rows += written.bad_rows


def _load_file(
    path: Path,
    shards: int,
    pool: Executor,
    write: Callable[[list[_Candidate]], _Tally],
    progress: Callable[[FileProgress], None],
) -> FileResult:
    tally = _Tally()
    try:
        check_intact(path)
    except RowsError as error:
        return FileResult(str(path), rows=0, added=0, already_there=0, bad_rows=(), error=str(error))
    with opened(path) as source, Seen() as seen:
        for written in _ahead(pool, write, _batches(_candidates(source, seen, shards, tally))):
            tally.add(written)
            progress(FileProgress(source.name, tally.rows, source.bytes_read, source.bytes_total))
    return FileResult(
        file=str(path),
        rows=tally.rows,
        added=tally.added,
        already_there=tally.already_there,
        bad_rows=tuple(sorted(tally.bad_rows, key=lambda bad: bad.line)),
        error=tally.error,
    )


def _candidates(source: Source, seen: Seen, shards: int, tally: _Tally) -> Iterator[_Candidate]:
    """The matches to write; every other row goes into the tally, and so does what ends the file too early."""
    try:
        for row in read_rows(source):
            tally.rows += 1
            if isinstance(row, BadRow):
                tally.bad_rows.append(row)
                continue
            try:
                match = match_of(row, seen, shards)
            except RowError as problem:
                tally.bad_rows.append(BadRow(row.line, str(problem)))
                continue
            if match:
                yield _Candidate(row.line, match)
            else:
                tally.already_there += 1
    except RowsError as error:
        tally.error = str(error)


def _batches(candidates: Iterable[_Candidate]) -> Iterator[list[_Candidate]]:
    """Splits the matches into what one transaction takes."""
    batch: list[_Candidate] = []
    size = 0
    for candidate in candidates:
        candidate_size = item_bytes(candidate.match)
        if len(batch) == TRANSACTION_ACTIONS or size + candidate_size > TRANSACTION_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(candidate)
        size += candidate_size
    if batch:
        yield batch


def _ahead(
    pool: Executor, write: Callable[[list[_Candidate]], _Tally], batches: Iterable[list[_Candidate]]
) -> Iterator[_Tally]:
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


def _write(dynamodb: "DynamoDBClient", table: str, batch: list[_Candidate]) -> _Tally:
    """Puts the matches that are not there. A match that DynamoDB refuses takes no other with it.

    Raises:
        CommandError: DynamoDB throttles for longer than ``PATIENCE_SECONDS``.
        ClientError: it refuses what has nothing to do with the matches.
    """
    tally = _Tally()
    for _ in Retry(time.monotonic() + PATIENCE_SECONDS).rounds():
        try:
            dynamodb.transact_write_items(TransactItems=[_put(table, candidate.match) for candidate in batch])
        except dynamodb.exceptions.TransactionCanceledException as cancelled:
            batch = _sorted_out(batch, cancelled.response["CancellationReasons"], tally)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            if len(batch) == 1:
                tally.bad_rows.append(_refused(batch[0], error.response["Error"]))
                return tally
            # The transaction as a whole was refused: which match is the cause shows when each goes alone.
            for candidate in batch:
                tally.add(_write(dynamodb, table, [candidate]))
            return tally
        else:
            tally.added += len(batch)
            return tally
        if not batch:
            return tally
    raise CommandError(f"DynamoDB throttles writes to {table}: load the files again later, which adds what is missing")


def _put(table: str, match: Item) -> "TransactWriteItemTypeDef":
    return {"Put": {"TableName": table, "Item": match, "ConditionExpression": "attribute_not_exists(match_id)"}}


def _sorted_out(batch: list[_Candidate], reasons: Sequence[Mapping[str, Any]], tally: _Tally) -> list[_Candidate]:
    """The matches of a cancelled transaction that are to be sent again; the others go into the tally."""
    again = []
    for candidate, reason in zip(batch, reasons, strict=True):
        match reason.get("Code"):
            case "ConditionalCheckFailed":
                tally.already_there += 1
            case code if code == "None" or code in TRANSIENT_CODES:
                again.append(candidate)
            case _:
                tally.bad_rows.append(_refused(candidate, reason))
    return again


def _refused(candidate: _Candidate, refusal: Mapping[str, Any]) -> BadRow:
    return BadRow(candidate.line, f"DynamoDB refuses the match: {refusal.get('Message', refusal.get('Code'))}")


def _check_readable(path: Path) -> None:
    if path == STDIN:
        return
    try:
        if path.is_dir():
            raise CommandError(f"{path} is a directory: name the files in it")
        path.stat()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}: name a file of matches, CSV or JSON Lines") from None
    if not os.access(path, os.R_OK):
        raise CommandError(f"{path}: you may not read this file: its permissions would have to allow it")

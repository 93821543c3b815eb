"""Record: a dead letter becomes a FailedPlayLog item and the new state of its match, in one transaction.

So at no moment does a failed match lack its record, or does a played match have a record of a new failure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from pynamodb.attributes import MapAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBConnectionError, TransactWriteError
from pynamodb.transactions import TransactWrite

from playlog.domain.failure import UNCOUNTABLE
from playlog.dynamodb.models import FailedPlayLog, MatchCache, bind
from playlog.failures.dead_letter import DeadLetter
from playlog.runtime.retry import RequestError, Retry, UnavailableError

if TYPE_CHECKING:
    from pynamodb.expressions.update import Action

Answer = TypeVar("Answer")

# No request begins in the last seconds of the function's time, so that the longest one (3 s) still ends in it.
SECONDS_KEPT = 4.0


class RefusedLetterError(Exception):
    """DynamoDB rejects the record of this letter, and would reject it again."""


@dataclass(frozen=True)
class FailureTables:
    """The tables in which failures are recorded.

    Attributes:
        match_cache: the model, bound to the table of a stack.
        failed_play_log: the model, bound to the table of a stack.
        connection: for transactions over both.
    """

    match_cache: type[MatchCache]
    failed_play_log: type[FailedPlayLog]
    connection: Connection

    @property
    def names(self) -> str:
        """Both names, for error messages."""
        return f"tables {self.failed_play_log.Meta.table_name} and {self.match_cache.Meta.table_name}"


def connect(match_cache: str, failed_play_log: str) -> FailureTables:
    """Connects to the tables of a stack. This is costly: one connection serves all batches of a process.

    Args:
        match_cache: name of the table.
        failed_play_log: name of the table.
    """
    connection = Connection(
        connect_timeout_seconds=MatchCache.Meta.connect_timeout_seconds,
        read_timeout_seconds=MatchCache.Meta.read_timeout_seconds,
        max_retry_attempts=MatchCache.Meta.max_retry_attempts,
    )
    return FailureTables(bind(MatchCache, match_cache), bind(FailedPlayLog, failed_play_log), connection)


def store(letter: DeadLetter, tables: FailureTables, retry: Retry) -> bool:
    """Stores a dead letter.

    Args:
        letter: what failed.
        tables: made by ``connect``.
        retry: the retry budget.

    Returns:
        Whether it changed anything. A letter changes nothing if it was stored before, or if its match is gone, played
        or failed by now.

    Raises:
        UnavailableError: DynamoDB did not answer, or had conflicts, until the retry budget was exhausted.
        RefusedLetterError: DynamoDB rejects the record or the match's new state.
        RequestError: DynamoDB denies access, or a table does not exist.
    """
    attempt = letter.attempt
    for _ in retry.rounds():
        reasons = _write(letter, attempt, tables, retry)
        if not reasons:
            return True
        # PynamoDB sends puts before updates, so the record's reason comes first.
        about_record, about_match = (reason["Code"] for reason in reasons)
        if about_match == "ConditionalCheckFailed":
            return False
        if "ValidationError" in (about_record, about_match):
            raise RefusedLetterError(f"match {letter.match_id!r}, attempt {attempt}: DynamoDB refuses it: {reasons}")
        if about_record == "ConditionalCheckFailed":
            # The match has fewer attempts than records, because its writer put it again. Continue its history.
            attempt = _last_attempt(letter.match_id, tables, retry) + 1
    raise UnavailableError(f"match {letter.match_id!r}: no time was left, or other writes were in the way to its end")


def record_of(
    letter: DeadLetter, attempt: int, stored_at: datetime, model: type[FailedPlayLog] = FailedPlayLog
) -> FailedPlayLog:
    """The record of a failed conversion, as FailedPlayLog takes it.

    Args:
        letter: what failed.
        attempt: which record of the match it is, from 1.
        stored_at: the time of the write, with an offset.
        model: bound to a table, if the record is written by PynamoDB.
    """
    return model(
        match_id=letter.match_id,
        attempt=attempt,
        reason_code=letter.reason_code,
        reason=letter.reason,
        will_retry=letter.will_retry,
        failed_at=letter.failed_at,
        stored_at=stored_at,
        match=_document(letter.match),
    )


def _write(letter: DeadLetter, attempt: int, tables: FailureTables, retry: Retry) -> list[dict[str, Any]]:
    """Sends the transaction. Returns nothing if it was accepted, else the reasons why it was cancelled."""
    matches, records = tables.match_cache, tables.failed_play_log
    record = record_of(letter, attempt, datetime.now(UTC), records)
    new_state: list[Action] = [matches.attempts.set(attempt)]
    if not letter.will_retry:
        new_state += [matches.failed_reason.set(letter.reason), matches.unprocessed_shard.remove()]
    still_waits = (
        matches.unprocessed_shard.exists()
        & ~(matches.processed == True)  # noqa: E712 - an expression on an attribute
        & (
            matches.attempts.does_not_exist()
            | (matches.attempts < letter.attempt)
            # An invalid counter: see Failure.attempt.
            | (matches.attempts >= UNCOUNTABLE)
            | ~matches.attempts.is_type()  # type: ignore[no-untyped-call]
        )
    )
    token = str(uuid4())

    def commit() -> None:
        with TransactWrite(connection=tables.connection, client_request_token=token) as transaction:
            transaction.save(record, condition=records.match_id.does_not_exist())
            transaction.update(matches(letter.match_id), actions=new_state, condition=still_waits)

    try:
        _ask(commit, tables.names, retry)
    except RequestError as error:
        if error.code == "TransactionCanceledException":
            reasons: list[dict[str, Any]] = error.answer["CancellationReasons"]
            return reasons
        if error.code == "ValidationException":
            raise RefusedLetterError(f"match {letter.match_id!r}, attempt {attempt}: {error}") from error
        raise
    return []


def _document(match: dict[str, Any]) -> MapAttribute[str, Any]:
    """The match as a map, filled key by key: a key may be named like an argument of ``MapAttribute``."""
    document: MapAttribute[str, Any] = MapAttribute()  # type: ignore[no-untyped-call]
    for name, value in match.items():
        document[name] = value
    return document


def _last_attempt(match_id: str, tables: FailureTables, retry: Retry) -> int:
    records = tables.failed_play_log

    def query() -> int:
        newest = records.query(match_id, scan_index_forward=False, limit=1, consistent_read=True)
        return max((int(record.attempt) for record in newest), default=0)

    return _ask(query, f"table {records.Meta.table_name}", retry)


def _ask(request: Callable[[], Answer], target: str, retry: Retry) -> Answer:
    """Sends a request of PynamoDB, and raises botocore's error, which has all of AWS's answer."""

    def unwrapped() -> Answer:
        try:
            return request()
        except (PynamoDBConnectionError, TransactWriteError) as error:
            cause = error.cause or error
            raise (cause.__cause__ or cause) from error

    return retry.call(unwrapped, target)

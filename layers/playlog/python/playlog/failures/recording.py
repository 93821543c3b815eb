"""A dead letter becomes a FailedPlayLog item and the new state of its match, in one transaction.

So there is no moment in which a match has failed and nobody has noted why, nor one in which a failure is noted of a
match that was played.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from pynamodb.attributes import MapAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBConnectionError, TransactWriteError
from pynamodb.transactions import TransactWrite

from playlog.domain.failure import UNCOUNTABLE
from playlog.dynamodb.models import FailedPlayLog, MatchCache
from playlog.failures.dead_letter import DeadLetter
from playlog.runtime.retry import RequestError, Retry, UnavailableError

if TYPE_CHECKING:
    from pynamodb.expressions.update import Action

Answer = TypeVar("Answer")

# Of the function's time: the longest request, 3 s, that begins before them still ends within it.
SECONDS_KEPT = 4.0


class RefusedLetterError(Exception):
    """DynamoDB takes no record of this letter, however often it is tried."""


@cache  # a client is costly to make, and one serves all the batches of a process
def connect(match_cache: str, failed_play_log: str) -> Connection:
    """Binds the models to the tables of a stack.

    Args:
        match_cache: name of the table.
        failed_play_log: name of the table.

    Returns:
        A connection for transactions over both.
    """
    MatchCache.Meta.table_name = match_cache
    FailedPlayLog.Meta.table_name = failed_play_log
    return Connection(
        connect_timeout_seconds=MatchCache.Meta.connect_timeout_seconds,
        read_timeout_seconds=MatchCache.Meta.read_timeout_seconds,
        max_retry_attempts=MatchCache.Meta.max_retry_attempts,
    )


def store(letter: DeadLetter, connection: Connection, retry: Retry) -> bool:
    """Stores a dead letter.

    Args:
        letter: what failed.
        connection: made by ``connect``.
        retry: the patience there is.

    Returns:
        Whether it changed anything. A letter that was stored before, or whose match is gone, played or failed by now,
        changes nothing and is done with.

    Raises:
        UnavailableError: DynamoDB did not answer in time, or had conflicts to the end.
        RefusedLetterError: DynamoDB does not take the record or the match's new state.
        RequestError: DynamoDB cannot do this at all: access denied, no such table.
    """
    attempt = letter.attempt
    for _ in retry.rounds():
        reasons = _write(letter, attempt, connection, retry)
        if not reasons:
            return True
        # PynamoDB sends puts before updates: the record's reason comes first.
        about_record, about_match = (reason["Code"] for reason in reasons)
        if about_match == "ConditionalCheckFailed":
            return False
        if "ValidationError" in (about_record, about_match):
            raise RefusedLetterError(f"match {letter.match_id!r}, attempt {attempt}: DynamoDB refuses it: {reasons}")
        if about_record == "ConditionalCheckFailed":
            # The match waits with fewer attempts than it has records: somebody wrote it anew. Its history goes on.
            attempt = _last_attempt(letter.match_id, retry) + 1
    raise UnavailableError(f"match {letter.match_id!r}: no time was left, or other writes were in the way to its end")


def record_of(letter: DeadLetter, attempt: int, stored_at: datetime) -> FailedPlayLog:
    """The record of a failed conversion, as FailedPlayLog takes it.

    Args:
        letter: what failed.
        attempt: which record of the match it is, from 1.
        stored_at: the time of the write, with an offset.
    """
    return FailedPlayLog(
        match_id=letter.match_id,
        attempt=attempt,
        reason_code=letter.reason_code,
        reason=letter.reason,
        will_retry=letter.will_retry,
        failed_at=letter.failed_at,
        stored_at=stored_at,
        match=_document(letter.match),
    )


def _write(letter: DeadLetter, attempt: int, connection: Connection, retry: Retry) -> list[dict[str, Any]]:
    """Sends the transaction: nothing if it was accepted, else the reasons why it was cancelled."""
    record = record_of(letter, attempt, datetime.now(UTC))
    new_state: list[Action] = [MatchCache.attempts.set(attempt)]
    if not letter.will_retry:
        new_state += [MatchCache.failed_reason.set(letter.reason), MatchCache.unprocessed_shard.remove()]
    still_waits = (
        MatchCache.unprocessed_shard.exists()
        & ~(MatchCache.processed == True)  # noqa: E712 - an expression on an attribute
        & (
            MatchCache.attempts.does_not_exist()
            | (MatchCache.attempts < letter.attempt)
            # A counter that counts nothing: see Failure.attempt.
            | (MatchCache.attempts >= UNCOUNTABLE)
            | ~MatchCache.attempts.is_type()  # type: ignore[no-untyped-call]
        )
    )
    token = str(uuid4())

    def commit() -> None:
        with TransactWrite(connection=connection, client_request_token=token) as transaction:
            transaction.save(record, condition=FailedPlayLog.match_id.does_not_exist())
            transaction.update(MatchCache(letter.match_id), actions=new_state, condition=still_waits)

    try:
        _ask(commit, f"tables {FailedPlayLog.Meta.table_name} and {MatchCache.Meta.table_name}", retry)
    except RequestError as error:
        if error.code == "TransactionCanceledException":
            reasons: list[dict[str, Any]] = error.answer["CancellationReasons"]
            return reasons
        if error.code == "ValidationException":
            raise RefusedLetterError(f"match {letter.match_id!r}, attempt {attempt}: {error}") from error
        raise
    return []


def _document(match: dict[str, Any]) -> MapAttribute[str, Any]:
    """The match as a map. Key by key, since one of them may be named like an argument of ``MapAttribute``."""
    document: MapAttribute[str, Any] = MapAttribute()  # type: ignore[no-untyped-call]
    for name, value in match.items():
        document[name] = value
    return document


def _last_attempt(match_id: str, retry: Retry) -> int:
    def query() -> int:
        newest = FailedPlayLog.query(match_id, scan_index_forward=False, limit=1, consistent_read=True)
        return max((int(record.attempt) for record in newest), default=0)

    return _ask(query, f"table {FailedPlayLog.Meta.table_name}", retry)


def _ask(request: Callable[[], Answer], target: str, retry: Retry) -> Answer:
    """Sends a request of PynamoDB, whose errors wrap those of botocore, which alone have all of AWS's answer."""

    def unwrapped() -> Answer:
        try:
            return request()
        except (PynamoDBConnectionError, TransactWriteError) as error:
            cause = error.cause or error
            raise (cause.__cause__ or cause) from error

    return retry.call(unwrapped, target)

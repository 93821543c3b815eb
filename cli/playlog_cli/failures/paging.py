"""Reads failures page by page, the newest first, over all reason codes. A page says where the next one begins."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from heapq import merge
from typing import Any, Self

from botocore.exceptions import ClientError
from playlog.domain import timestamps
from playlog.domain.match import Item

from playlog_cli.auditing import items
from playlog_cli.errors import CommandError, shown
from playlog_cli.failures.history import ListedFailure, listed
from playlog_cli.failures.records import CONCURRENT_REQUESTS, Selection, attempt_of, matches_by_id, query_of
from playlog_cli.stacks.stack import Stack

FIRST = datetime.min.replace(tzinfo=UTC)
# Answers after which a page ends although it is not full: a search for a rare text must not take minutes.
SEARCH_ANSWERS = 12
# Each answer of a search reads so many times as many failures as the one before, up to DynamoDB's 1 MB. So neither a
# filter that fits everything returns much more than a page, nor does one that fits little take many answers.
SEARCH_GROWTH = 4


@dataclass(frozen=True)
class Cursor:
    """A place in the order of failures: the newest first, then by reason code, then as the index orders them.

    Attributes:
        failed_at: of the failure at this place.
        reason_code: of the failure at this place.
        match_id: of the failure at this place.
        attempt: of the failure at this place.
        searched: how many failures were searched up to this place, at least.
    """

    failed_at: str
    reason_code: str
    match_id: str
    attempt: str
    searched: int = 0

    @property
    def text(self) -> str:
        """The place as an address can hold it."""
        return urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads what ``text`` wrote.

        Raises:
            CommandError: it is something else.
        """
        try:
            cursor = cls(**json.loads(urlsafe_b64decode(text.encode())))
            if not all(isinstance(each, str) for each in (cursor.reason_code, cursor.match_id, cursor.attempt)):
                raise TypeError
            timestamps.from_text(cursor.failed_at)
            if not isinstance(cursor.searched, int):
                raise TypeError
        except (ValueError, TypeError, RecursionError):
            raise _unknown_page(text) from None
        return cursor

    @property
    def key(self) -> Item:
        """The key that a query of the index continues after."""
        return {
            "reason_code": {"S": self.reason_code},
            "failed_at": {"S": self.failed_at},
            "match_id": {"S": self.match_id},
            "attempt": {"N": self.attempt},
        }


def _unknown_page(text: str) -> CommandError:
    return CommandError(f"there is no page {shown(text)}: begin with the newest failures")


@dataclass(frozen=True)
class FailurePage:
    """A page of the list.

    Attributes:
        failures: the newest first.
        after: where the next page begins; None after the last failure.
        searched_until: the time until which failures were searched, if the page is not full and there may be more.
    """

    failures: tuple[ListedFailure, ...]
    after: Cursor | None
    searched_until: str | None


@dataclass(frozen=True)
class _Step:
    """A place in the index that was read: a record that is selected, or the end of an answer.

    Attributes:
        cursor: the place.
        record: the record; None at the end of an answer.
        searched: at the end of an answer, how many failures DynamoDB read for it.
    """

    cursor: Cursor
    record: Item | None
    searched: int = 0


def page_of_failures(
    stack: Stack, selection: Selection, codes: Sequence[str], after: Cursor | None, size: int
) -> FailurePage:
    """Reads a page of failures, and the state of their matches now.

    Args:
        stack: where.
        selection: which. Its ``code`` is ignored: ``codes`` says it.
        codes: the reason codes, in the order of ``recorded_codes``.
        after: where the page begins; None for the newest.
        size: how many failures it holds at most.

    Raises:
        CommandError: the selection has no such place.
    """
    if after and after.reason_code not in codes:
        raise _unknown_page(after.text)
    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as pool:
        streams = pool.map(lambda code: _primed(_steps(stack, selection, code, after, codes, size)), codes)
        steps = merge(*streams, key=lambda step: step.cursor.failed_at, reverse=True)
    found: list[Item] = []
    last, answers, searched = None, 0, after.searched if after else 0
    for step in steps:
        if len(found) == size:
            break
        last = step.cursor
        if step.record is not None:
            found.append(step.record)
            continue
        answers, searched = answers + 1, searched + step.searched
        if answers == SEARCH_ANSWERS:
            break
    else:
        last = None
    states = {
        match_id: items.state_of(match, stack.shards)
        for match_id, match in matches_by_id(stack, (record["match_id"]["S"] for record in found)).items()
    }
    return FailurePage(
        tuple(listed(attempt_of(record), states) for record in found),
        replace(last, searched=searched) if last else None,
        last.failed_at if last and len(found) < size else None,
    )


def _steps(
    stack: Stack, selection: Selection, code: str, after: Cursor | None, codes: Sequence[str], size: int
) -> Iterator[_Step]:
    """Reads the failures of a reason code that come after a place."""
    request: dict[str, Any] = {"TableName": stack.failed_play_log_table, "ScanIndexForward": False, "Limit": size + 1}
    if after and code == after.reason_code:
        request["ExclusiveStartKey"] = after.key
    request |= query_of(code, _before(selection, code, after, codes))
    while True:
        answer = _answer(stack, request, after)
        for record in answer["Items"]:
            yield _Step(_cursor(record), record)
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        if selection.reads_records:
            request["Limit"] *= SEARCH_GROWTH
        yield _Step(_cursor(answer["LastEvaluatedKey"]), None, answer["ScannedCount"])


def _answer(stack: Stack, request: dict[str, Any], after: Cursor | None) -> Any:
    try:
        return stack.dynamodb.query(**request)
    except ClientError as error:
        if after and error.response["Error"]["Code"] == "ValidationException":  # the index can have no such key
            raise _unknown_page(after.text) from None
        raise


def _before(selection: Selection, code: str, after: Cursor | None, codes: Sequence[str]) -> Selection:
    """The selection without the failures of a code that stand before a place."""
    if after is None or code == after.reason_code:
        return selection
    until = timestamps.from_text(after.failed_at)
    if codes.index(code) < codes.index(after.reason_code):  # those of the same instant stand before
        until -= min(until.resolution, until - FIRST)
    return replace(selection, until=min(until, selection.until) if selection.until else until)


def _primed(steps: Iterator[_Step]) -> Iterator[_Step]:
    """The same steps. The first request has been answered, so that several codes are asked at once."""
    first = next(steps, None)
    return iter(()) if first is None else _chained(first, steps)


def _chained(first: _Step, steps: Iterator[_Step]) -> Iterator[_Step]:
    yield first
    yield from steps


def _cursor(item: Item) -> Cursor:
    return Cursor(item["failed_at"]["S"], item["reason_code"]["S"], item["match_id"]["S"], item["attempt"]["N"])

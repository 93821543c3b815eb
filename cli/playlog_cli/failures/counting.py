"""Counts failures in steps: DynamoDB reads each failure that it counts, so that a count of many takes many answers."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from playlog.domain.match import Item

from playlog_cli.errors import CommandError, shown
from playlog_cli.failures.records import CONCURRENT_REQUESTS, Selection, query_of
from playlog_cli.stacks.reason_codes import KNOWN, recorded_codes
from playlog_cli.stacks.stack import Stack


@dataclass(frozen=True)
class Count:
    """A count of the failures of a selection, as far as it has come.

    Attributes:
        number: how many were found so far.
        answers: of DynamoDB, each of at most 1 MB of failures.
        after: where it goes on; None at the beginning and at the end.
    """

    number: int = 0
    answers: int = 0
    after: Item | None = None

    @property
    def is_complete(self) -> bool:
        """Whether ``number`` is exact. It is a lower bound otherwise."""
        return self.answers > 0 and self.after is None


def count_on(stack: Stack, counts: Mapping[Selection, Count], most: int | None) -> dict[Selection, Count]:
    """Goes on with counts, several at a time.

    Args:
        stack: where.
        counts: as far as they have come, by selection. Each selection has a reason code.
        most: how many answers of DynamoDB are read; None to count to the end.
    """
    found, read = dict(counts), 0
    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as pool:
        while most is None or read < most:
            rest = [selection for selection, count in found.items() if not count.is_complete]
            step = rest if most is None else rest[: most - read]
            if not step:
                break
            read += len(step)
            found |= zip(step, pool.map(partial(_step, stack), step, [found[each] for each in step]), strict=True)
    return found


def _step(stack: Stack, selection: Selection, count: Count) -> Count:
    assert selection.code is not None
    start: dict[str, Any] = {"ExclusiveStartKey": count.after} if count.after else {}
    answer: Any = stack.dynamodb.query(
        TableName=stack.failed_play_log_table, Select="COUNT", **query_of(selection.code, selection), **start
    )
    return Count(count.number + answer["Count"], count.answers + 1, answer.get("LastEvaluatedKey"))


def count_by_code(stack: Stack, selection: Selection) -> dict[str, int]:
    """Counts failures by reason code.

    Args:
        stack: where.
        selection: which.

    Returns:
        A count for each code that occurs: the known codes in the contract's order, then the others.

    Raises:
        CommandError: the selection names a code that is neither known nor recorded.
    """
    selections = [replace(selection, code=code) for code in selected_codes(stack, selection)]
    counts = count_on(stack, dict.fromkeys(selections, Count()), None)
    return {each.code: counts[each].number for each in selections if each.code and counts[each].number}


def selected_codes(stack: Stack, selection: Selection) -> tuple[str, ...]:
    """The reason codes that failures of a selection may have.

    Args:
        stack: where.
        selection: which failures.

    Raises:
        CommandError: the selection names a code that is neither known nor recorded.
    """
    wanted = selection.code and selection.code.upper()
    if wanted in KNOWN:
        return (wanted,)
    codes = recorded_codes(stack)
    if wanted is None:
        return codes
    if wanted not in codes:
        raise CommandError(f"--reason is {shown(selection.code)}: it must be one of {', '.join(codes)}")
    return (wanted,)

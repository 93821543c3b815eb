"""The tables of a stack, or others like them: filled, and read as they are at one instant."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from playlog.domain.match import Item
from playlog_cli.stacks.stack import Stack
from playlog_cli.wiring import built_template

from tests.support import invariants

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ROOT = Path(__file__).parents[2]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Tables:
    """The three tables, by their names."""

    dynamodb: "DynamoDBClient"
    match_cache: str
    play_log: str
    failed_play_log: str

    def put(self, matches: Iterable[Item]) -> None:
        """Writes matches, a hundred in a request."""
        rest = iter(matches)
        batches = iter(lambda: list(islice(rest, 100)), [])
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._put, batches))

    def items(self) -> invariants.Tables:
        """All that the tables hold."""
        return invariants.Tables(
            matches=self._scan(self.match_cache),
            plays=self._scan(self.play_log),
            failures=self._scan(self.failed_play_log),
        )

    def match(self, match_id: str) -> Item:
        """A match as it is now."""
        key = {"match_id": {"S": match_id}}
        answer: Any = self.dynamodb.get_item(TableName=self.match_cache, Key=key)
        item: Item = answer["Item"]
        return item

    def _put(self, matches: list[Item]) -> None:
        puts: Any = [{"Put": {"TableName": self.match_cache, "Item": match}} for match in matches]
        self.dynamodb.transact_write_items(TransactItems=puts)

    def _scan(self, table: str) -> list[Item]:
        pages: Any = self.dynamodb.get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]


def of(stack: Stack) -> Tables:
    """The tables of the stack."""
    return Tables(stack.dynamodb, stack.match_cache_table, stack.play_log_table, stack.failed_play_log_table)


@contextmanager
def away_from_the_schedule(stack: Stack, name: str) -> Iterator[Tables]:
    """Further tables of the template, which no function of the stack knows."""
    template = built_template.load(ROOT / "template.yaml")
    tables = template.of_type("AWS::DynamoDB::Table")
    for table in tables:
        properties = template.value(table.properties)
        parts = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        stack.dynamodb.create_table(
            TableName=f"{name}-{table.logical_id}", **{part: properties[part] for part in parts if part in properties}
        )
    try:
        names = (f"{name}-{kind}Table" for kind in ("MatchCache", "PlayLog", "FailedPlayLog"))
        yield Tables(stack.dynamodb, *names)
    finally:
        for table in tables:
            stack.dynamodb.delete_table(TableName=f"{name}-{table.logical_id}")


def wait_for(look: Callable[[], Value | None], *, within: float, what: str) -> Value:
    """Looks until there is something to see.

    Args:
        look: what it returns counts as soon as it is true.
        within: seconds after which the test fails.
        what: is awaited, for the message then.
    """
    deadline = monotonic() + within
    while not (seen := look()):
        if monotonic() > deadline:
            pytest.fail(f"{what}: not within {within:.0f} s")
        sleep(0.5)
    return seen

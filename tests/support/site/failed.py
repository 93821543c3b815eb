"""Matches that have failed, with their records, as StoreFailures leaves them."""

from datetime import timedelta
from typing import TYPE_CHECKING

from playlog.domain import timestamps
from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.domain.validation import validate
from playlog.failures.dead_letter import DeadLetter
from playlog_cli.stacks.stack import Stack

from tests.support.builders import NOW

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def put_failed(dynamodb: "DynamoDBClient", match_cache: str, failed_play_log: str, *matches: Item) -> None:
    """Puts matches that fail validation, and the record of their first attempt.

    Args:
        dynamodb: client.
        match_cache: name of the table.
        failed_play_log: name of the table.
        matches: as their writer wrote them.
    """
    for match in matches:
        failure = validate(match, now=NOW, default_duration=timedelta(minutes=3))
        assert isinstance(failure, Failure)
        letter = DeadLetter.of(failure, max_attempts=3, now=NOW)
        item = {name: value for name, value in match.items() if name != "unprocessed_shard"}
        state: Item = {"failed_reason": {"S": letter.reason}, "attempts": {"N": "1"}}
        dynamodb.put_item(TableName=match_cache, Item={**item, **state})
        record: Item = {
            "match_id": match["match_id"],
            "attempt": {"N": "1"},
            "reason_code": {"S": letter.reason_code},
            "reason": {"S": letter.reason},
            "will_retry": {"BOOL": False},
            "failed_at": {"S": timestamps.to_text(NOW)},
            "stored_at": {"S": timestamps.to_text(NOW)},
            "match": {"M": item},
        }
        dynamodb.put_item(TableName=failed_play_log, Item=record)


def put_failed_in(stack: Stack, *matches: Item) -> None:
    """Puts failed matches into a deployed stack."""
    put_failed(stack.dynamodb, stack.match_cache_table, stack.failed_play_log_table, *matches)

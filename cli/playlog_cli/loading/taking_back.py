"""Take a load back: remove the matches of a file, with their records, as long as nothing was played from them.

A match is removed in one transaction with its records, and only if it still is as the file has it. A run that plays it
at the same moment wins: its match stays.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from playlog.converting.writing.actions import Action
from playlog.domain.match import Item
from playlog.dynamodb.limits import TRANSACTION_ACTIONS

from playlog_cli.loading.batches import PlayedMatch, PutMatch
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import batched, read

MATCHES_PER_READ = 100
# What says where a match stands, and not what it is.
_STATE = frozenset(
    {"unprocessed_shard", "processed", "processed_at", "play_id", "attempts", "failed_reason", "expires_at"}
)


@dataclass(slots=True)
class TakenBack:
    """What became of the matches of a file.

    Attributes:
        file: as it was named.
        removed: number of matches removed from MatchCache.
        played: number of matches that stay, because they were played.
        changed: number of matches that stay, because they are not as the file has them.
        absent: number of matches that were not in MatchCache.
    """

    file: str
    removed: int = 0
    played: int = 0
    changed: int = 0
    absent: int = 0


def take_back(stack: Stack, file: str, matches: Iterable[PutMatch | PlayedMatch]) -> TakenBack:
    """Removes the matches of a file that were not played.

    Args:
        stack: where they are.
        file: as it was named.
        matches: of the file, as loading would write them.
    """
    done = TakenBack(file)
    for batch in batched(matches, MATCHES_PER_READ):
        wanted = {_item(each)["match_id"]["S"]: _item(each) for each in batch}
        keys: list[Item] = [{"match_id": {"S": match_id}} for match_id in wanted]
        found = {item["match_id"]["S"]: item for item in read(stack.dynamodb, stack.match_cache_table, keys)}
        done.absent += len(wanted) - len(found)
        for match_id, match in found.items():
            if match.get("processed") == {"BOOL": True}:
                done.played += 1
            elif _content(match) == _content(wanted[match_id]) and _remove(stack, match):
                done.removed += 1
            else:
                done.changed += 1
    return done


def _remove(stack: Stack, match: Item) -> bool:
    """Removes a match and its records. Returns whether it was still as it was read."""
    actions: list[Any] = [_delete_match(stack, match), *_delete_records(stack, match["match_id"])]
    try:
        stack.dynamodb.transact_write_items(TransactItems=actions[:TRANSACTION_ACTIONS])
    except stack.dynamodb.exceptions.TransactionCanceledException:
        return False
    return True


def _delete_match(stack: Stack, match: Item) -> Action:
    attempts = match.get("attempts")
    values: Item = {":true": {"BOOL": True}, **({":attempts": attempts} if attempts else {})}
    same = "attempts = :attempts" if attempts else "attribute_not_exists(attempts)"
    return {
        "Delete": {
            "TableName": stack.match_cache_table,
            "Key": {"match_id": match["match_id"]},
            "ConditionExpression": f"attribute_exists(match_id) AND NOT #processed = :true AND {same}",
            "ExpressionAttributeNames": {"#processed": "processed"},
            "ExpressionAttributeValues": values,
        }
    }


def _delete_records(stack: Stack, match_id: dict[str, Any]) -> Iterator[Action]:
    pages = stack.dynamodb.get_paginator("query").paginate(
        TableName=stack.failed_play_log_table,
        KeyConditionExpression="match_id = :match",
        ExpressionAttributeValues={":match": match_id},
        ProjectionExpression="attempt",
        ConsistentRead=True,
    )
    for page in pages:
        for record in page["Items"]:
            key = {"match_id": match_id, "attempt": record["attempt"]}
            yield {"Delete": {"TableName": stack.failed_play_log_table, "Key": key}}


def _item(match: PutMatch | PlayedMatch) -> Item:
    return match.match if isinstance(match, PutMatch) else match.match.item


def _content(match: Item) -> Item:
    return {name: value for name, value in match.items() if name not in _STATE}

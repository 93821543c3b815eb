"""Retries failed matches: gives them their shard again, so that the next run converts them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from playlog.domain.match import Item

from playlog_cli.auditing import items
from playlog_cli.auditing.items import State
from playlog_cli.errors import explain
from playlog_cli.failures import records
from playlog_cli.failures.counting import selected_codes
from playlog_cli.failures.history import defect_of
from playlog_cli.failures.records import CONCURRENT_REQUESTS, Selection, matches_by_id, newest_first
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import batched


@dataclass(frozen=True)
class LeftMatch:
    """A match that was not retried, and why not."""

    match_id: str
    why: str


@dataclass
class RetryTally:
    """The result of a retry, or what it would be.

    Attributes:
        retried: how many matches wait again.
        defective: how many of them would fail again, as far as validation finds.
        refused: how many of those that stay AWS refused to write, or gave no answer for.
        left: those that stay as they are.
    """

    retried: int = 0
    defective: int = 0
    refused: int = 0
    left: list[LeftMatch] = field(default_factory=list)


def failed_matches(
    stack: Stack, match_ids: Sequence[str] | None, selection: Selection
) -> Iterator[dict[str, Item | None]]:
    """Reads the matches to retry or to correct, page by page.

    Args:
        stack: where.
        match_ids: the matches that the user named; None or empty for all that the selection fits.
        selection: which failures, where no match was named.

    Yields:
        Matches by id; None for a named one that does not exist.
    """
    if match_ids:
        for chunk in batched(dict.fromkeys(match_ids), records.RECORDS_PER_PAGE):
            found = matches_by_id(stack, chunk)
            yield {match_id: found.get(match_id) for match_id in chunk}
        return
    failures = (record for code in selected_codes(stack, selection) for record in newest_first(stack, code, selection))
    for page in batched(failures, records.RECORDS_PER_PAGE):
        last_attempts: set[tuple[str, int | Decimal]] = {
            (record["match_id"]["S"], Decimal(record["attempt"]["N"])) for record in page
        }
        # If this is an earlier attempt, the match has failed for another reason since, waits, or was played.
        yield {
            match_id: match
            for match_id, match in matches_by_id(stack, (record["match_id"]["S"] for record in page)).items()
            if items.state_of(match, stack.shards) is State.FAILED
            and (match_id, items.attempts(match)) in last_attempts
        }


def plan(page: Mapping[str, Item | None], tally: RetryTally, now: datetime) -> list[Item]:
    """Finds out which matches can be retried, and adds all of them to the tally.

    Args:
        page: matches by id, as they were read; None for one that does not exist.
        tally: gets the counts.
        now: the time that ``matched_at`` is validated against, with an offset.

    Returns:
        The matches that can be retried.
    """
    can_be_retried: list[Item] = []
    for match_id, match in page.items():
        if why := why_not(match):
            tally.left.append(LeftMatch(match_id, why))
        elif match:
            can_be_retried.append(match)
            tally.retried += 1
            tally.defective += defect_of(match, now) is not None
    return can_be_retried


def retry(stack: Stack, pages: Iterable[Mapping[str, Item | None]], now: datetime) -> RetryTally:
    """Lets failed matches wait again.

    Args:
        stack: where.
        pages: matches by id, as they were read; None for one that does not exist.
        now: the time that ``matched_at`` is validated against, with an offset.
    """
    tally = RetryTally()
    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as pool:
        for page in pages:
            matches = plan(page, tally, now)
            for match, result in [(match, pool.submit(_retry, stack, match)) for match in matches]:
                try:
                    why = None if result.result() else "it was changed meanwhile: look at it again"
                except (BotoCoreError, ClientError) as error:
                    why = explain(error)
                    tally.refused += 1
                if why:
                    tally.retried -= 1
                    tally.defective -= defect_of(match, now) is not None
                    tally.left.append(LeftMatch(match["match_id"]["S"], why))
    return tally


def why_not(match: Item | None) -> str | None:
    """Why a match cannot be retried; None if it can.

    Args:
        match: as it is now; None if it does not exist.
    """
    if match is None:
        return "there is no such match"
    # The number of shards does not matter for a match that has failed.
    state = items.state_of(match, shards=1)
    if state is not State.FAILED:
        return "it has not failed: `playlog failures show` says what it is"
    if not items.can_wait(match):
        return "it has no matched_at, without which it cannot wait: give it one first"
    return None


def _retry(stack: Stack, match: Item) -> bool:
    """Lets a match wait again, if it is still the failed match that was read.

    Somebody else may have retried it, and it may have failed again: a state that the user has not seen. A late dead
    letter of an earlier attempt changes nothing, since the attempts stay.
    """
    values: Item = {
        ":shard": {"S": items.home_shard(match, stack.shards)},
        ":reason": match["failed_reason"],
        ":true": {"BOOL": True},
        ":text": {"S": "S"},
    }
    if "attempts" in match:
        values[":attempts"] = match["attempts"]
    same_attempts = "attempts = :attempts" if "attempts" in match else "attribute_not_exists(attempts)"
    try:
        stack.dynamodb.update_item(
            TableName=stack.match_cache_table,
            Key={"match_id": match["match_id"]},
            # DynamoDB must not delete a match that waits.
            UpdateExpression="SET unprocessed_shard = :shard REMOVE failed_reason, expires_at",
            ConditionExpression=(
                f"failed_reason = :reason AND {same_attempts} AND attribute_type(matched_at, :text)"
                " AND attribute_not_exists(unprocessed_shard) AND NOT #processed = :true"
            ),
            ExpressionAttributeNames={"#processed": "processed"},
            ExpressionAttributeValues=values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException as error:
        return was_retried(error.response, values[":shard"])
    return True


def was_retried(response: Any, shard: dict[str, str]) -> bool:
    """Whether a match was retried before, by a request whose answer was lost, so that boto3 sent it again.

    Args:
        response: says that the match is not what was seen, and what it is.
        shard: in which the match waits then.
    """
    was_sent_again: bool = response["ResponseMetadata"].get("RetryAttempts", 0) > 0
    item: Item = response.get("Item", {})
    return was_sent_again and item.get("unprocessed_shard") == shard

"""Retry failed matches: give them their shard back, so that the next run converts them again."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from playlog.domain.match import Item
from playlog_cli.auditing import items
from playlog_cli.auditing.items import State
from playlog_cli.failures.finding import RECORDS_PER_PAGE, SIDE_BY_SIDE, Selection, defect_of, matches_of, records_of
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import batched


@dataclass(frozen=True)
class LeftMatch:
    """A match that was not retried, and why not."""

    match_id: str
    why: str


@dataclass
class RetryTally:
    """What becomes, or became, of the matches to retry.

    Attributes:
        retried: how many wait again.
        defective: how many of them would fail again, as far as can be seen.
        left: those that stay as they are.
    """

    retried: int = 0
    defective: int = 0
    left: list[LeftMatch] = field(default_factory=list)


def retry(stack: Stack, pages: Iterable[Mapping[str, Item | None]], now: datetime) -> RetryTally:
    """Lets failed matches wait again.

    Args:
        stack: where.
        pages: matches by id, as they were read; None for one that is not there.
        now: the time that ``matched_at`` is judged by, with an offset.
    """
    tally = RetryTally()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for page in pages:
            matches = count_page(page, tally, now)
            for match, retried in zip(matches, pool.map(lambda match: _retry(stack, match), matches), strict=True):
                if not retried:
                    tally.retried -= 1
                    tally.left.append(LeftMatch(match["match_id"]["S"], "it was changed meanwhile: look at it again"))
    return tally


def why_not(match: Item | None) -> str | None:
    """Why a match cannot be retried; None if it can.

    Args:
        match: as it is now; None if it is not there.
    """
    if match is None:
        return "there is no such match"
    # Of a match that has failed, the number of shards decides nothing.
    state = items.state_of(match, shards=1)
    if state is not State.FAILED:
        return "it has not failed: `playlog failures show` says what it is"
    if not items.can_wait(match):
        return "it has no matched_at, without which it cannot wait: give it one first"
    return None


def to_retry(stack: Stack, match_ids: list[str] | None, selection: Selection) -> Iterator[dict[str, Item | None]]:
    """The matches to retry by id, page by page: those that were named, or those that the selection fits."""
    if match_ids:
        for chunk in batched(dict.fromkeys(match_ids), RECORDS_PER_PAGE):
            named = matches_of(stack, [{"match_id": {"S": match_id}} for match_id in chunk])
            found = {match["match_id"]["S"]: match for match in named}
            yield {match_id: found.get(match_id) for match_id in chunk}
        return
    records = (record for code in selection.codes for record in records_of(stack, code, selection))
    for page in batched(records, RECORDS_PER_PAGE):
        last_attempts: set[tuple[str, int | Decimal]] = {
            (record["match_id"]["S"], Decimal(record["attempt"]["N"])) for record in page
        }
        # A match whose earlier attempt this was has failed for another reason since, waits, or was played.
        yield {
            match["match_id"]["S"]: match
            for match in matches_of(stack, page)
            if items.state_of(match, stack.shards) is State.FAILED
            and (match["match_id"]["S"], items.attempts(match)) in last_attempts
        }


def count_page(page: Mapping[str, Item | None], tally: RetryTally, now: datetime) -> list[Item]:
    """Sorts out which matches can be retried, and puts all of them into the tally."""
    can_be: list[Item] = []
    for match_id, match in page.items():
        if why := why_not(match):
            tally.left.append(LeftMatch(match_id, why))
        elif match:
            can_be.append(match)
            tally.retried += 1
            tally.defective += defect_of(match, now) is not None
    return can_be


def _retry(stack: Stack, match: Item) -> bool:
    """Lets a match wait again, if it is still the failed match that was read.

    Whoever else retried it, and whether it failed anew since: that is a state that nobody has looked at yet. A late
    dead letter of an earlier attempt changes nothing, since the attempts stay.
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
            UpdateExpression="SET unprocessed_shard = :shard REMOVE failed_reason",
            ConditionExpression=(
                f"failed_reason = :reason AND {same_attempts} AND attribute_type(matched_at, :text)"
                " AND attribute_not_exists(unprocessed_shard) AND NOT #processed = :true"
            ),
            ExpressionAttributeNames={"#processed": "processed"},
            ExpressionAttributeValues=values,
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True

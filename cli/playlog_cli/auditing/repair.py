"""Repair what has one right answer: a stranded match with a time gets its shard."""

from collections.abc import Iterator
from dataclasses import dataclass

from playlog.domain.match import Item

from playlog_cli.auditing import items
from playlog_cli.auditing.audit import SUSPECTS_PER_READ, Audit
from playlog_cli.auditing.invariants import Kind
from playlog_cli.auditing.items import State
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import batched, read

SIDE_BY_SIDE = 16  # updates in flight


@dataclass(frozen=True)
class Repair:
    """A stranded match, and the shard that makes it wait.

    Attributes:
        match: the attributes that the invariants use, as they were read.
        shard: the shard that it gets.
    """

    match: Item
    shard: str

    @property
    def match_id(self) -> str:
        """Key of the match."""
        match_id: str = self.match["match_id"]["S"]
        return match_id


def repairs_of(stack: Stack, found: Audit) -> Iterator[Repair]:
    """What has one right answer: a stranded match with a time waits again once it has its shard.

    A match that may have been played before it was stranded is left out, since it would be played twice: a match that
    names a play, that another violation names, or whose play another violation names by the stack's rule of duplicates.

    Args:
        stack: the stack that was audited.
        found: its audit.
    """
    others = [each for each in found.violations if each.kind is not Kind.STRANDED]
    matches_named = {each.match_id for each in others}
    plays_named = {each.play_key for each in others if each.play_key} | set(found.undecided)
    stranded = (each.match_id for each in found.violations if each.kind is Kind.STRANDED)
    keys = ({"match_id": {"S": match_id}} for match_id in stranded if match_id and match_id not in matches_named)
    for chunk in batched(keys, SUSPECTS_PER_READ):
        for match in read(stack.dynamodb, stack.match_cache_table, chunk):
            created = items.own_play(match)
            was_played = items.text(match, "play_id") or (
                created and any(stack.rule.may_account_for(play, created) for play in plays_named)
            )
            waits_nowhere = items.state_of(match, stack.shards) is State.STRANDED and items.can_wait(match)
            if waits_nowhere and not was_played:
                seen = {name: match[name] for name in items.MATCH_ATTRIBUTES if name in match}
                yield Repair(seen, items.home_shard(match, stack.shards))


def repair_match(stack: Stack, repair: Repair) -> bool:
    """Gives a stranded match its shard, unless it was changed since it was read.

    Returns:
        Whether the match was unchanged.
    """
    seen = {name: repair.match.get(name) for name in items.MATCH_ATTRIBUTES if name != "match_id"}
    unchanged = [f"#{name} = :{name}" if value else f"attribute_not_exists(#{name})" for name, value in seen.items()]
    try:
        stack.dynamodb.update_item(
            TableName=stack.match_cache_table,
            Key={"match_id": {"S": repair.match_id}},
            # DynamoDB must not delete a match that waits.
            UpdateExpression="SET #unprocessed_shard = :shard REMOVE #expires_at",
            ConditionExpression=" AND ".join(unchanged),
            ExpressionAttributeNames={f"#{name}": name for name in seen},
            ExpressionAttributeValues={
                ":shard": {"S": repair.shard},
                **{f":{name}": value for name, value in seen.items() if value},
            },
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True

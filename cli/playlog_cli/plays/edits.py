"""What a person changes on a play: flag it, take the flag away, withdraw it, restore it.

A play is edited only if it is still what the person saw. Who changed what, when, from which value to which, is kept on
the play, in the list ``edited``. The converter keeps an edit: a flag that a person has set or taken away is theirs from
then on, and it never changes ``active``.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.domain.play import PlayKey
from playlog.dynamodb.limits import SORT_KEY_BYTES

from playlog_cli.errors import CommandError, shown
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import can_be_key

# What a play without the attribute counts as.
_DEFAULTS = {"flagged": False, "active": True}


class Edit(StrEnum):
    """What a person may do to a play."""

    FLAG = "flag"
    UNFLAG = "unflag"
    WITHDRAW = "withdraw"
    RESTORE = "restore"


_SETS = {
    Edit.FLAG: ("flagged", True),
    Edit.UNFLAG: ("flagged", False),
    Edit.WITHDRAW: ("active", False),
    Edit.RESTORE: ("active", True),
}
_ALREADY = {
    Edit.FLAG: "it is flagged already",
    Edit.UNFLAG: "it is not flagged",
    Edit.WITHDRAW: "it is withdrawn already",
    Edit.RESTORE: "it is not withdrawn",
}


@dataclass(frozen=True)
class Edited:
    """The result of an edit.

    Attributes:
        station_id: first part of the play's key.
        play_id: second part of the play's key.
        edit: what was done.
        why_not: why the play stays as it is; None if it was changed.
    """

    station_id: str
    play_id: str
    edit: Edit
    why_not: str | None


def read_play(stack: Stack, key: PlayKey) -> Item:
    """Reads a play.

    Raises:
        CommandError: there is no such play.
    """
    answer: Any = {}
    if can_be_key(key.station_id) and can_be_key(key.play_id, SORT_KEY_BYTES):
        answer = stack.dynamodb.get_item(TableName=stack.play_log_table, Key=_key(key), ConsistentRead=True)
    if "Item" not in answer:
        raise CommandError(f"station {shown(key.station_id)} has no play {shown(key.play_id)}")
    item: Item = answer["Item"]
    return item


def edits_for(play: Item) -> tuple[Edit, ...]:
    """The edits that would change a play."""
    return tuple(edit for edit in Edit if _value(play, _SETS[edit][0]) != _SETS[edit][1])


def edit_play(stack: Stack, seen: Item, edit: Edit, *, who: str, now: datetime) -> Edited:
    """Edits a play.

    Args:
        stack: where.
        seen: the play as the person saw it; the edit holds only if the attribute has not changed since.
        edit: what to do.
        who: who does it, like the ARN of an IAM identity.
        now: the time of the edit, with an offset.
    """
    key = PlayKey(seen["station_id"]["S"], seen["play_id"]["S"])
    if edit not in edits_for(seen):
        return Edited(*key, edit, _ALREADY[edit])
    attribute, value = _SETS[edit]
    before = seen.get(attribute)
    edits, same_kind, values = _new_edits(seen)
    condition = f"#attribute = :before{'' if before else ' OR attribute_not_exists(#attribute)'}"
    entry = {
        "at": {"S": timestamps.to_text(now)},
        "by": {"S": who},
        "attribute": {"S": attribute},
        "from": {"BOOL": _value(seen, attribute)},
        "to": {"BOOL": value},
    }
    try:
        stack.dynamodb.update_item(
            TableName=stack.play_log_table,
            Key=_key(key),
            UpdateExpression=f"SET #attribute = :value, updated_at = :now, edited = {edits}",
            ConditionExpression=f"attribute_exists(play_id) AND ({condition}) AND {same_kind}",
            ExpressionAttributeNames={"#attribute": attribute},
            ExpressionAttributeValues={
                ":value": {"BOOL": value},
                ":before": before or {"BOOL": _value(seen, attribute)},
                ":now": {"S": timestamps.to_text(now)},
                ":entry": {"L": [{"M": entry}]},
                **values,
            },
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except stack.dynamodb.exceptions.ConditionalCheckFailedException as error:
        response: Any = error.response
        # boto3 sends a request again if its answer was lost: the first one may have been carried out.
        if {"M": entry} in response.get("Item", {}).get("edited", {}).get("L", []):
            return Edited(*key, edit, None)
        return Edited(*key, edit, "it was changed meanwhile: look at it again")
    return Edited(*key, edit, None)


def _new_edits(play: Item) -> tuple[str, str, dict[str, Any]]:
    """How an entry is added to the list ``edited``.

    Returns:
        The new value as an expression, the condition on which it can be written, and the values of both. If somebody
        wrote another thing there than a list, that is kept as the first entry.
    """
    before = play.get("edited")
    if before is None or "L" in before:
        is_list = "(attribute_not_exists(edited) OR attribute_type(edited, :list))"
        return "list_append(if_not_exists(edited, :none), :entry)", is_list, {":none": {"L": []}, ":list": {"S": "L"}}
    first: dict[str, Any] = {"L": [] if "NULL" in before else [before]}
    return "list_append(:first, :entry)", "edited = :edited", {":first": first, ":edited": before}


def _value(play: Item, attribute: str) -> bool:
    value = play.get(attribute, {}).get("BOOL", _DEFAULTS[attribute])
    return bool(value)


def _key(key: PlayKey) -> Any:
    return {"station_id": {"S": key.station_id}, "play_id": {"S": key.play_id}}

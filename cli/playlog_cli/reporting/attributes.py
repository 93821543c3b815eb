"""Attributes of an item of PlayLog, with an error that says what is wrong. Pure."""

from typing import Any

from playlog.domain.match import Item
from playlog.domain.plain_values import plain

from playlog_cli.errors import CommandError, shown


def attribute(item: Item, name: str, kind: str, otherwise: Any = ...) -> Any:
    """An attribute of a type.

    Args:
        item: in DynamoDB's wire format.
        name: of the attribute.
        kind: its type, like ``S``.
        otherwise: the value of an absent attribute; not given if it must not be absent.

    Raises:
        ValueError: it is of another type, or it is absent and must not be.
    """
    value = item.get(name)
    if value is None and otherwise is not ...:
        return otherwise
    if value is None or kind not in value:
        raise ValueError(f"{name} is {'missing' if value is None else shown(plain(value))}: it must be of type {kind}")
    return value[kind]


def unusable(item: Item, purpose: str, error: ValueError) -> CommandError:
    """An error that names the play which cannot be used.

    Args:
        item: the play in DynamoDB's wire format.
        purpose: what it cannot be, like ``added up``.
        error: what is wrong with which attribute.
    """
    play_id, station_id = (shown(item.get(name, {}).get("S")) for name in ("play_id", "station_id"))
    return CommandError(f"play {play_id} of station {station_id} cannot be {purpose}: {error}. Mend that in PlayLog")

"""Items of the tables, rebuilt from the rows of an export."""

import base64
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from playlog.domain.match import Item
from playlog.schema import Attribute, Type

from playlog_cli.exporting.columns import ExportTable
from playlog_cli.exporting.engine import Statements


def columns_of(table: ExportTable, attributes: Sequence[str]) -> list[Attribute]:
    """The attributes of a table that have some names, in the order of the table."""
    return [each for each in table.attributes if each.name in attributes]


def listed(attributes: Sequence[Attribute], prefix: str = "") -> str:
    """SQL for the columns that ``item_of`` needs.

    Args:
        attributes: which the item must have.
        prefix: of each column, like ``m.``.
    """
    return ", ".join(f'{prefix}"{name}"' for name in (*(each.name for each in attributes), "item"))


def item_of(attributes: Sequence[Attribute], row: Sequence[Any]) -> Item:
    """An item as DynamoDB returns it.

    Args:
        attributes: which the item must have.
        row: the values of the columns that ``listed`` names.
    """
    *values, whole = row
    if whole is not None:
        names = {each.name for each in attributes}
        item: Item = {name: _decoded(value) for name, value in json.loads(whole).items() if name in names}
        return item
    return {
        attribute.name: {attribute.type.value: _wire(attribute.type, value)}
        for attribute, value in zip(attributes, values, strict=True)
        if value is not None
    }


def items(engine: Statements, table: ExportTable, attributes: Sequence[str], condition: str) -> Iterator[Item]:
    """The items of a table in an engine.

    Args:
        engine: has the table.
        table: which.
        attributes: names of the attributes that the items must have.
        condition: SQL for which rows.
    """
    columns = columns_of(table, attributes)
    for row in engine.rows(f"SELECT {listed(columns)} FROM {table.name} WHERE {condition}"):
        yield item_of(columns, row)


def _wire(kind: Type, value: Any) -> Any:
    match kind:
        case Type.NUMBER:
            return number_text(value)
        case Type.DOCUMENT:
            return {name: _decoded(content) for name, content in json.loads(value).items()}
        case _:
            return value


def number_text(value: Decimal | int) -> str:
    """A number as DynamoDB writes it: in digits, without zeros at its end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decoded(value: dict[str, Any]) -> dict[str, Any]:
    """An attribute as boto3 returns it: binary values are bytes."""
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {kind: base64.b64decode(content)}
        case "BS":
            return {kind: [base64.b64decode(each) for each in content]}
        case "M":
            return {kind: {name: _decoded(each) for name, each in content.items()}}
        case "L":
            return {kind: [_decoded(each) for each in content]}
        case _:
            return value

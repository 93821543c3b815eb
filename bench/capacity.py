"""Capacity units by DynamoDB's rules, counted from requests and answers alone.

The engine counts them as well. The two are held against each other in every run, so that neither is taken on trust.

Source of the rules: Amazon DynamoDB Developer Guide, "DynamoDB on-demand capacity mode" (a write unit for each KB
begun, half a read unit for each 4 KB begun of an eventually consistent read), "Amazon DynamoDB Transactions: How it
works" (each item of a transaction is written twice), "Using Global Secondary Indexes" (writes to an index), and
"DynamoDB item sizes and formats".
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from playlog.domain.match import Item
from playlog.dynamodb import limits

from tests.stateful.expressions import Placeholders, applied

KB = 1_024
READ_BYTES = 4 * KB
LARGEST_NUMBER_BYTES = 21  # what limits.item_bytes counts for any number


class Rule(StrEnum):
    """Where a unit comes from."""

    IN_TRANSACTION = "an item of a transaction: each KB begun, twice"
    ENTRY_ADDED = "an entry comes into the index: each KB begun"
    ENTRY_CHANGED = "an entry of the index changes: each KB begun"
    ENTRY_MOVED = "an entry of the index gets another key: each KB begun, out and in"
    ENTRY_REMOVED = "an entry leaves the index: each KB begun"
    PAGE = "an eventually consistent page: half a unit for each 4 KB begun"


class NoRuleError(Exception):
    """A request of a kind that there is no rule for here."""


@dataclass(frozen=True, order=True)
class Place:
    """What units are charged to.

    Attributes:
        table: by its logical id in the template.
        index: by its name; empty for the table itself.
        kind: ``write`` or ``read``.
    """

    table: str
    index: str
    kind: str


@dataclass(frozen=True)
class Charge:
    """Units, and the rule that they come from."""

    place: Place
    rule: Rule
    units: float


@dataclass(frozen=True)
class Table:
    """What the rules need to know of a table.

    Attributes:
        logical_id: in the template.
        key: the attributes of its key.
        indexes: of each index, by its name, the attributes of its key. Each projects all attributes.
    """

    logical_id: str
    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, logical_id: str, properties: Mapping[str, Any]) -> "Table":
        """The table that a template describes.

        Raises:
            NoRuleError: an index does not project all attributes.
        """
        indexes = properties.get("GlobalSecondaryIndexes", [])
        if any(index["Projection"]["ProjectionType"] != "ALL" for index in indexes):
            raise NoRuleError(f"{logical_id} has an index that does not project all attributes")
        return cls(
            logical_id,
            _key_names(properties),
            {index["IndexName"]: _key_names(index) for index in indexes},
        )


def item_bytes(item: Item) -> int:
    """Size of an item as DynamoDB bills it.

    Example:
        >>> item_bytes({"track": {"S": "abc"}, "seconds": {"N": "187"}})
        18
    """
    numbers = (value["N"] for value in item.values() if "N" in value)
    return limits.item_bytes(item) - sum(LARGEST_NUMBER_BYTES - _number_bytes(number) for number in numbers)


def of_write(table: Table, before: Item | None, after: Item | None) -> Iterator[Charge]:
    """What one action of a transaction costs.

    Args:
        table: that it writes to.
        before: the item before; None if there was none.
        after: the item after; None if it is deleted.
    """
    own = Place(table.logical_id, "", "write")
    yield Charge(own, Rule.IN_TRANSACTION, 2 * max(_write_units(before), _write_units(after)))
    for name, key in table.indexes.items():
        place = Place(table.logical_id, name, "write")
        old, new = _entry(before, key), _entry(after, key)
        if old == new:
            continue  # no such entry before or after, or the same
        if old is None:
            yield Charge(place, Rule.ENTRY_ADDED, _write_units(new))
        elif new is None:
            yield Charge(place, Rule.ENTRY_REMOVED, _write_units(old))
        elif any(old[attribute] != new[attribute] for attribute in key):
            yield Charge(place, Rule.ENTRY_MOVED, _write_units(old) + _write_units(new))
        else:
            yield Charge(place, Rule.ENTRY_CHANGED, max(_write_units(old), _write_units(new)))


def of_page(table: Table, index: str, items: Iterable[Item]) -> Charge:
    """What a page of a query costs that has no filter and no projection.

    Args:
        table: that it reads.
        index: of the table; empty for the table itself.
        items: that the page holds.
    """
    size = sum(map(item_bytes, items))
    return Charge(Place(table.logical_id, index, "read"), Rule.PAGE, max(1, -(-size // READ_BYTES)) / 2)


@dataclass
class Meter:
    """Counts what requests cost that took effect.

    Args:
        tables: by the name that requests call them.

    Attributes:
        requests: how many were sent, by operation.
        refused: how many of them were not answered with 200.
        units: by the rules, by place and rule.
        engine: what the engine says, by place.
        played: how many matches left the index of unprocessed matches.
    """

    tables: Mapping[str, Table]
    requests: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    units: Counter[tuple[Place, Rule]] = field(default_factory=Counter)
    engine: Counter[Place] = field(default_factory=Counter)
    played: int = 0
    # Items as they were last seen, as JSON, which takes a fraction of the memory.
    _images: dict[tuple[str, ...], bytes] = field(default_factory=dict)

    def count(self, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any], status: int) -> None:
        """Counts a request.

        Args:
            operation: like ``Query``.
            request: its body.
            answer: with the ``ConsumedCapacity`` of the engine, where that gives one.
            status: of HTTP.

        Raises:
            NoRuleError: it reads or writes in a way that there is no rule for here.
        """
        self.requests[operation] += 1
        if status != 200:
            self.refused += 1
            return
        consumed = answer.get("ConsumedCapacity", [])
        for entry in consumed if isinstance(consumed, list) else [consumed]:
            self._count_engine(operation, entry)
        match operation:
            case "Query":
                self._count_page(request, answer["Items"])
            case "TransactWriteItems":
                for action in request["TransactItems"]:
                    ((verb, what),) = action.items()
                    self._count_action(verb, what)
            case "SendMessageBatch":
                pass
            case _:
                raise NoRuleError(f"{operation}: bench/capacity.py has no rule for what it costs")

    def of(self, kind: str) -> dict[Place, float]:
        """Units by the rules, by place.

        Args:
            kind: ``write`` or ``read``.
        """
        totals: Counter[Place] = Counter()
        for (place, _), units in self.units.items():
            if place.kind == kind:
                totals[place] += units
        return dict(totals)

    def disagreements(self) -> list[str]:
        """Where the rules and the engine count writes differently, in sentences.

        Reads are by the rules alone: MiniStack says half a unit for any page of a query, however large.
        """
        by_rule = self.of("write")
        return [
            f"{place.table} {place.index}: {by_rule.get(place, 0):,} write units by the rules, "
            f"{self.engine[place]:,} by the engine"
            for place in sorted({*by_rule, *self.engine})
            if place.kind == "write" and by_rule.get(place, 0) != self.engine[place]
        ]

    def _count_page(self, request: Mapping[str, Any], items: list[Item]) -> None:
        if request.keys() & {"FilterExpression", "ProjectionExpression"} or request.get("ConsistentRead"):
            raise NoRuleError("Query with a filter, a projection or consistent: bench/capacity.py has no rule for it")
        table = self.tables[request["TableName"]]
        for item in items:
            self._images[_identity(table, item)] = json.dumps(item).encode()
        self._charge(of_page(table, request.get("IndexName", ""), items))

    def _count_action(self, verb: str, what: Mapping[str, Any]) -> None:
        table = self.tables[what["TableName"]]
        identity = _identity(table, what["Item"] if verb == "Put" else what["Key"])
        image = self._images.pop(identity, None)
        before: Item | None = json.loads(image) if image else None
        after = _after(verb, what, before)
        for charge in of_write(table, before, after):
            self._charge(charge)
            if charge.rule is Rule.ENTRY_REMOVED:
                self.played += 1
        if after and any(_entry(after, key) for key in table.indexes.values()):
            self._images[identity] = json.dumps(after).encode()

    def _charge(self, charge: Charge) -> None:
        self.units[charge.place, charge.rule] += charge.units  # type: ignore[assignment]  # half units

    def _count_engine(self, operation: str, entry: Mapping[str, Any]) -> None:
        table = self.tables[entry["TableName"]].logical_id
        kind = "read" if operation == "Query" else "write"
        rest = entry["CapacityUnits"]
        for index, consumed in entry.get("GlobalSecondaryIndexes", {}).items():
            self.engine[Place(table, index, kind)] += consumed["CapacityUnits"]
            rest -= consumed["CapacityUnits"]
        if rest:
            self.engine[Place(table, "", kind)] += rest


def _after(verb: str, what: Mapping[str, Any], before: Item | None) -> Item | None:
    match verb:
        case "Put":
            item: Item = what["Item"]
            return item
        case "Update":
            placeholders = Placeholders(
                what.get("ExpressionAttributeNames", {}), what.get("ExpressionAttributeValues", {})
            )
            return applied(what["UpdateExpression"], placeholders, before or what["Key"])
        case "Delete":
            return None
        case "ConditionCheck":
            return before
        case _:
            raise NoRuleError(f"{verb} in a transaction: bench/capacity.py has no rule for what it costs")


def _key_names(of: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(part["AttributeName"] for part in of["KeySchema"])


def _identity(table: Table, item: Item) -> tuple[str, ...]:
    return (table.logical_id, *(json.dumps(item[name]) for name in table.key))


def _entry(item: Item | None, key: tuple[str, ...]) -> Item | None:
    """An item as an index holds it, which it does if it has the index's key."""
    return item if item and all(name in item for name in key) else None


def _write_units(item: Item | None) -> int:
    return max(1, -(-item_bytes(item) // KB)) if item else 1


def _number_bytes(text: str) -> int:
    """About a byte for two significant digits, and one more; one more if it is negative."""
    digits = text.lstrip("-").partition("E")[0].replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")

"""DynamoDB's expressions, in the few forms that playlog and PynamoDB send, evaluated on an item."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from playlog.domain.match import Item

Value = dict[str, Any]

_TOKEN = re.compile(r">=|[(),=<]|[#:]?\w+(?:\[\d+\])?")
_ELEMENT = re.compile(r"(.+)\[(\d+)\]")
_CLAUSE = re.compile(r"(SET|REMOVE) (.+?)(?: (?=SET |REMOVE )|$)")
_COMPARISONS = {"=": operator.eq, "<": operator.lt, ">=": operator.ge}
_FUNCTIONS = ("attribute_exists", "attribute_not_exists", "attribute_type")


class ExpressionError(Exception):
    """The expression is of a form that is not known here."""


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What the placeholders of a request's expressions stand for."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    def name(self, token: str) -> str:
        """The attribute that a token names."""
        return self.names[token] if token.startswith("#") else token


def holds(condition: str, placeholders: Placeholders, item: Item) -> bool:
    """Whether a condition holds of an item.

    Raises:
        ExpressionError: the condition is of a form that is not known here.
    """
    tokens = _TOKEN.findall(condition)
    if "".join(tokens) != re.sub(r"\s", "", condition):
        raise ExpressionError(condition)
    parsed = _Condition(tokens, placeholders, item)
    result = parsed.any()
    if tokens:
        raise ExpressionError(f"{tokens[0]} in {condition!r}")
    return result


def applied(update: str, placeholders: Placeholders, item: Item) -> Item:
    """What an update makes of an item.

    Raises:
        ExpressionError: the update is of a form that is not known here.
    """
    if _CLAUSE.sub("", update):
        raise ExpressionError(update)
    updated = dict(item)
    for verb, listed in _CLAUSE.findall(update):
        for part in listed.split(","):
            name, _, value = (text.strip() for text in part.partition("="))
            if verb == "SET":
                updated[placeholders.name(name)] = placeholders.values[value]
            else:
                updated.pop(placeholders.name(name), None)
    return updated


@dataclass(slots=True)
class _Condition:
    """A condition that is read from the left: each method takes off its tokens and says whether its part holds."""

    tokens: list[str]
    placeholders: Placeholders
    item: Item

    def any(self) -> bool:
        result = self._all()
        while self._next_is("OR"):
            result = self._all() or result
        return result

    def _all(self) -> bool:
        result = self._one()
        while self._next_is("AND"):
            result = self._one() and result
        return result

    def _one(self) -> bool:
        if self._next_is("NOT"):
            return not self._one()
        if self._next_is("("):
            result = self.any()
            self._take(")")
            return result
        first = self._take()
        return self._function(first) if first in _FUNCTIONS else self._comparison(first)

    def _function(self, function: str) -> bool:
        self._take("(")
        value = self._value(self._take())
        if function == "attribute_type":
            self._take(",")
            wanted = self.placeholders.values[self._take()]["S"]
            result = value is not None and wanted in value
        else:
            result = (value is not None) is (function == "attribute_exists")
        self._take(")")
        return result

    def _value(self, path: str) -> Value | None:
        """What an attribute holds, or an element of a list."""
        if not (element := _ELEMENT.fullmatch(path)):
            return self.item.get(self.placeholders.name(path))
        whole = self.item.get(self.placeholders.name(element[1]), {}).get("L", [])
        rest: list[Value] = whole[int(element[2]) :]
        return rest[0] if rest else None

    def _comparison(self, name: str) -> bool:
        left = self.item.get(self.placeholders.name(name))
        if self._next_is("BETWEEN"):
            least = self._is(operator.ge, left)
            self._take("AND")
            return self._is(operator.le, left) and least
        return self._is(_COMPARISONS[self._take()], left)

    def _is(self, compare: Callable[[Any, Any], bool], left: Value | None) -> bool:
        right = self.placeholders.values[self._take()]
        # An attribute that is absent or of another type does not compare with a value.
        if left is None or left.keys() != right.keys():
            return False
        return bool(compare(comparable(left), comparable(right)))

    def _next_is(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        del self.tokens[0]
        return True

    def _take(self, wanted: str | None = None) -> str:
        if not self.tokens or wanted not in (None, self.tokens[0]):
            raise ExpressionError(f"{self.tokens[:1]} where {wanted or 'more'} is wanted")
        return self.tokens.pop(0)


def comparable(value: Value) -> Any:
    """A value as Python compares it: numbers as numbers, whatever they are written like."""
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content

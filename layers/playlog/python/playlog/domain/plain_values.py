"""Values of DynamoDB as their writer wrote them, without the types of DynamoDB: for records and messages."""

import base64
from decimal import Decimal
from typing import Any

# DynamoDB nests attributes at most 32 deep, and the match is two deep in its record.
DEEPEST = 28


def plain(value: dict[str, Any], depth: int = 1) -> Any:
    """An attribute as a plain JSON value, for people to read.

    Args:
        value: the attribute in DynamoDB's wire format.
        depth: how deep it is nested, from 1. Values that are too deep for a record are cut.
    """
    if depth > DEEPEST:
        return "[cut: nested too deep]"
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return _number(content)
        case "NS":
            return [_number(member) for member in content]
        case "B":
            return base64.b64encode(content).decode()
        case "BS":
            return [base64.b64encode(member).decode() for member in content]
        case "NULL":
            return None
        case "L":
            return [plain(member, depth + 1) for member in content]
        case "M":
            return {name: plain(member, depth + 1) for name, member in content.items()}
        case "SS":
            return sorted(content)
        case _:  # S, BOOL
            return content


def _number(text: str) -> int | float | str:
    number = Decimal(text)
    if number == number.to_integral_value():
        return int(number)
    # A fraction that a JSON reader would round remains text.
    return float(number) if Decimal(repr(float(number))) == number else text

"""DynamoDB's limits and how it counts bytes.

Source: Amazon DynamoDB Developer Guide, "Quotas in Amazon DynamoDB" and "DynamoDB item sizes and formats".
"""

from typing import Any

from playlog.domain.match import Item

TRANSACTION_ACTIONS = 100
TRANSACTION_BYTES = 4 * 1024 * 1024
ITEM_BYTES = 400 * 1024
PARTITION_KEY_BYTES = 2048
SORT_KEY_BYTES = 1024
# At most: about a byte for two digits and one more, of at most 38 digits.
NUMBER_BYTES = 21


def text_bytes(text: str) -> int:
    """Size of a text in bytes of UTF-8; half a surrogate pair, which DynamoDB takes and UTF-8 has not, counts 3."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def item_bytes(item: Item) -> int:
    """Size of an item in bytes as DynamoDB counts it, names included, never less than it counts."""
    # Every match is counted: its text at once, and what is short without a call.
    texts, others = [*item], 0
    for value in item.values():
        if "S" in value:
            texts.append(value["S"])
        elif "N" in value:
            others += NUMBER_BYTES
        elif "BOOL" in value:
            others += 1
        else:
            others += _value_bytes(value)
    return text_bytes("".join(texts)) + others


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return text_bytes(content)
        case "N":
            return NUMBER_BYTES
        case "B":
            return len(content)
        case "BOOL" | "NULL":
            return 1
        case "SS" | "NS" | "BS":
            return sum(_value_bytes({kind[0]: member}) for member in content)
        case "L":
            return 3 + sum(1 + _value_bytes(member) for member in content)
        case _:
            return 3 + sum(1 + text_bytes(name) + _value_bytes(member) for name, member in content.items())

"""Sizes as DynamoDB counts them: a count too low has a whole transaction refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from playlog.domain.match import Item
from playlog.dynamodb.limits import item_bytes

from tests.support.builders import items


# Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats": the name and the value, in UTF-8.
@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "abc"}, 3),
        ({"S": "é"}, 2),
        ({"S": "😀"}, 4),
        ({"S": "\ud83d"}, 3),  # half of it: AWS's own engine takes that too
        ({"B": b"\x00\xff"}, 2),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "é"]}, 3),
        ({"BS": [b"a", b"bc"]}, 3),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "abc"}, {"BOOL": True}]}, 3 + (1 + 3) + (1 + 1)),
        ({"M": {"é": {"S": "abc"}}}, 3 + (1 + 2 + 3)),
        ({"L": [{"M": {"k": {"L": [{"NULL": True}]}}}]}, 3 + 1 + (3 + 1 + 1 + (3 + 1 + 1))),
    ],
    ids=str,
)
def test_a_value_is_as_large_as_dynamodb_says(value: dict[str, Any], size: int) -> None:
    assert item_bytes({"name": value}) == len("name") + size
    assert item_bytes({"né": value, "other": value}) == len(b"n\xc3\xa9") + len("other") + 2 * size


@pytest.mark.parametrize("number", ["0", "201.5", "-" + "9" * 38, "1E-130"])
def test_a_number_is_never_counted_too_small(number: str) -> None:
    # One byte for two of 38 digits, one more, and one for a sign.
    assert item_bytes({"n": {"N": number}}) >= 1 + min(21, len(number.strip("-")) // 2 + 1)
    assert item_bytes({"n": {"NS": [number, "7"]}}) >= item_bytes({"n": {"N": number}}) + 2


@settings(max_examples=25)
@given(items())
def test_whatever_an_item_holds_its_text_and_bytes_are_counted(item: Item) -> None:
    assert item_bytes(item) >= sum(len(name.encode()) + _content(value) for name, value in item.items())


def _content(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "L":
            return sum(map(_content, content))
        case "M":
            return sum(len(name.encode()) + _content(member) for name, member in content.items())
        case "S":
            return len(content.encode())
        case "SS":
            return sum(len(member.encode()) for member in content)
        case "B":
            return len(content)
        case "BS":
            return sum(map(len, content))
        case _:  # a number has at least a byte, as has a truth
            return 1

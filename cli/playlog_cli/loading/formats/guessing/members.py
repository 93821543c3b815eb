"""Which objects of a JSON file are its rows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Any

from playlog_cli.loading.files.members import flat, object_lists, only_list, rows_in
from playlog_cli.loading.formats.guessing.values import date_formats, moment_formats

_MANY = 3  # members of a list: a programme has more songs, and a song has fewer artists


@dataclass(frozen=True, slots=True)
class Members:
    """The objects that seem to be rows.

    Attributes:
        members: their texts, by the paths of their members.
        path: of the lists that they are in; None if they are the outermost objects, or those of a document's only list.
        objects: how many objects hold such lists.
    """

    members: list[dict[str, str]]
    path: str | None
    objects: int


def find_members(documents: Sequence[dict[str, Any]]) -> Members:
    """Finds the objects that seem to be rows.

    Args:
        documents: the outermost objects of the file; a large one comes once for each member of its list.
    """
    lists = [only_list(document) for document in documents]
    held = [each for found in lists for each in found or ()]
    # The rows may need the date of the object that they are in. Or some objects are like rows, and the lists are not.
    if not all(lists) or any(_has_date(document) for document in documents):
        held = list(documents)
    longs = list(starmap(_long_list, pairwise(held)))
    long = next(filter(None, longs), "")
    inner = _list_path([member for each in held for member in each.get(long, ())] if long else held)
    path = ".".join(filter(None, (long, inner)))
    rows = [row for each in held for row in rows_in(each, path)] if path else held
    return Members([flat(row) for row in rows], path or None, len(held) - sum(map(bool, longs)))


def _long_list(first: dict[str, Any], second: dict[str, Any]) -> str:
    """Name of the list of a large document of which two objects hold a member each; blank if they are no such parts."""
    name = next(reversed(first), "")
    lists = [first.get(name), second.get(name)]
    is_one = all(isinstance(found, list) and len(found) == 1 for found in lists)
    return name if is_one and {**first, name: None} == {**second, name: None} else ""


def _has_date(values: dict[str, Any]) -> bool:
    return any(text and bool(date_formats([text]) or moment_formats([text])) for text in flat(values).values())


def _list_path(objects: Sequence[dict[str, Any]]) -> str:
    """The path of the lists that hold the rows: of all long lists, also within lists, those with most members.

    Returns:
        Blank if the objects themselves are the rows.
    """
    long = {path: sum(sizes) for path, sizes in _sizes(objects).items() if sum(sizes) >= _MANY * len(sizes)}
    return max(long, key=lambda path: long[path], default="")


def _sizes(objects: Sequence[dict[str, Any]]) -> dict[str, list[int]]:
    """The numbers of members of each list of objects, by its path, also of lists within lists."""
    lists: dict[str, list[list[dict[str, Any]]]] = {}
    for each in objects:
        for path, members in object_lists(each).items():
            lists.setdefault(path, []).append(members)
    found: dict[str, list[int]] = {}
    for path, members_of in lists.items():
        found[path] = [len(members) for members in members_of]
        inner = _sizes([member for members in members_of for member in members])
        found.update({f"{path}.{name}": sizes for name, sizes in inner.items()})
    return found

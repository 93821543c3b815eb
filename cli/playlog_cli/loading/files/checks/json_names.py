"""Names of members that no object of a file has: a mistyped name would leave an attribute out of each match. Pure."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any

from playlog_cli.errors import listed, shown
from playlog_cli.loading.files.members import flat, has_member, holders, object_lists


def missing_name(rows: Collection[tuple[dict[str, Any], Iterable[str]]], paths: Iterable[str]) -> str | None:
    """What is wrong with a name that the first rows lack; None if each is there.

    Args:
        rows: the objects of the first rows, each with the names of its members that are null.
        paths: the names that the rows must have.
    """
    for path in paths:
        name = path.partition(".")[0]
        if rows and not any(has_member(values, path) or name in nulls for values, nulls in rows):
            known = list(dict.fromkeys(known for values, _ in rows for known in flat(values)))
            close = get_close_matches(path, known, n=1)
            advice = f" (did you mean {shown(close[0])}?)" if close else ""
            return (
                f"has no row with {shown(path)}{advice}; the names there are {listed(known)}; if rows may lack "
                "it, name it in optional_columns"
            )
    return None


def missing_list(rows: Collection[tuple[dict[str, Any], Collection[str]]], path: str) -> str | None:
    """What is wrong with the path of a list that no object of the first rows has; None if one has it.

    Args:
        rows: the objects of the first rows, each with the names of its members that are null.
        path: of the list.
    """
    name = path.partition(".")[0]
    if not rows or any(
        name in nulls or any(has_member(each, path) for each in holders(values, path)) for values, nulls in rows
    ):
        return None
    known = list(dict.fromkeys(known for values, _ in rows for known in object_lists(values)))
    lists = f"the lists of objects there are {listed(known)}" if known else "its objects have no lists of objects"
    return f"has no list {shown(path)}, in which the log format says that rows are: {lists}"

"""Names of members that no object of a file has: a mistyped name would leave an attribute out of each match. Pure."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any

from playlog_cli.errors import listed, shown
from playlog_cli.loading.files.members import flat, has_member


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

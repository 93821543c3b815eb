"""Members of JSON objects by their paths. Pure."""

from collections.abc import Sequence
from typing import Any

from playlog_cli.loading.files.row import Number


def member_text(values: Any, path: str) -> str:
    """The member of an object as text.

    Args:
        values: the object.
        path: name of the member, or the names of objects and the member with dots between them.

    Returns:
        The text; of a list, its texts with commas between them; blank if there is no such member.

    Example:
        >>> member_text({"song": {"artists": [{"name": "Sia"}, {"name": "Zayn"}]}}, "song.artists.name")
        'Sia, Zayn'
    """
    return _text(_member(values, path))


def records(document: dict[str, Any], paths: Sequence[str]) -> list[dict[str, Any]]:
    """The rows that a document holds: itself, or the objects of its only list, like ``{"rows": [...]}``.

    Args:
        document: the object.
        paths: the members that a row may have.
    """
    if any(member_text(document, path) for path in paths):
        return [document]
    return only_list(document) or [document]


def only_list(document: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The only list of a document, if its members are objects; None otherwise."""
    lists = [value for value in document.values() if isinstance(value, list)]
    if len(lists) != 1 or not lists[0] or not all(isinstance(each, dict) for each in lists[0]):
        return None
    return lists[0]


def holders(document: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """The objects of a document whose lists hold the rows: itself, or the objects of its lists that have such lists.

    Args:
        document: the object.
        path: of the lists.
    """
    if has_member(document, path):
        return [document]
    lists = [value for value in document.values() if has_member(value, path) and isinstance(value, list)]
    return [each for found in lists for each in found if isinstance(each, dict)] or [document]


def rows_in(values: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """Makes a row of each member of a list: a copy of the object around it, with the member in place of the list.

    Args:
        values: the object.
        path: name of the list; or the names of objects or lists, and that of the list, with dots between them.

    Returns:
        The rows; none if there is no such list, or an empty one. What is no list is one row. The members of a list in
        the list are rows as well.

    Example:
        >>> rows_in({"day": "Monday", "songs": [{"title": "Jóga"}, {"title": "Hunter"}]}, "songs")
        [{'day': 'Monday', 'songs': {'title': 'Jóga'}}, {'day': 'Monday', 'songs': {'title': 'Hunter'}}]
    """
    name, _, rest = path.partition(".")
    inner = [
        each
        for member in _listed(values.get(name))
        for each in (rows_in(member, rest) if rest and isinstance(member, dict) else [member])
    ]
    return [{**values, name: each} for each in inner]


def _listed(value: Any) -> list[Any]:
    """The members of a list, and of the lists in it, that are not null; or what is no list."""
    if isinstance(value, list):
        return [member for each in value for member in _listed(each)]
    return [] if value is None else [value]


def object_lists(values: dict[str, Any], prefix: str = "") -> dict[str, list[dict[str, Any]]]:
    """The lists of objects that an object has, also within other objects but not within lists, by their paths.

    Example:
        >>> object_lists({"day": {"songs": [{"title": "Jóga", "artists": [{"name": "Björk"}]}]}, "hosts": []})
        {'day.songs': [{'title': 'Jóga', 'artists': [{'name': 'Björk'}]}]}
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found.update(object_lists(value, f"{prefix}{name}."))
        elif isinstance(value, list) and (objects := [member for member in value if isinstance(member, dict)]):
            found[prefix + name] = objects
    return found


def has_member(values: Any, path: str) -> bool:
    """Whether an object, or one of a list, has the member of a path, also one that is null."""
    if isinstance(values, list):
        return any(has_member(each, path) for each in values)
    if not isinstance(values, dict):
        return False
    name, _, rest = path.partition(".")
    inner = values.get(name, {})
    return path in values or (bool(rest) and (inner is None or has_member(inner, rest)))


def flat(document: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """The members of an object and of the objects in it, by their paths, as texts. Lists are one text.

    Example:
        >>> flat({"played_at": "08:00", "song": {"title": "Jóga"}})
        {'played_at': '08:00', 'song.title': 'Jóga'}
    """
    found: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{prefix}{name}."))
        else:
            found[prefix + name] = _text(value)
    return found


def _member(values: Any, path: str) -> Any:
    if isinstance(values, list):
        return [_member(each, path) for each in values]
    if not isinstance(values, dict):
        return None
    if path in values:
        return values[path]
    name, _, rest = path.partition(".")
    return _member(values[name], rest) if rest and name in values else None


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case Number(text):
            return text
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(filter(None, map(_text, value)))
        case _:
            return ""  # nothing, or an object: the format must name one of its members

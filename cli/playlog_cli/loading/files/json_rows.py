"""Rows of JSON: one object per line, a list, or a document of results. Pure."""

import json
from collections.abc import Iterator

from playlog_cli.errors import shown
from playlog_cli.loading.files.row import LONGEST_LINE, BadRow, Number, Row, Value

# An object with these members, and no match_id, is of the old Django table MatchCache.
_OLD_TABLE = {"id", "processed"}
# Django documentation, "Serialization formats: JSON".
_DUMPED = {"model", "pk", "fields"}
_MOST_LEVELS = 100  # of lists and objects in each other: what reads them calls itself for each
_TOO_DEEP = "the JSON is nested too deeply: DynamoDB takes 32 levels"
_FOREIGN_KEYS = ("track", "station", "station_program")


def json_rows(lines: Iterator[bytes]) -> Iterator[Row | BadRow]:
    """An object per line. Blank lines are ignored."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield json_row(number, line)


def json_row(number: int, text: bytes) -> Row | BadRow:
    """The row that an object of JSON is.

    Args:
        number: of the line on which it begins.
        text: the object.
    """
    try:
        values = json_object(text)
    except BrokenJsonError as broken:
        return BadRow(number, str(broken))
    nulls = tuple(name for name, value in values.items() if value is None)
    values = {name: value for name, value in values.items() if value is not None}
    if values.keys() == _DUMPED and isinstance(values["fields"], dict):
        values = _of_dump(values)
    return Row(number, values, is_of_old_table=values.keys() >= _OLD_TABLE and "match_id" not in values, nulls=nulls)


def _of_dump(values: dict[str, Value]) -> dict[str, Value]:
    """The row that an object of Django's ``dumpdata`` is, which names a foreign key without ``_id``."""
    fields = {name: value for name, value in values["fields"].items() if value is not None}
    renamed = {f"{name}_id" if name in _FOREIGN_KEYS else name: value for name, value in fields.items()}
    return {"id": values["pk"], **renamed}


class BrokenJsonError(Exception):
    """A text is no JSON object that can be read: says why."""


def json_object(line: bytes) -> dict[str, Value]:
    """Reads an object of JSON.

    Raises:
        BrokenJsonError: it is none.
    """
    if len(line) >= LONGEST_LINE:
        raise BrokenJsonError(f"the line is over {LONGEST_LINE:,} bytes long: a match must stay under 350 KB")
    try:
        values = json.loads(
            line.rstrip(b"\r\n").decode(),
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_twins,
        )
    except UnicodeDecodeError as error:
        raise BrokenJsonError(f"byte {error.start + 1} of the line is not UTF-8: save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise BrokenJsonError(f"broken JSON, {error.msg} at column {error.colno}: write one object") from None
    except RecursionError:
        raise BrokenJsonError(_TOO_DEEP) from None
    if not isinstance(values, dict):
        raise BrokenJsonError(f"the line is {shown(line.decode().strip())}: it must be a JSON object")
    if line.count(b"[") + line.count(b"{") > _MOST_LEVELS and _is_too_deep(values):
        raise BrokenJsonError(_TOO_DEEP)
    return values


def _is_too_deep(values: Value) -> bool:
    level = [values]
    for _ in range(_MOST_LEVELS):
        members = [member for each in level for member in (each.values() if isinstance(each, dict) else each)]
        level = [member for member in members if isinstance(member, (dict, list))]
    return bool(level)


def _refuse_constant(name: str) -> None:
    raise BrokenJsonError(f"{name} is no JSON number: write a number, or null")


def _without_twins(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise BrokenJsonError(f"the object names {shown(twin)} twice: name it once")
    return values


def is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

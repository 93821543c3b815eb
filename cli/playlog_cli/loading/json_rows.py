"""Rows of JSON: one object per line, a list, or a document of results. Pure."""

import json
import re
from collections.abc import Iterator

from playlog_cli.errors import shown
from playlog_cli.loading.row import LONGEST_LINE, BadRow, Number, Row, RowsError, Value

# What tells where an object of JSON begins and ends: brackets, but for those in a text.
_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')


_BETWEEN_OBJECTS = re.compile(rb"[\s,\[\]]*")


def json_rows(lines: Iterator[bytes]) -> Iterator[Row | BadRow]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _json_row(number, line)


def is_document(start: bytes) -> bool:
    """Whether JSON that begins like this goes on where its first line ends, so that it is no object per line."""
    first_line, is_ended, _ = start.partition(b"\n")
    goes_on = is_ended and first_line.rstrip().endswith((b"{", b"[", b",", b":"))
    return start.startswith(b"[") or (start.startswith(b"{") and bool(goes_on))


def document_rows(lines: Iterator[bytes]) -> Iterator[Row | BadRow]:
    """The outermost objects, each as soon as it ends, wherever lines break."""
    text, begins, depth, number = bytearray(), 0, 0, 0
    for number, line in enumerate(lines, start=1):
        if len(line) == LONGEST_LINE:
            raise RowsError(f"line {number} is over {LONGEST_LINE:,} bytes long: write an object per line")
        start = 0
        for token in _JSON_TOKEN.finditer(line):
            mark = token.group()
            if mark == b"{" and not depth:
                yield from _stray(number, line[start : token.start()])
                start, begins, depth = token.start(), number, 1
            elif mark in (b"{", b"[") and depth:
                depth += 1
            elif mark in (b"}", b"]") and depth:
                depth -= 1
                if not depth:
                    yield _json_row(begins, bytes(text + line[start : token.end()]))
                    text, start = bytearray(), token.end()
        if depth and len(text) < LONGEST_LINE:
            text += line[start:]
        elif not depth:
            yield from _stray(number, line[start:])
    if depth:
        yield BadRow(begins, f"broken JSON, the object is not closed up to line {number}, the last: close it")


def _stray(number: int, text: bytes) -> Iterator[BadRow]:
    """What stands between two objects and is no part of a list."""
    if not _BETWEEN_OBJECTS.fullmatch(text):
        found = shown(text.strip().decode(errors="replace"))
        yield BadRow(number, f"broken JSON, {found} stands outside of an object: a row must be an object")


def _json_row(number: int, text: bytes) -> Row | BadRow:
    try:
        values = json_object(text)
    except BrokenJsonError as broken:
        return BadRow(number, str(broken))
    return Row(number, {name: value for name, value in values.items() if value is not None})


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
        raise BrokenJsonError("the JSON is nested too deeply: DynamoDB takes 32 levels") from None
    if not isinstance(values, dict):
        raise BrokenJsonError(f"the line is {shown(line.decode().strip())}: it must be a JSON object")
    return values


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

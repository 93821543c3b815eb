"""Objects of JSON wherever lines break: in lists, in documents of any size, or one right after the other. Pure.

An object is found by its brackets, and not by a parser of whole documents. So a broken object costs only itself, each
row has its line, and memory does not grow with the document.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from playlog_cli.errors import listed, shown
from playlog_cli.loading.files.json_rows import BrokenJsonError, json_object, json_row
from playlog_cli.loading.files.row import LONGEST_LINE, BadRow, Row

# What tells where an object begins and ends: brackets, but not those in a text.
_TOKEN = re.compile(rb'["\[\]{}]')
_IN_TEXT = re.compile(rb'\\.|"', re.DOTALL)
_BETWEEN_OBJECTS = re.compile(rb"[\s,\[\]]*")
_BETWEEN_MEMBERS = re.compile(rb"(?:[\s,]|null\b)*")
# A document of results, `{"data": [...]}`, that is larger than this is read result by result.
_LARGE = LONGEST_LINE // 4
_OPENING_BYTES = 64 * 1024  # in which the list of such a document begins
_DATA = re.compile(rb'"data"\s*:\s*\[\Z')
_OBJECT = re.compile(rb"\s*\{")
_SECOND_LIST = (
    "the document has objects in a list after its long one, which were not read: write each list into a file of its own"
)


@dataclass(slots=True)
class _Scan:
    """How far a document has been scanned.

    Attributes:
        text: what is not part of a finished object yet.
        position: in ``text``, up to which brackets were counted.
        depth: number of open brackets at that position.
        begins: line on which the open object begins.
        line: line at the position.
        list_at: where the members of the open object's list begin, if the position is in one; else 0.
        wanted: names of the members of a large document that its rows need.
        outer: the beginning of a large document whose members are read one by one; empty if there is none.
        is_tail: whether the open object is the rest of a large document, after its members.
        is_single: whether the open object is large, and not a document of results.
        in_text: whether the position is in a text, where brackets do not count.
        is_too_large: whether the open object is larger than any match, so that its text is not kept.
    """

    wanted: Collection[str] = ()
    text: bytearray = field(default_factory=bytearray)
    position: int = 0
    depth: int = 0
    begins: int = 1
    line: int = 1
    list_at: int = 0
    outer: bytes = b""
    is_tail: bool = False
    is_too_large: bool = False
    is_single: bool = False
    in_text: bool = False


def document_rows(
    chunks: Iterator[bytes], *, has_any_list: bool = False, wanted: Collection[str] = ()
) -> Iterator[Row | BadRow]:
    """The outermost objects, each as soon as it ends.

    Args:
        chunks: the text, as UTF-8.
        has_any_list: whether the rows of a large document may be in a list of any name, and not only in `data`.
        wanted: names of the members of a document that the rows in its list need.
    """
    scan = _Scan(wanted)
    for chunk in chunks:
        scan.text += chunk
        yield from _finished(scan)
        if scan.depth and len(scan.text) > _LARGE and not (scan.outer or scan.is_single):
            yield from _open_large(scan, has_any_list=has_any_list)
        if scan.depth and len(scan.text) > LONGEST_LINE:
            scan.is_too_large = True
            del scan.text[: scan.position]
            scan.position = 0
        elif len(scan.text) > LONGEST_LINE:
            yield from _stray(scan, bytes(scan.text[: scan.position]))
            del scan.text[: scan.position]
            scan.position = 0
    if scan.depth or scan.outer:
        yield BadRow(scan.begins, f"broken JSON, the object is not closed up to line {scan.line}, the last: close it")
    else:
        yield from _stray(scan, bytes(scan.text))


def _finished(scan: _Scan) -> Iterator[Row | BadRow]:
    """The objects that end in the text. Removes them from it."""
    start = 0
    while token := (_IN_TEXT if scan.in_text else _TOKEN).search(scan.text, scan.position):
        mark, at = token.group(), token.start()
        scan.line += scan.text.count(b"\n", scan.position, token.end())
        scan.position = token.end()
        if mark == b'"':
            scan.in_text = not scan.in_text
        elif scan.in_text:
            continue  # an escape
        elif mark == b"{" and not scan.depth:
            yield from _stray(scan, bytes(scan.text[start:at]))
            start, scan.begins, scan.depth = at, scan.line, 1
        elif mark in (b"{", b"[") and scan.depth:
            if scan.depth == 1:
                scan.list_at = token.end() if mark == b"[" else 0
            scan.depth += 1
        elif mark in (b"}", b"]") and scan.depth:
            scan.depth -= 1
            if scan.depth == 1:
                scan.list_at = 0
            elif not scan.depth:
                yield from _ended(scan, bytes(scan.text[start : token.end()]))
                start, scan.is_tail, scan.is_too_large, scan.is_single = token.end(), False, False, False
        elif mark == b"]" and scan.outer:
            yield from _stray(scan, bytes(scan.text[start:at]))
            scan.is_tail, scan.depth, scan.begins = True, 1, scan.line
            start = token.end()
    # A backslash at the end belongs to the next chunk.
    end = len(scan.text) - (scan.in_text and scan.text.endswith(b"\\"))
    scan.line += scan.text.count(b"\n", scan.position, end)
    scan.position = max(end, scan.position)
    del scan.text[:start]
    scan.position -= start
    scan.list_at -= start if scan.list_at else 0


def _open_large(scan: _Scan, *, has_any_list: bool) -> Iterator[Row | BadRow]:
    """Reads the members of the open list one by one from here on, if the open object is a document of results."""
    opening = bytes(scan.text[: scan.list_at])
    is_list = bool(_DATA.search(opening)) or (has_any_list and bool(_OBJECT.match(scan.text, scan.list_at)))
    if not opening or len(opening) > _OPENING_BYTES or not is_list:
        scan.is_single = True
        return
    if len(scan.text) <= LONGEST_LINE and _may_lack(opening, scan.wanted):
        return  # until it is too large to be read as a whole
    scan.outer = opening
    scan.line, scan.depth = scan.begins + scan.outer.count(b"\n"), 0
    del scan.text[: len(opening)]
    scan.position, scan.in_text = 0, False
    yield from _finished(scan)


def _may_lack(opening: bytes, wanted: Collection[str]) -> bool:
    """Whether what rows need of a large document may stand after its list."""
    try:
        names = list(json_object(opening + b"]}"))
    except BrokenJsonError:
        return False
    return names[-1] in wanted and any(name not in names for name in wanted)


def _ended(scan: _Scan, text: bytes) -> Iterator[Row | BadRow]:
    """The row that an ended object is. The rest of a large document is none, but its rows must not need it."""
    if scan.is_tail:
        if problem := _SECOND_LIST if scan.is_too_large else _tail_problem(scan, text):
            yield BadRow(scan.begins, problem)
        scan.outer = b""
    elif scan.is_too_large:
        yield BadRow(scan.begins, f"the object is over {LONGEST_LINE:,} bytes long: a match must stay under 350 KB")
    else:
        yield json_row(scan.begins, scan.outer + text + b"]}" if scan.outer else text)


def _tail_problem(scan: _Scan, text: bytes) -> str | None:
    """What is wrong with the rest of a large document, after its long list; None if nothing is."""
    try:
        before = json_object(scan.outer + b"]}")
        whole = json_object(scan.outer + b"]" + text)
    except BrokenJsonError as broken:
        return f"after the long list, {broken}"
    after = {name: value for name, value in whole.items() if name not in before and value is not None}
    if any(isinstance(each, dict) for value in after.values() if isinstance(value, list) for each in value):
        return _SECOND_LIST
    late = [name for name in after if name in scan.wanted]
    if late and list(before)[-1] in scan.wanted:
        return (
            f"the document has {listed(late)} after its long list, whose rows were read without it: take the load "
            "back, and write it in front of the list"
        )
    return None


def _stray(scan: _Scan, text: bytes) -> Iterator[BadRow]:
    """What is between two objects and not part of a list."""
    nothing = _BETWEEN_MEMBERS if scan.outer else _BETWEEN_OBJECTS
    if not nothing.fullmatch(text):
        before = nothing.match(text)
        number = scan.line - text.count(b"\n") + (before[0].count(b"\n") if before else 0)
        found = shown(text.strip(b" \t\r\n,").decode(errors="replace"))
        yield BadRow(number, f"broken JSON, {found} stands outside of an object: a row must be an object")

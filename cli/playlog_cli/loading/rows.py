"""From a file's bytes to rows: CSV with a header or JSON, gzipped or not, with the lines that rows begin on.

Rows are read as they are asked for, so that memory does not grow with the file. What a row must hold to become a match
is none of this module's business: see ``matches``.
"""

import csv
import gzip
import io
import json
import os
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from playlog.schema import VALIDATED_TYPES

from playlog_cli.errors import shown

if TYPE_CHECKING:
    from _csv import Reader

STDIN = Path("-")
LONGEST_LINE = 4 * 1024 * 1024  # bytes: a match of 350 KB fits, however it is escaped; without line breaks nothing does
LONGEST_CELL = 400 * 1024  # characters

# With these columns, and no match_id, a file is of the old Django table MatchCache.
_OLD_TABLE = {"id", "processed", "failed_reason"}
_OLD_COLUMNS = (*sorted(_OLD_TABLE), "track_id", "station_id", "matched_at")
# What tells where an object of JSON begins and ends: brackets, but for those in a text.
_JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_BETWEEN_OBJECTS = re.compile(rb"[\s,\[\]]*")

# None, bool, Number, str, and lists and dicts of them.
Value: TypeAlias = Any


class RowsError(Exception):
    """The file cannot be read, or not any further. The message says why, without the file's name."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as the file writes it, or what stands where a number should: ``matches`` decides what it is worth."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by column.

    Attributes:
        line: physical line of the file, from 1, on which the row begins.
        values: as the file has them, without those that are empty (CSV) or null (JSON).
        is_of_old_table: whether the columns are those of the old Django table MatchCache.
    """

    line: int
    values: dict[str, Value]
    is_of_old_table: bool = False


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not loaded.

    Attributes:
        line: physical line of the file, from 1, on which the row begins.
        problem: what is wrong with which value, and what would be right.
    """

    line: int
    problem: str


class _CountedFile(io.FileIO):
    """A file that knows how far it has been read, be it a pipe."""

    bytes_read = 0

    def readinto(self, buffer: Any, /) -> int | None:
        count = super().readinto(buffer)
        self.bytes_read += count or 0
        return count


@dataclass(frozen=True)
class Source:
    """An open file of matches.

    Attributes:
        name: of the file, without its folder.
        is_gzip: whether ``content`` is unpacked on the way.
        bytes_total: its size on the disk; None for a pipe.
    """

    name: str
    is_gzip: bool
    bytes_total: int | None
    file: _CountedFile
    content: BinaryIO

    @property
    def bytes_read(self) -> int:
        """Bytes of the file, as it lies on the disk, that have been read."""
        return self.file.bytes_read


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Opens a file of matches, unpacking it where it is gzipped, whatever it is called.

    Args:
        path: the file, or ``STDIN``.

    Raises:
        OSError: it cannot be opened.
    """
    counted = _CountedFile(sys.stdin.fileno(), closefd=False) if path == STDIN else _CountedFile(path)
    with counted, io.BufferedReader(counted) as raw:
        is_gzip = raw.peek(2)[:2] == b"\x1f\x8b"
        with io.BufferedReader(gzip.GzipFile(fileobj=raw)) if is_gzip else raw as content:
            status = os.fstat(counted.fileno())
            yield Source(path.name, is_gzip, status.st_size if S_ISREG(status.st_mode) else None, counted, content)


def check_intact(path: Path) -> None:
    """Reads a gzipped file to its end, where its checksum is: a damaged one gives rows too, and wrong ones.

    A pipe cannot be read twice and passes unchecked.

    Raises:
        RowsError: it is damaged.
        OSError: it cannot be opened.
    """
    if not path.is_file():
        return
    with opened(path) as source, _readable():
        while source.is_gzip and source.content.read(1024 * 1024):
            pass


def read_rows(source: Source) -> Iterator[Row | BadRow]:
    """Reads a file to its end; blank lines are no rows.

    It is JSON if its name says so (.jsonl, .ndjson, .json) or if it begins with a brace or a bracket, else CSV. JSON is
    an object a line, or documents over many lines, in lists or not; each outermost object is a row.

    Raises:
        RowsError: it is empty, has no usable header, or cannot be read to its end.
    """
    with _readable():
        start = source.content.peek(1024).removeprefix(b"\xef\xbb\xbf").lstrip()  # type: ignore[attr-defined]
        if not start:
            raise RowsError("is empty: it must hold a row per match")
        suffixes = PurePath(source.name.lower().removesuffix(".gz")).suffixes[-1:]
        lines = _lines(source.content)
        if _is_document(start):
            yield from _document_rows(lines)
        elif start.startswith(b"{") or suffixes in ([".jsonl"], [".ndjson"], [".json"]):
            yield from _json_rows(lines)
        else:
            yield from _csv_rows(lines)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise RowsError(f"is a broken gzip file ({error}): fetch it again") from None
    except OSError as error:
        raise RowsError(f"cannot be read: {error.strerror or error}") from None


def _lines(content: BinaryIO) -> Iterator[bytes]:
    """The lines, ends included, without a byte order mark. One that is too long comes cut to ``LONGEST_LINE``."""
    start = content.readline(LONGEST_LINE).removeprefix(b"\xef\xbb\xbf")
    while line := start or content.readline(LONGEST_LINE):
        yield line
        start = b""
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = content.readline(LONGEST_LINE)


def _csv_rows(lines: Iterator[bytes]) -> Iterator[Row | BadRow]:
    csv.field_size_limit(LONGEST_CELL)  # the module's own limit is lower, and a quote left open must end somewhere
    # Bytes that are no UTF-8 pass as lone surrogates, so that the row they stand in is still told from its neighbours.
    reader = csv.reader((line.decode(errors="surrogateescape") for line in lines), strict=True)
    header = _header(reader)
    is_of_old_table = set(header) >= _OLD_TABLE and "match_id" not in header
    if is_of_old_table and (missing := [name for name in _OLD_COLUMNS if name not in header]):
        raise RowsError(f"has the columns of the old table MatchCache, but for {missing[0]}: export that as well")
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, _broken_csv(error, line, reader.line_num))
            continue
        if not cells:
            continue
        if problem := _cells_problem(cells, header):
            yield BadRow(line, problem)
        else:
            values = {name: _cell(name, cell) for name, cell in zip(header, cells, strict=True) if cell}
            yield Row(line, values, is_of_old_table)


def _header(reader: "Reader") -> list[str]:
    try:
        header = [name.strip() for name in next(filter(None, reader))]
    except csv.Error as error:
        raise RowsError(f"line {reader.line_num}: the header is {_broken_csv(error, 1, 1)}") from None
    where = f"line {reader.line_num}: the header"
    if not _is_utf8("".join(header)):
        raise RowsError(f"{where} is not UTF-8: save the file as UTF-8")
    if "" in header:
        raise RowsError(f"{where} has no name for column {header.index('') + 1}: each column needs one")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise RowsError(f"{where} names column {twice[0]} twice: each column needs a name of its own")
    if "matched_at" not in header:
        raise RowsError(
            f"{where} has no column matched_at but {shown(', '.join(header))}: "
            "the first line must name the columns, with commas between them"
        )
    return header


def _cells_problem(cells: list[str], header: list[str]) -> str | None:
    if len(cells) != len(header):
        return (
            f"the row has {len(cells)} cells and the header {len(header)}: "
            "give each column one cell, and put a cell with a comma in quotes"
        )
    if not _is_utf8("".join(cells)):
        name, cell = next(each for each in zip(header, cells, strict=True) if not _is_utf8(each[1]))
        return f"{name} is {shown(cell)}, which is not UTF-8: save the file as UTF-8"
    return None


def _cell(name: str, cell: str) -> Value:
    """What JSON would say: CSV has no types, so that the contract's have to tell."""
    match VALIDATED_TYPES.get(name):
        case "N":
            return Number(cell)
        case "BOOL" if cell.lower() in ("true", "false"):
            return cell.lower() == "true"
        case _:
            return cell


def _broken_csv(error: csv.Error, first: int, last: int) -> str:
    where = f" (the row goes on to line {last})" if last > first else ""
    return f"broken CSV, {error}{where}: put a cell with quotes, commas or line breaks in quotes, and double its quotes"


def _json_rows(lines: Iterator[bytes]) -> Iterator[Row | BadRow]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _json_row(number, line)


def _is_document(start: bytes) -> bool:
    """Whether JSON that begins like this goes on where its first line ends, so that it is no object per line."""
    first_line, is_ended, _ = start.partition(b"\n")
    goes_on = is_ended and first_line.rstrip().endswith((b"{", b"[", b",", b":"))
    return start.startswith(b"[") or (start.startswith(b"{") and bool(goes_on))


def _document_rows(lines: Iterator[bytes]) -> Iterator[Row | BadRow]:
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


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

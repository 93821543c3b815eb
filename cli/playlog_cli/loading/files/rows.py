"""From a file's bytes to rows: CSV with a header or JSON, packed or not, with the lines that rows begin on.

Rows are read one by one, so that memory does not grow with the file. ``matches`` says what a row must hold.
"""

import bz2
import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from stat import S_ISREG
from typing import Any, BinaryIO

from playlog_cli.loading.files.csv_rows import csv_rows
from playlog_cli.loading.files.json_documents import document_rows
from playlog_cli.loading.files.json_rows import json_rows
from playlog_cli.loading.files.row import BadRow, Row, RowsError
from playlog_cli.loading.files.text import lines_of, utf8_chunks

STDIN = Path("-")
# By the first bytes of the file (RFC 1952; The .xz File Format 1.2; bzip2's manual).
_PACKED: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
_ARCHIVES = {
    b"PK\x03\x04": "ZIP or XLSX",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
}


class _CountedFile(io.FileIO):
    """A file, or a pipe, that knows how far it has been read."""

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
        is_packed: whether ``content`` is unpacked on the way.
        bytes_total: its size on the disk; None for a pipe.
    """

    name: str
    is_packed: bool
    bytes_total: int | None
    file: _CountedFile
    content: BinaryIO

    @property
    def bytes_read(self) -> int:
        """Bytes of the file, as it lies on the disk, that have been read."""
        return self.file.bytes_read


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Opens a file of matches, and unpacks gzip, xz and bzip2, whatever the file is called.

    Args:
        path: the file, or ``STDIN``.

    Raises:
        OSError: it cannot be opened.
    """
    counted = _CountedFile(sys.stdin.fileno(), closefd=False) if path == STDIN else _CountedFile(path)
    with counted, io.BufferedReader(counted) as raw:
        start = raw.peek(8)
        unpack = next((unpack for mark, unpack in _PACKED.items() if start.startswith(mark)), None)
        with io.BufferedReader(unpack(raw)) if unpack else raw as content:
            status = os.fstat(counted.fileno())
            size = status.st_size if S_ISREG(status.st_mode) else None
            yield Source(path.name, unpack is not None, size, counted, content)


def check_intact(path: Path) -> None:
    """Reads a packed file to its end, where its checksum is: a damaged one gives rows too, and wrong ones.

    A pipe cannot be read twice and passes unchecked.

    Raises:
        RowsError: it is damaged.
        OSError: it cannot be opened.
    """
    if not path.is_file():
        return
    with opened(path) as source, readable():
        while source.is_packed and source.content.read(1024 * 1024):
            pass


def read_rows(source: Source, encoding: str | None = None) -> Iterator[Row | BadRow]:
    """Reads a file to its end. Blank lines are ignored.

    It is JSON if its name says so (.jsonl, .ndjson, .json) or if it begins with a brace or a bracket, else CSV. JSON is
    an object per line, or objects in lists and documents; each outermost object is a row.

    Args:
        source: the file.
        encoding: of its text; None for UTF-8, or for UTF-16 with a byte order mark.

    Raises:
        RowsError: it is empty, has no usable header, or cannot be read to its end.
    """
    with readable():
        start, chunks = text_start(source, encoding)
        suffixes = PurePath(_unpacked_name(source.name)).suffixes[-1:]
        if start.startswith((b"{", b"[")) or suffixes in ([".jsonl"], [".ndjson"], [".json"]):
            yield from json_rows_of(start, chunks)
        else:
            yield from csv_rows(lines_of(chunks))


def text_start(source: Source, encoding: str | None) -> tuple[bytes, Iterator[bytes]]:
    """Reads the beginning of a file of text.

    Args:
        source: the file.
        encoding: of its text; None for UTF-8, or for UTF-16 with a byte order mark.

    Returns:
        The beginning without leading space, and the whole text in chunks, as UTF-8.

    Raises:
        RowsError: it is empty, an archive, or not of the encoding.
    """
    chunks = utf8_chunks(source.content, encoding)
    start = next(chunks, b"")
    while not start.strip() and (more := next(chunks, b"")):
        start += more
    if not start.strip():
        raise RowsError("is empty: it must hold a row per match")
    if archive := _archive_of(start):
        raise RowsError(f"is a {archive} file: unpack it, and load the files in it")
    return start.lstrip(), chain([start], chunks)


def json_rows_of(start: bytes, chunks: Iterator[bytes]) -> Iterator[Row | BadRow]:
    """The rows of JSON, an object per line or otherwise.

    Args:
        start: its beginning, without leading space.
        chunks: the whole text, as UTF-8.
    """
    if start.startswith((b"{", b"[")) and _is_document(start):
        return document_rows(chunks)
    return json_rows(lines_of(chunks))


def _is_document(start: bytes) -> bool:
    """Whether JSON that begins like this is something else than an object per line."""
    line, is_ended, _ = start.partition(b"\n")
    if start.startswith(b"[") or not is_ended:
        return True
    return line.rstrip().endswith((b"{", b"[", b",", b":")) or b"}{" in line.replace(b" ", b"")


def _unpacked_name(name: str) -> str:
    return name.lower().removesuffix(".gz").removesuffix(".xz").removesuffix(".bz2")


def _archive_of(start: bytes) -> str | None:
    """What kind of archive begins like this; None if it is text."""
    return next((name for mark, name in _ARCHIVES.items() if start.startswith(mark)), None)


@contextmanager
def readable() -> Iterator[None]:
    """Turns what goes wrong while a file is read into a ``RowsError``."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        raise RowsError(f"is a broken packed file ({error}): fetch it again") from None
    except OSError as error:
        raise RowsError(f"cannot be read: {error.strerror or error}") from None

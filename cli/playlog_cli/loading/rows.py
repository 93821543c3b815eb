"""From a file's bytes to rows: CSV with a header or JSON, gzipped or not, with the lines that rows begin on.

Rows are read as they are asked for, so that memory does not grow with the file. What a row must hold to become a match
is none of this module's business: see ``matches``.
"""

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from stat import S_ISREG
from typing import Any, BinaryIO

from playlog_cli.loading.csv_rows import csv_rows
from playlog_cli.loading.json_rows import document_rows, is_document, json_rows
from playlog_cli.loading.row import LONGEST_LINE, BadRow, Row, RowsError

STDIN = Path("-")


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
        if is_document(start):
            yield from document_rows(lines)
        elif start.startswith(b"{") or suffixes in ([".jsonl"], [".ndjson"], [".json"]):
            yield from json_rows(lines)
        else:
            yield from csv_rows(lines)


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

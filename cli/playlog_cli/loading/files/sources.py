"""Open a file, unpacked, with how far it has been read."""

import bz2
import gzip
import io
import lzma
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import Any, BinaryIO, cast

from playlog_cli.loading.files.row import RowsError
from playlog_cli.loading.files.zip_names import member_name

STDIN = Path("-")
START_BYTES = 128
# By the first bytes of the file (RFC 1952; The .xz File Format 1.2; bzip2's manual).
_PACKED: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
_ENCRYPTED = 0x1  # flag bit of a member (APPNOTE.TXT - .ZIP File Format Specification, 4.4.4)


class _CountedFile(io.FileIO):
    """A file, or a pipe, that knows how far it has been read, and at its end whether somebody wrote to it meanwhile."""

    bytes_read = 0
    status: os.stat_result | None = None

    def readinto(self, buffer: Any, /) -> int | None:
        count = super().readinto(buffer)
        self.bytes_read += count or 0
        if count == 0 and self.status is not None:
            self._check_unchanged(self.status)
        return count

    def _check_unchanged(self, before: os.stat_result) -> None:
        """Checks that a file is as it was, before its last line is taken for a whole one.

        Raises:
            RowsError: somebody wrote to it.
        """
        now = os.fstat(self.fileno())
        if (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            raise RowsError(
                "was changed while it was read: load it again once it is complete, which adds what is missing"
            )


@dataclass(frozen=True)
class Source:
    """An open file of matches.

    Attributes:
        name: of the file, without its folder.
        is_packed: whether ``content`` is unpacked on the way.
        bytes_total: its size on the disk, or unpacked for a member of a ZIP file; None for a pipe.
        start: the first bytes of the content.
        content: the file, unpacked.
        position: says how many of ``bytes_total`` have been read.
    """

    name: str
    is_packed: bool
    bytes_total: int | None
    start: bytes
    content: BinaryIO
    position: Callable[[], int]

    @property
    def bytes_read(self) -> int:
        """Bytes that have been read, counted like ``bytes_total``."""
        return self.position()


@contextmanager
def opened(path: Path, member: str | None = None) -> Iterator[Source]:
    """Opens a file of matches, and unpacks gzip, xz and bzip2, whatever the file is called.

    Args:
        path: the file, or ``STDIN``.
        member: of the ZIP file at ``path``; None for a file that is not one.

    Raises:
        RowsError: it cannot be opened, or the ZIP file is broken or encrypted.
    """
    if member is not None:
        with readable():  # not around the yield: what goes wrong there is of the caller
            archive = open_zip(path)
            try:
                info = archive.getinfo(member)
            except KeyError:
                raise RowsError("is no longer in the ZIP file: load that again") from None
            if archive.namelist().count(member) > 1:
                raise RowsError("is the name of several files in the ZIP file: unpack it, and load the files in it")
            if info.flag_bits & _ENCRYPTED:
                raise RowsError("is encrypted: unpack the ZIP file with its password, and load the files in it")
            packed = archive.open(info)
        with archive, packed, io.BufferedReader(cast("io.RawIOBase", packed)) as raw:
            yield from _unpacked(
                PurePosixPath(member_name(info)).name, raw, info.file_size, packed.tell, is_packed=True
            )
        return
    with readable():
        counted = _CountedFile(sys.stdin.fileno(), closefd=False) if path == STDIN else _CountedFile(path)
        status = os.fstat(counted.fileno())
    with counted, io.BufferedReader(counted) as raw:
        size = status.st_size if S_ISREG(status.st_mode) else None
        counted.status = status if S_ISREG(status.st_mode) else None
        yield from _unpacked(path.name, raw, size, lambda: counted.bytes_read, is_packed=False)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Opens a ZIP file.

    Args:
        path: the file, which begins like a ZIP file.

    Raises:
        BadZipFile: it is broken. The module ``zipfile`` takes the list of a ZIP file within a cut one for its own.
    """
    archive = zipfile.ZipFile(path)
    if min((info.header_offset for info in archive.infolist()), default=0) > 0:
        archive.close()
        raise zipfile.BadZipFile("its list of files is missing")
    return archive


def _unpacked(
    name: str, raw: "io.BufferedReader[Any]", size: int | None, position: Callable[[], int], *, is_packed: bool
) -> Iterator[Source]:
    with readable():
        start = raw.peek(START_BYTES)
    unpack = next((unpack for mark, unpack in _PACKED.items() if start.startswith(mark)), None)
    with io.BufferedReader(unpack(raw)) if unpack else raw as content:
        with readable():
            start = content.peek(START_BYTES)
        yield Source(name, is_packed or unpack is not None, size, start, content, position)


def check_intact(path: Path, member: str | None = None) -> None:
    """Reads a packed file to its end, where its checksum is: a damaged one gives rows too, and wrong ones.

    A pipe cannot be read twice and passes unchecked.

    Args:
        path: the file.
        member: of the ZIP file at ``path``; None for a file that is not one.

    Raises:
        RowsError: it is damaged, or cannot be opened.
    """
    if not path.is_file():
        return
    with opened(path, member) as source, readable():
        while source.is_packed and source.content.read(1024 * 1024):
            pass


@contextmanager
def readable() -> Iterator[None]:
    """Turns what goes wrong while a file is read into a ``RowsError``."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        why = f" ({error})" if str(error) else ""
        raise RowsError(f"is a broken packed file{why}: fetch it again") from None
    except OSError as error:
        raise RowsError(f"cannot be read: {error.strerror or error}") from None

"""The text of a file: its encoding, its lines, and the delimiter of its columns. Pure, except for reading the file."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from playlog_cli.errors import shown
from playlog_cli.loading.files.row import LONGEST_LINE, RowsError

DELIMITERS = ",;\t|"
_CHUNK_BYTES = 64 * 1024
# Byte order marks (Unicode Standard, 23.8). UTF-32's little-endian mark begins like UTF-16's, but no program writes it.
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
ENCODING_ADVICE = "save the file as UTF-8, or name its encoding with --encoding, like --encoding latin-1"


def utf8_chunks(content: BinaryIO, encoding: str | None) -> Iterator[bytes]:
    """Reads a file as UTF-8, without its byte order mark, chunk by chunk.

    Args:
        content: the file from its beginning.
        encoding: how its text is encoded; None for UTF-8, or for UTF-16 with a byte order mark.

    Raises:
        RowsError: the text is not of this encoding.
    """
    start = content.read(_CHUNK_BYTES)
    mark, marked = next(((mark, name) for mark, name in _MARKS if start.startswith(mark)), (b"", None))
    name = marked or codecs.lookup(encoding or "utf-8").name
    start = start.removeprefix(mark)
    if name == "utf-8":
        yield start
        while chunk := content.read(_CHUNK_BYTES):
            yield chunk
        return
    # A byte that is not of the encoding passes as it is, so that only its row is bad. In UTF-16 all after it would be.
    errors = "strict" if name.startswith("utf-16") else "surrogateescape"
    decoder = codecs.getincrementaldecoder(name)(errors)
    is_doubtful = _is_single_byte(name)
    try:
        while start:
            if is_doubtful and not start.isascii():
                if _is_utf8(start):
                    raise RowsError(f"is UTF-8, and not {name}: leave the encoding out")
                is_doubtful = False
            yield decoder.decode(start).encode(errors=errors)
            start = content.read(_CHUNK_BYTES)
        yield decoder.decode(b"", final=True).encode(errors=errors)
    except UnicodeDecodeError as error:
        raise RowsError(f"is not {name} ({error.reason}): {ENCODING_ADVICE}") from None


def _is_single_byte(name: str) -> bool:
    """Whether each byte is a character in an encoding, as in Latin-1."""
    return len(bytes(range(0x80, 0x100)).decode(name, errors="replace")) == 0x80


def _is_utf8(start: bytes) -> bool:
    """Whether a text is UTF-8. No words in a single-byte encoding with a letter beyond ASCII happen to be that."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def encoding_problem(name: str, where: str) -> str | None:
    """Why an encoding cannot be used; None if it can.

    Args:
        name: of the encoding.
        where: the option or key that names it.
    """
    try:
        codecs.getincrementaldecoder(name)()
        "".encode(name)  # fails for codecs that are no encodings of text, like base64
    except (LookupError, TypeError, ValueError):
        return f"{where} is {shown(name)}: it must be the name of an encoding, like latin-1, cp1252 or mac-roman"
    return None


def lines_of(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The lines, with their ends (LF, CR LF or CR). A line that is too long is cut to ``LONGEST_LINE``."""
    rest, cut = b"", False
    for chunk in chunks:
        *lines, rest = (rest + chunk).splitlines(keepends=True) or [b""]
        if rest.endswith(b"\n"):
            lines, rest = [*lines, rest], b""
        for line in lines:
            if not cut:
                yield line
            cut = False
        if len(rest) >= LONGEST_LINE:
            if not cut:
                yield rest[:LONGEST_LINE]
            rest, cut = b"", True
    if rest and not cut:
        yield rest


def delimiter_of(header: str) -> str:
    """The delimiter of a header line: the one of comma, semicolon, tab and pipe that is there most often."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)

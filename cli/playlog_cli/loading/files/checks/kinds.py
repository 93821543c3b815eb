"""What a file is that is no text with rows, by its first bytes. Pure."""

import re

_ARCHIVES = {
    b"PK\x03\x04": "ZIP",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
}
_TAR = (257, b"ustar")  # POSIX.1-2024, pax, "ustar Interchange Format"
_DOCUMENTS = {b"%PDF-": "PDF", b"{\\rtf": "RTF"}
_MARKUP = re.compile(rb"<(!doctype|html|head|table|\?xml)\b", re.IGNORECASE)
_SEEN = 200  # bytes that tell UTF-16 without a byte order mark


def problem_of(start: bytes) -> str | None:
    """Why a file cannot be read as text; None if it can.

    Args:
        start: its first bytes, unpacked and as UTF-8.
    """
    position, mark = _TAR
    archive = "TAR" if start[position:].startswith(mark) else _first(_ARCHIVES, start)
    if archive:
        return f"is a {archive} file: unpack it, and load the files in it"
    if document := _first(_DOCUMENTS, start):
        return f"is a {document} document: ask for the list as CSV or XLSX"
    if _MARKUP.match(start.lstrip()):
        return "is HTML or XML, whatever it is called: open it in a spreadsheet program, and save it as CSV or XLSX"
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        every_second = start[:_SEEN][first::2]
        if every_second and every_second.count(0) > 0.8 * len(every_second):
            return f"seems to be UTF-16 without a byte order mark: name it with --encoding {name}"
    return None


def _first(kinds: dict[bytes, str], start: bytes) -> str | None:
    return next((name for mark, name in kinds.items() if start.startswith(mark)), None)

"""From a file's bytes to rows: CSV with a header or JSON, packed or not, with the lines that rows begin on.

Rows are read one by one, so that memory does not grow with the file. ``matches`` says what a row must hold.
"""

from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import PurePath

from playlog_cli.loading.files.checks.kinds import problem_of
from playlog_cli.loading.files.csv_rows import csv_rows, sheet_rows
from playlog_cli.loading.files.json_documents import document_rows
from playlog_cli.loading.files.json_rows import json_rows
from playlog_cli.loading.files.row import BadRow, Row, RowsError, cell_text
from playlog_cli.loading.files.sheets import is_workbook, workbook_rows
from playlog_cli.loading.files.sources import Source, readable
from playlog_cli.loading.files.text import lines_of, utf8_chunks


def read_rows(source: Source, encoding: str | None = None) -> Iterator[Row | BadRow]:
    """Reads a file to its end. Blank lines are ignored.

    A workbook is known by its content. A file is JSON if its name says so (.jsonl, .ndjson, .json) or if it begins with
    a brace or a bracket, else CSV. JSON is an object per line, or objects in lists and documents; each outermost object
    is a row.

    Args:
        source: the file.
        encoding: of its text; None for UTF-8, or for UTF-16 with a byte order mark.

    Raises:
        RowsError: it is empty, has no usable header, or cannot be read to its end.
    """
    with readable():
        if is_workbook(source.start):
            yield from sheet_rows([cell_text(cell) for cell in cells] for cells in workbook_rows(source.content, None))
            return
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
    if problem := problem_of(start):
        raise RowsError(problem)
    return start.lstrip(), chain([start], chunks)


def json_rows_of(
    start: bytes, chunks: Iterator[bytes], *, has_any_list: bool = False, wanted: Collection[str] = ()
) -> Iterator[Row | BadRow]:
    """The rows of JSON, an object per line or otherwise.

    Args:
        start: its beginning, without leading space.
        chunks: the whole text, as UTF-8.
        has_any_list: whether the rows of a large document may be in a list of any name, and not only in `data`.
        wanted: names of the members of a document that the rows in its list need.
    """
    if start.startswith((b"{", b"[")) and _is_document(start):
        return document_rows(chunks, has_any_list=has_any_list, wanted=wanted)
    return json_rows(lines_of(chunks))


def _is_document(start: bytes) -> bool:
    """Whether JSON that begins like this is something else than an object per line."""
    line, is_ended, _ = start.partition(b"\n")
    if start.startswith(b"[") or not is_ended:
        return True
    return line.rstrip().endswith((b"{", b"[", b",", b":")) or b"}{" in line.replace(b" ", b"")


def _unpacked_name(name: str) -> str:
    return name.lower().removesuffix(".gz").removesuffix(".xz").removesuffix(".bz2")

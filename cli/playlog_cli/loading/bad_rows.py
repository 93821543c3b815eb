"""A file that lists the bad rows of a load, row by row: there may be millions of them."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playlog_cli.errors import CommandError
from playlog_cli.loading.files.row import BadRow

_COLUMNS = ("file", "line", "problem")
_HEADER = ",".join(_COLUMNS) + "\n"


@contextmanager
def bad_rows_file(path: Path | None) -> Iterator[Callable[[str, BadRow], None]]:
    """Opens a list of bad rows, as CSV, in place of the list of an earlier load.

    Args:
        path: of the list; None for no list.

    Yields:
        A function that receives the name of a file and a bad row of it.

    Raises:
        CommandError: the list cannot be written, or another file is there.
    """
    if path is None:
        yield lambda _file, _row: None
        return
    with _writable(path):
        _check_free(path)
        file = path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        file.flush()  # a disk that is full already should show before anything is loaded

    def write(name: str, row: BadRow) -> None:
        with _writable(path):
            rows.writerow((name, row.line, row.problem))

    try:
        yield write
    except BaseException:
        with suppress(OSError):  # what ended the load is what the user should read
            file.close()
        raise
    with _writable(path):
        file.close()


def _check_free(path: Path) -> None:
    """Checks that no other file, such as a log, is written over."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(len(_HEADER))
    if start and start != _HEADER.encode():
        raise CommandError(f"--bad-rows is {path}, a file that lists no bad rows: name a new file")


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    """Turns what goes wrong with the list into an error that says what to do."""
    try:
        yield
    except OSError as error:
        raise CommandError(
            f"--bad-rows {path} cannot be written ({error.strerror}): name another file, and load the files again, "
            "which adds what is missing"
        ) from None

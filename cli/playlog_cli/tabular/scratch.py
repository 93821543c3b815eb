"""Temporary files that cannot be written."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import gettempdir

from playlog_cli.errors import CommandError


@contextmanager
def explained_scratch() -> Iterator[None]:
    """Turns an error of a temporary file into a message.

    Raises:
        CommandError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise CommandError(
            f"temporary files in {gettempdir()} cannot be written: {error.strerror or error}. Make room there, or set "
            "TMPDIR to a folder on another disk"
        ) from None

"""Write a file whole, or leave the old one as it was."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from playlog_cli.errors import CommandError
from playlog_cli.terminal import err

STDOUT = Path("-")


def check_writable(option: str, path: Path) -> None:
    """Checks before an hour of reading that the file can be written at the end.

    Raises:
        CommandError: it cannot.
    """
    if path == STDOUT:
        return
    if os.path.isdir(path):
        raise CommandError(f"{option} {path} is a directory: name a file in it")
    if not os.path.isdir(path.parent) or not os.access(path.parent, os.W_OK):
        raise CommandError(f"{option} {path} cannot be written: name a file in a directory that you may write to")


def write_whole(option: str, path: Path, write: Callable[[TextIO], None]) -> None:
    """Writes a file of text whole, or leaves the old one as it was.

    Raises:
        CommandError: it cannot be written.
    """
    if path == STDOUT:
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as stdout:
            write(stdout)
        return

    def write_text(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as file:
            write(file)

    write_whole_path(option, path, write_text)


def write_whole_path(option: str, path: Path, write: Callable[[Path], None]) -> None:
    """Writes a file of any kind whole, or leaves the old one as it was.

    Args:
        option: the option that names the file, for messages.
        path: the file; not standard output.
        write: writes to a path, which becomes the file when all is written.

    Raises:
        CommandError: it cannot be written.
    """
    target = path.resolve()
    # A device or a pipe must not be replaced by a file.
    part = target if os.path.exists(target) and not os.path.isfile(target) else target.with_name(f"{target.name}.part")
    try:
        write(part)
        if part != target:
            part.replace(target)
    except OSError as error:
        raise CommandError(f"{option} {path} cannot be written: {error.strerror or error}") from None
    finally:
        if part != target:
            with suppress(OSError):
                part.unlink()
    err.print(f"written: {path}", soft_wrap=True)

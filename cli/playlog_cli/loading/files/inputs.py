"""The files that a user names: single ones, folders, patterns, and the files in ZIP files."""

import glob
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from playlog_cli.errors import CommandError
from playlog_cli.loading.files.sheets import is_workbook
from playlog_cli.loading.files.sources import START_BYTES, STDIN, open_zip
from playlog_cli.loading.files.zip_names import member_name

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second is that of a ZIP file without a file in it
_HIDDEN = (".", "~$")  # the second is that of Excel's lock files
_OF_MACOS = "__MACOSX"  # a folder of resource forks, which macOS adds to its ZIP files


@dataclass(frozen=True, slots=True)
class Input:
    """A file to load.

    Attributes:
        path: of the file, or of the ZIP file that holds it.
        member: its name in the ZIP file, as stored there; None if it is a file of its own, blank for a broken ZIP file.
        label: its name in the ZIP file for people; blank if it is a file of its own.
        size: in bytes; 0 if unknown.
    """

    path: Path
    member: str | None = None
    size: int = 0
    label: str = ""

    @property
    def name(self) -> str:
        """How messages name the file."""
        return f"{self.path}/{self.label or self.member}" if self.member else str(self.path)


def find_inputs(paths: Sequence[Path]) -> list[Input]:
    """The files to load, each once: those named, those in a folder and below, and those in ZIP files.

    Hidden files are left out, unless they are named.

    Args:
        paths: files, folders, and patterns like ``logs/*.csv``; ``-`` is standard input.

    Raises:
        CommandError: a path leads to no file, or to one that may not be read.
    """
    found: dict[Input, None] = {}
    for path in paths:
        inputs = list(_inputs(path))
        if not inputs:
            raise CommandError(f"{path} holds no file: name a file of matches, a folder with some, or a ZIP file")
        found.update(dict.fromkeys(inputs))
    return list(found)


def _inputs(path: Path) -> Iterator[Input]:
    if path == STDIN:
        yield Input(path)
        return
    if not os.path.lexists(path) and glob.has_magic(str(path)):
        for name in sorted(glob.glob(str(path), recursive=True)):
            yield from _inputs(Path(name))
        return
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.is_file() and not any(part.startswith(_HIDDEN) for part in file.relative_to(path).parts):
                    try:
                        yield from _members(file)
                    except FileNotFoundError:  # removed meanwhile: loading it says so, and loads the others
                        yield Input(file)
        else:
            path.stat()
            yield from _members(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}: name a file of matches, CSV or JSON") from None


def _members(path: Path) -> Iterator[Input]:
    """The file, or the files in it if it is a ZIP file."""
    if not os.access(path, os.R_OK) and path.exists():
        raise CommandError(f"{path}: you may not read this file: its permissions would have to allow it")
    if not path.is_file():  # a named pipe: its beginning can be read once only
        yield Input(path)
        return
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    if not start.startswith(_ZIP) or is_workbook(start):
        yield Input(path, size=path.stat().st_size)
        return
    try:
        with open_zip(path) as archive:
            infos = archive.infolist()
    except zipfile.BadZipFile:
        yield Input(path, member="")  # reading it says what is wrong
        return
    for info in sorted(infos, key=lambda each: each.filename):
        label = member_name(info)
        parts = PurePosixPath(label).parts
        is_file = bool(parts) and not label.endswith("/")
        if is_file and parts[0] != _OF_MACOS and not parts[-1].startswith(_HIDDEN):
            yield Input(path, info.filename, info.file_size, label)

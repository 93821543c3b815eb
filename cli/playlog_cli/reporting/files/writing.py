"""Write files whole, or leave the old ones as they were."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from playlog_cli.errors import CommandError
from playlog_cli.reporting.files.inputs import InputFile
from playlog_cli.terminal import err

STDOUT = Path("-")


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file to write.

    Attributes:
        option: the option that names it, for messages.
        path: the file; ``STDOUT`` for standard output.
        write: writes to a path.
    """

    option: str
    path: Path
    write: Callable[[Path], None]


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


def check_apart(files: Iterable[tuple[str, Path]], inputs: Mapping[str, InputFile]) -> None:
    """Checks that each file to write is one of its own, and none that is read: it would be lost.

    Args:
        files: the option that names each, and its path.
        inputs: the files that are read.

    Raises:
        CommandError: one is not.
    """
    taken = {each.path.resolve(): f"--{name.replace('_', '-')}" for name, each in inputs.items()}
    for option, path in files:
        if _is_stream(path):
            continue
        other = taken.setdefault(path.resolve(), option)
        if other != option:
            raise CommandError(f"{other} and {option} both name {path}: give each a file of its own")


def text_writer(write: Callable[[TextIO], None]) -> Callable[[Path], None]:
    """Opens a path as text in UTF-8, with the line ends that are written."""

    def write_text(path: Path) -> None:
        if path == STDOUT:
            with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as stdout:
                write(stdout)
            return
        with path.open("w", encoding="utf-8", newline="") as file:
            write(file)

    return write_text


def write_whole(file: OutputFile) -> None:
    """Writes a file whole, or leaves the old one as it was.

    Raises:
        CommandError: it cannot be written.
    """
    write_together([file], None)


def write_together(files: Sequence[OutputFile], manifest_of: Callable[[Path, str], str] | None) -> None:
    """Writes several files with their manifests. None is put into its place before all are whole.

    A manifest is put into its place after its file, and an old one is removed before. So a file that has a manifest is
    of a run that has ended well. Standard output, devices and pipes have no manifest.

    Args:
        files: which.
        manifest_of: the text of a manifest, from where its file is for now, and the name that the file gets; None if
            there are no manifests.

    Raises:
        CommandError: one cannot be written.
    """
    regular = [file for file in files if not _is_stream(file.path)]
    parts: dict[Path, Path] = {}
    try:
        for file in regular:
            with _explained(file):
                target = file.path.resolve()
                parts[target] = _part_of(target)
                file.write(parts[target])
                if manifest_of:
                    beside = manifest_path(file.path)
                    parts[beside] = _part_of(beside)
                    text = manifest_of(parts[target], file.path.name)
                    parts[beside].write_text(text, encoding="utf-8", newline="")
        for file in regular if manifest_of else ():
            with _explained(file):
                manifest_path(file.path).unlink(missing_ok=True)
        for file in regular:
            with _explained(file):
                parts[file.path.resolve()].replace(file.path.resolve())
                if manifest_of:
                    parts[manifest_path(file.path)].replace(manifest_path(file.path))
            err.print(f"written: {file.path}", soft_wrap=True)
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink()
    for file in files:
        if file not in regular:
            with _explained(file):
                file.write(file.path)


def manifest_path(path: Path) -> Path:
    """Where the manifest of a file stands."""
    return path.with_name(f"{path.name}.manifest.json")


def _is_stream(path: Path) -> bool:
    """Whether a path is standard output, a device or a pipe, which must not be replaced by a file."""
    return path == STDOUT or (os.path.exists(path) and not os.path.isfile(path))


def _part_of(target: Path) -> Path:
    """Where a file is until it is whole. Two runs at once do not share it."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


@contextmanager
def _explained(file: OutputFile) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CommandError(f"{file.option} {file.path} cannot be written: {error.strerror or error}") from None

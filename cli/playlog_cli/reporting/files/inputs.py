"""The files that a command reads, and their hashes: what a manifest says went in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playlog_cli.errors import CommandError
from playlog_cli.exporting.places import sha256_of


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file as it was when a command began.

    Attributes:
        path: where it is.
        sha256: of its content, in hexadecimal digits.
    """

    path: Path
    sha256: str

    @property
    def as_json(self) -> dict[str, str]:
        """What a manifest says of it. The name of its folder is of this machine alone."""
        return {"name": self.path.name, "sha256": self.sha256}


def input_files(**paths: Path | None) -> dict[str, InputFile]:
    """Hashes files before they are read.

    Args:
        paths: by what they are; None for a file that nobody named.

    Raises:
        CommandError: one cannot be read.
    """
    found = {}
    for name, path in paths.items():
        if path:
            option = f"--{name.replace('_', '-')}"
            if os.path.exists(path) and not os.path.isfile(path):
                raise CommandError(f"{option} {path} is no file: save it as a file, whose hash a manifest can name")
            try:
                found[name] = InputFile(path, sha256_of(path))
            except OSError as error:
                raise CommandError(f"{option} {path} cannot be read: {error.strerror or error}") from None
    return found


def check_unchanged(inputs: Mapping[str, InputFile]) -> None:
    """Checks that the files are as they were when the command began, so that the manifest says what was read.

    Raises:
        CommandError: one was changed or removed meanwhile.
    """
    for each in inputs.values():
        try:
            is_same = sha256_of(each.path) == each.sha256
        except OSError:
            is_same = False
        if not is_same:
            raise CommandError(f"{each.path} was changed while this command was at work: run the command again")

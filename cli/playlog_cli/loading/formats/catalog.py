"""Find a log format: one that ships with playlog by its name, or a person's own file."""

import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from playlog_cli.errors import CommandError, shown
from playlog_cli.loading.formats.model import FormatError, LogFormat
from playlog_cli.loading.formats.reading.columns import check_columns
from playlog_cli.loading.formats.toml.parse import parse_format

_SUFFIX = ".toml"
_SHIPPED = resources.files("playlog_cli.loading.formats") / "shipped"


@dataclass(frozen=True, slots=True)
class Shipped:
    """A format that comes with playlog.

    Attributes:
        name: by which a user names it.
        about: what it reads, in a sentence.
        sources: where its columns are documented.
        has_reader: whether playlog knows such a file by its content and reads it without the format.
        toml: its text.
    """

    name: str
    about: str
    sources: tuple[str, ...]
    has_reader: bool
    toml: str


def shipped_formats() -> dict[str, Shipped]:
    """The formats that come with playlog, by their names."""
    files = {each.name.removesuffix(_SUFFIX): each for each in _SHIPPED.iterdir() if each.name.endswith(_SUFFIX)}
    found = {}
    for name, file in sorted(files.items()):
        toml = file.read_text(encoding="utf-8")
        values = tomllib.loads(toml)
        found[name] = Shipped(name, values["about"], tuple(values["sources"]), "reader" in values, toml)
    return found


def find_format(name: str) -> LogFormat | None:
    """Reads a log format.

    Args:
        name: of a format that comes with playlog, or the path of a TOML file.

    Returns:
        None if playlog knows such files by their content.

    Raises:
        CommandError: it does not exist, cannot be read, or is wrong: with the key, and with what would be right.
    """
    shipped = shipped_formats()
    if name in shipped and shipped[name].has_reader:
        return None
    try:
        toml = shipped[name].toml if name in shipped else own_toml("--log-format", name, shipped)
        log_format = parse_format(name, toml)
        check_columns(log_format)
    except FormatError as error:
        raise CommandError(f"{name}: {error}") from None
    return log_format


def own_toml(option: str, name: str, shipped: Iterable[str]) -> str:
    """Reads a TOML file of a person's own.

    Args:
        option: that names it, for messages.
        name: its path.
        shipped: names of the files that come with playlog.

    Raises:
        CommandError: it does not exist, cannot be read, or is not UTF-8.
    """
    if not name.endswith(_SUFFIX) and not os.path.exists(name):
        raise CommandError(
            f"{option} is {shown(name)}: it must be the path of a TOML file, or one of {', '.join(shipped)}"
        )
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(f"{option} {name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{option} {name} is not UTF-8: save the file as UTF-8") from None

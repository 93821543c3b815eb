"""Find a layout: one that ships with playlog by its name, or a person's own file."""

import hashlib
import tomllib
from importlib import resources
from pathlib import Path

from playlog_cli.errors import CommandError
from playlog_cli.layouts.model import Layout
from playlog_cli.layouts.parse import parse_layout
from playlog_cli.loading.formats.catalog import own_toml
from playlog_cli.loading.formats.model import FormatError

_SUFFIX = ".toml"
_SHIPPED = resources.files("playlog_cli.layouts") / "shipped"


def shipped_layouts() -> dict[str, str]:
    """The TOML of each layout that comes with playlog, by name."""
    files = sorted((each for each in _SHIPPED.iterdir() if each.name.endswith(_SUFFIX)), key=lambda each: each.name)
    return {file.name.removesuffix(_SUFFIX): file.read_text(encoding="utf-8") for file in files}


def about(toml: str) -> str:
    """What a shipped layout is for, in a sentence."""
    return str(tomllib.loads(toml)["about"])


def find_layout(name: str) -> tuple[Layout, str]:
    """Reads a layout.

    Args:
        name: of a layout that comes with playlog, or the path of a TOML file.

    Returns:
        The layout, and the SHA-256 of its TOML in hexadecimal digits.

    Raises:
        CommandError: it does not exist, cannot be read, or is wrong: with the key, and with what would be right.
    """
    shipped = shipped_layouts()
    toml = shipped[name] if name in shipped else own_toml("--layout", name, shipped)
    try:
        return parse_layout(Path(name).stem, toml), hashlib.sha256(toml.encode()).hexdigest()
    except FormatError as error:
        raise CommandError(f"{name}: {error}") from None

"""Find a log format: one that ships with playlog by its name, or a person's own file."""

from importlib import resources
from pathlib import Path

from playlog_cli.errors import CommandError, shown
from playlog_cli.loading.formats.model import FormatError, LogFormat
from playlog_cli.loading.formats.reading.columns import check_columns
from playlog_cli.loading.formats.toml.parse import parse_format

_SUFFIX = ".toml"
_SHIPPED = resources.files("playlog_cli.loading.formats") / "shipped"


def shipped_names() -> list[str]:
    """The names of the formats that come with playlog, sorted."""
    return sorted(each.name.removesuffix(_SUFFIX) for each in _SHIPPED.iterdir() if each.name.endswith(_SUFFIX))


def shipped_toml(name: str) -> str:
    """The TOML of a format that comes with playlog."""
    return (_SHIPPED / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def find_format(name: str) -> LogFormat:
    """Reads a log format.

    Args:
        name: of a format that comes with playlog, or the path of a TOML file.

    Raises:
        CommandError: it does not exist, cannot be read, or is wrong: with the key, and with what would be right.
    """
    try:
        log_format = parse_format(name, _toml(name))
        check_columns(log_format)
    except FormatError as error:
        raise CommandError(f"{name}: {error}") from None
    return log_format


def _toml(name: str) -> str:
    if name in shipped_names():
        return shipped_toml(name)
    if not name.endswith(_SUFFIX) and not Path(name).exists():
        raise CommandError(
            f"--log-format is {shown(name)}: it must be the path of a TOML file, or one of {', '.join(shipped_names())}"
        )
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(f"--log-format {name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"--log-format {name} is not UTF-8: save the file as UTF-8") from None

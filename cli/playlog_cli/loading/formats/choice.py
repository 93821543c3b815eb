"""The log format of a command's options."""

from dataclasses import replace

from playlog_cli.errors import CommandError, shown
from playlog_cli.loading.formats.catalog import find_format
from playlog_cli.loading.formats.model import LogFormat
from playlog_cli.time_zones import time_zone, wanted_zone


def chosen_format(name: str | None, zone: str | None, encoding: str | None) -> LogFormat | None:
    """The log format of a command's options; None if files are known by their content.

    Args:
        name: of a format that ships, or the path of a TOML file.
        zone: of local times, in place of the format's.
        encoding: of the text, in place of the format's.

    Raises:
        CommandError: an option is wrong, or the format's local times have no zone.
    """
    if name is None:
        if zone is not None:
            raise CommandError("--time-zone is for files with a --log-format: without one, times need offsets")
        return None
    found = find_format(name)
    if found is None:
        if zone is not None:
            raise CommandError(
                f"--time-zone is {shown(zone)}: files of {name} have times with offsets, so leave it out"
            )
        return None
    if zone is not None:
        if (chosen := time_zone(zone)) is None:
            raise CommandError(f"--time-zone is {shown(zone)}: {wanted_zone(zone)}")
        found = replace(found, time_zone=chosen)
    if encoding is not None:
        found = replace(found, encoding=encoding)
    if found.has_local_times and found.time_zone is None:
        raise CommandError(
            f"{name} reads local times, and names no zone for them: say it with --time-zone, like Europe/Berlin, or as "
            "time_zone in the log format"
        )
    return found

"""The period of a report, from the options of a command. Pure."""

from datetime import date

from playlog_cli.errors import CommandError, shown
from playlog_cli.reporting.figures import Period
from playlog_cli.time_zones import time_zone, wanted_zone


def parse_period(start: str, end: str, zone_name: str) -> Period:
    """Reads a period.

    Args:
        start: its first day, like ``2026-03-01``.
        end: the day after its last one.
        zone_name: IANA name of the time zone in which days begin.

    Raises:
        CommandError: a value is wrong. The message names the option.
    """
    zone = time_zone(zone_name)
    if zone is None:
        raise CommandError(f"--time-zone is {shown(zone_name)}: {wanted_zone(zone_name)}")
    period = Period(_parse_date("--from", start), _parse_date("--to", end), zone)
    if period.start >= period.end:
        raise CommandError(
            f"--to is {end}, and --from {start}: it must be a later day, the first one that is not part of the period"
        )
    return period


def _parse_date(option: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
        # Midnight in any time zone must lie within the years that UTC can hold.
        if 1 < day.year < 9999:
            return day
    except ValueError:
        pass
    raise CommandError(f"{option} is {shown(text)}: it must be a date like 2026-03-01")

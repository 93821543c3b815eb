"""Time zones by their IANA names, with an answer for a name that is unknown."""

from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


def time_zone(name: str) -> ZoneInfo | None:
    """A time zone by its name in the IANA database; None if there is none of this name.

    Example:
        >>> time_zone("Europe/Berlin"), time_zone("Berlin")
        (zoneinfo.ZoneInfo(key='Europe/Berlin'), None)
    """
    return ZoneInfo(name) if name in _zones() else None


def wanted_zone(name: object) -> str:
    """What would be right in place of a name that is no time zone's."""
    places = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(_zones())}
    text = str(name).casefold().replace(" ", "_")
    close = get_close_matches(text.rpartition("/")[2], places, n=1, cutoff=0.7)
    hint = f"did you mean {places[close[0]]}?" if close else "like Europe/Berlin"
    return f"it must be a name of the IANA time zone database, {hint}"


@cache
def _zones() -> set[str]:
    return available_timezones()  # which looks through the disk

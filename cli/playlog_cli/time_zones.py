"""Time zones by their IANA names, with an answer for a name that is unknown."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_ADVICE = (
    "like Europe/Berlin, Asia/Kolkata or America/New_York: an area and a place. "
    "An abbreviation like CEST and an offset like GMT+2 are not such names"
)


def time_zone(name: str) -> ZoneInfo | None:
    """A time zone by its name in the IANA database; None if there is none of this name.

    Example:
        >>> time_zone("Europe/Berlin"), time_zone("Berlin")
        (zoneinfo.ZoneInfo(key='Europe/Berlin'), None)
    """
    return ZoneInfo(name) if name in _zones() else None


def wanted_zone(name: object) -> str:
    """What would be right in place of a name that is not a time zone's.

    A zone is suggested only if its place has just this name. A zone that is merely spelled alike may have another
    offset, and an abbreviation or an offset does not say when clocks change.
    """
    text = str(name).casefold().replace(" ", "_")
    places = [zone for zone in sorted(_zones()) if text in (zone.casefold(), zone.rpartition("/")[2].casefold())]
    hint = (
        f"did you mean {places[0]}?" if len(places) == 1 and "/" in places[0] and "Etc/" not in places[0] else _ADVICE
    )
    return f"it must be a name of the IANA time zone database, {hint}"


@cache
def _zones() -> set[str]:
    return available_timezones()  # which looks through the disk

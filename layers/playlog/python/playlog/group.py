"""group: which matches are one airing? The rule stands here and nowhere else."""

from collections.abc import Iterable
from datetime import datetime

from playlog.airing import Airing
from playlog.match import Match


def group(matches: Iterable[Match]) -> list[Airing]:
    """Groups matches into airings: the same station, track and instant is one (CONTRACT, The law).

    Args:
        matches: valid matches of one page, oldest first.

    Returns:
        The airings in the order of their first matches. Within an airing, matches are in the order of their ids, so
        that the same matches create the same play whatever order the index gave them in.
    """
    airings: dict[tuple[str, str, datetime], list[Match]] = {}
    for match in matches:
        airings.setdefault((match.station_id, match.track_id, match.matched_at), []).append(match)
    return [Airing(tuple(sorted(heard, key=lambda match: match.match_id))) for heard in airings.values()]

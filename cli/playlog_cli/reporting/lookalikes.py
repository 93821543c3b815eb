"""Ids that look alike: they differ only in spaces, case or Unicode form, and probably mean the same. Pure."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

from playlog_cli.reporting.figures import Play


class IdCollector:
    """Collects the ids of plays while these are added up."""

    def __init__(self) -> None:
        self.stations: set[str] = set()
        self.tracks: set[str] = set()

    def collect(self, plays: Iterable[Play]) -> Iterator[Play]:
        """Passes plays on, and remembers their ids."""
        for play in plays:
            self.stations.add(play.station_id)
            self.tracks.add(play.track_id)
            yield play


def lookalikes(ids: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of ids that look alike, sorted.

    Args:
        ids: of stations, or of tracks.

    Example:
        >>> lookalikes(["fm-1", " FM-1", "fm-2"])
        [(' FM-1', 'fm-1')]
    """
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for each in ids:
        groups["".join(unicodedata.normalize("NFKC", each).casefold().split())].add(each)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)

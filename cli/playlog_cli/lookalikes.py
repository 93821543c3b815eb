"""Ids that look alike: they differ only in spaces, case or Unicode form, and probably mean the same. Pure."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable


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

"""What a person may type for an attribute that a match lacks. Pure."""

from playlog.domain.match import Item

from playlog_cli.auditing import items
from playlog_cli.loading.isrc import normalise
from playlog_cli.loading.track_ids import artist_title_id


def suggested_track_id(match: Item) -> str | None:
    """The ``track_id`` that a log format gives a row with the names of a match that has none.

    Args:
        match: item of MatchCache.

    Returns:
        Its ISRC, else an id made of artist and title; None if the match has a ``track_id`` or lacks these names.
    """
    if items.text(match, "track_id").strip():
        return None
    artist, title = items.text(match, "artist").strip(), items.text(match, "title").strip()
    by_names = artist_title_id(artist, title) if artist and title else None
    return normalise(items.text(match, "isrc")) or by_names

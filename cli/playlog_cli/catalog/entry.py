"""What a `track_id` means. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from playlog_cli.catalog.shares import Share


@dataclass(frozen=True, slots=True)
class Entry:
    """The names of a track, and who is paid for it. A name that nobody knows is empty.

    Attributes:
        track_id: as in the plays.
        title: of the recording.
        artist: who performs it.
        album: on which it was released.
        label: that released it.
        isrc: 12 characters, or the text of the catalog if that is not a valid ISRC.
        composers: as the catalog has them.
        shares: who gets which part.
        more: other columns of the catalog, by name. Layouts may use them.
    """

    track_id: str
    title: str = ""
    artist: str = ""
    album: str = ""
    label: str = ""
    isrc: str = ""
    composers: str = ""
    shares: tuple[Share, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)


NAMES = ("title", "artist", "album", "label", "isrc", "composers")


class Catalog:
    """The entries of a catalog by `track_id`. A track that it does not have gets an entry without names."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = {entry.track_id: entry for entry in entries}

    def entry(self, track_id: str) -> Entry:
        """What the catalog says about a track."""
        return self.entries.get(track_id) or Entry(track_id)

    def tracks_of(self, artist: str) -> list[str]:
        """The tracks of an artist, whatever the case of the name and the spaces in it."""
        wanted = _folded(artist)
        return [entry.track_id for entry in self.entries.values() if _folded(entry.artist) == wanted]


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())

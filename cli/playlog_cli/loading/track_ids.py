"""An id for a track that a log names by artist and title alone. Pure."""

import hashlib
import unicodedata
from functools import lru_cache


@lru_cache(maxsize=20_000)  # a log names the same recordings again and again
def artist_title_id(artist: str, title: str) -> str:
    """A ``track_id`` that is the same wherever artist and title are the same for a reader.

    Case, spaces and Unicode form make no difference. Any other difference does: ``feat.`` and ``ft.`` are two.

    Args:
        artist: as the log has it.
        title: as the log has it.

    Example:
        >>> artist_title_id("Björk", "Jóga") == artist_title_id("BJO\\u0308RK ", "jóga")
        True
    """
    # Half a character, which JSON may hold, makes a bad row later.
    names = f"{normalised(artist)}\n{normalised(title)}".encode(errors="surrogatepass")
    return f"artist-title:{hashlib.sha256(names).hexdigest()[:24]}"


def normalised(name: str) -> str:
    """A name in its one form: Unicode's compatibility form without case (Unicode Standard, 3.13, D146), single spaces.

    Example:
        >>> normalised("  STRASSE  Ⅳ ")
        'strasse iv'
    """
    if name.isascii():
        return " ".join(name.lower().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.split())

"""Draft a catalog from the names that matches brought. Pure, except for reading the table."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from playlog.domain.match import Item

from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import WHOLE, Share, part_in_words
from playlog_cli.loading.isrc import normalise
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import scan

COLUMNS = ("track_id", "title", "artist", "album", "label", "isrc", "composers", "payee", "shares", "other_spellings")
# Composers are no attribute of the contract, but a log format can keep them, and some societies want them.
_BROUGHT = ("title", "artist", "album", "label", "isrc", "composers")
_MOST_SPELLINGS = 5  # of one name that are listed beside the most frequent one

# Progress callback: receives the number of matches just read.
Progress: TypeAlias = Callable[[int], None]


def match_names(stack: Stack, progress: Progress) -> Iterator[Item]:
    """The names of all matches, with their tracks: a page in memory at a time.

    Raises:
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    for page in scan(stack.dynamodb, stack.match_cache_table, ("track_id", *_BROUGHT)):
        progress(len(page))
        yield from page


def draft(matches: Iterable[Item], kept: Catalog) -> list[list[str]]:
    """The rows of a catalog, one for each track: those that were kept, then the new ones, the most frequent first.

    Args:
        matches: items of MatchCache in DynamoDB's wire format.
        kept: a catalog whose entries stay as they are. Only the tracks that it does not have are drafted.

    Returns:
        A text for each of ``COLUMNS``, and for each other column of ``kept`` (see ``columns_of``).
    """
    more = columns_of(kept)[len(COLUMNS) :]
    heard: Counter[str] = Counter()
    spellings = _spellings(matches, heard)
    new = sorted(
        (track_id for track_id in heard if track_id not in kept.entries), key=lambda each: (-heard[each], each)
    )
    return [
        *(_kept_row(entry, more) for entry in kept.entries.values()),
        *([*_drafted_row(track_id, spellings[track_id]), *[""] * len(more)] for track_id in new),
    ]


def columns_of(kept: Catalog) -> list[str]:
    """The names of the columns of a draft: its own, and the other ones of the catalog that is kept."""
    more = dict.fromkeys(name for entry in kept.entries.values() for name in entry.more)
    return [*COLUMNS, *(name for name in more if name not in COLUMNS)]


def _spellings(matches: Iterable[Item], heard: Counter[str]) -> dict[str, dict[str, Counter[str]]]:
    """How often each track had each spelling of each name. Counts the matches of each track in ``heard``."""
    found: defaultdict[str, dict[str, Counter[str]]] = defaultdict(lambda: {name: Counter() for name in _BROUGHT})
    for item in matches:
        track_id = _text(item, "track_id")
        if not track_id:
            continue  # such a match has failed, or will
        heard[track_id] += 1
        of_track = found[track_id]
        for name in _BROUGHT:
            if text := _text(item, name):
                of_track[name][text] += 1
    return found


def _text(item: Item, name: str) -> str:
    """An attribute without blanks around it. Names may have any type (docs/contract.md): only a text counts."""
    value = item.get(name, {}).get("S")
    return value.strip() if isinstance(value, str) else ""


def _drafted_row(track_id: str, spellings: dict[str, Counter[str]]) -> list[str]:
    by_count = {
        name: sorted(counts.items(), key=lambda each: (-each[1], each[0])) for name, counts in spellings.items()
    }
    first = {name: counts[0][0] if counts else "" for name, counts in by_count.items()}
    others = [
        f"{name}: {text} ({count})"
        for name, counts in by_count.items()
        for text, count in counts[1 : _MOST_SPELLINGS + 1]
    ]
    first["isrc"] = normalise(first["isrc"]) or first["isrc"] or normalise(track_id) or ""
    return [track_id, *(first[name] for name in _BROUGHT), "", "", "; ".join(others)]


def _kept_row(entry: Entry, more: list[str]) -> list[str]:
    names = [entry.track_id, entry.title, entry.artist, entry.album, entry.label, entry.isrc, entry.composers]
    return [*names, *_paid(entry.shares), *(entry.more.get(name, "") for name in ("other_spellings", *more))]


def _paid(shares: tuple[Share, ...]) -> tuple[str, str]:
    """The cells ``payee`` and ``shares``."""
    if len(shares) == 1 and shares[0].part == WHOLE and not shares[0].role:
        return shares[0].payee, ""
    parts = (
        f"{part_in_words(share.part)} {share.payee}" + (f" as {share.role}" if share.role else "") for share in shares
    )
    return "", "; ".join(parts)

"""pack: which airings go together in one transaction?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from playlog import limits
from playlog.airing import Airing, Play
from playlog.wire import Action

# What the play's own action leaves for its matches.
MATCHES_OF_AN_AIRING = limits.TRANSACTION_ACTIONS - 1
# What a write adds to an item, at most: times, keys, counts. The key of a play holds at most 1,024 bytes.
ADDED_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Entry:
    """An airing with the actions that write it, which stay together.

    Attributes:
        airing: what is written.
        play: the play as it will be.
        actions: the play's action first, then one for each match in order.
    """

    airing: Airing
    play: Play
    actions: list[Action]


def split(airings: Iterable[Airing]) -> Iterator[Airing]:
    """Splits airings of more matches than one transaction takes.

    The parts go in transactions of their own, one after the other: the first creates the play, the others find it and
    join it.
    """
    for airing in airings:
        for start in range(0, len(airing.matches), MATCHES_OF_AN_AIRING):
            yield replace(airing, matches=airing.matches[start : start + MATCHES_OF_AN_AIRING])


def pack(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Packs entries into as few transactions as their order allows.

    Args:
        entries: each of at most 100 actions, all of different matches.

    Returns:
        Transactions of at most 100 actions and 4 MB, none with two parts of one airing. An entry that DynamoDB may
        refuse, by our own count of its limits, stands alone, so that it takes no other with it.
    """
    transaction: list[Entry] = []
    plays: set[tuple[str, str]] = set()
    actions = size = 0
    for entry in entries:
        if excess(entry):
            yield [entry]
            continue
        play = (entry.airing.first.station_id, entry.play.play_id)
        actions += len(entry.actions)
        size += _bytes(entry)
        if transaction and (play in plays or actions > limits.TRANSACTION_ACTIONS or size > limits.TRANSACTION_BYTES):
            yield transaction
            transaction, plays = [], set()
            actions, size = len(entry.actions), _bytes(entry)
        transaction.append(entry)
        plays.add(play)
    if transaction:
        yield transaction


def excess(entry: Entry) -> str | None:
    """Says which value of an entry is longer than DynamoDB allows, by our own count of its limits.

    Returns:
        A sentence, or None if none is.
    """
    first = entry.airing.first
    station_bytes = len(first.station_id.encode())
    if station_bytes > limits.PARTITION_KEY_BYTES:
        return f"station_id is {station_bytes:,} bytes long: a key holds at most {limits.PARTITION_KEY_BYTES:,}"
    key_bytes = len(entry.play.play_id.encode())
    if key_bytes > limits.SORT_KEY_BYTES:
        track_bytes = len(first.track_id.encode())
        return (
            f"track_id is {track_bytes:,} bytes long, which makes the play_id {key_bytes:,}: "
            f"a key holds at most {limits.SORT_KEY_BYTES:,}"
        )
    for match in entry.airing.matches:
        match_bytes = limits.item_bytes(match.item)
        if match_bytes + ADDED_BYTES > limits.ITEM_BYTES:
            return f"the match is {match_bytes:,} bytes large: an item holds at most {limits.ITEM_BYTES:,}"
    return None


def _bytes(entry: Entry) -> int:
    """What the entry counts towards the size of a transaction, at most: a play is no larger than its first match."""
    items = (entry.airing.first, *entry.airing.matches)
    return sum(limits.item_bytes(match.item) + ADDED_BYTES for match in items)

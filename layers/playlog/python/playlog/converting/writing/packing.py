"""pack: which airings go together in one transaction?"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from playlog.domain.airing import Airing
from playlog.domain.play import PlayKey
from playlog.dynamodb import limits

# What a write adds to an item, at most: times, keys, counts. The key of a play holds at most 1,024 bytes.
ADDED_BYTES = 2048
# Of a guard, at most: its key and two numbers.
GUARD_BYTES = limits.PARTITION_KEY_BYTES + 128


def split(airings: Iterable[Airing], *, guarded: bool) -> Iterator[Airing]:
    """Splits airings of more matches than one transaction takes.

    The parts go in transactions of their own, one after the other: the first creates the play, the others find it and
    join it.

    Args:
        airings: each of any size.
        guarded: whether a guard goes along.
    """
    room = limits.TRANSACTION_ACTIONS - 1 - guarded  # the play's own action, and the guard's
    for airing in airings:
        if action_count(airing) <= room:
            yield airing
            continue
        matches, bridged = airing.matches, airing.bridged
        while len(bridged) >= room:  # flags that find no place beside a match are written before it
            yield replace(airing, matches=(), bridged=bridged[:room])
            bridged = bridged[room:]
        first = room - len(bridged)
        yield replace(airing, matches=matches[:first], bridged=bridged)
        for start in range(first, len(matches), room):
            yield replace(airing, matches=matches[start : start + room], bridged=())


def pack(airings: Iterable[Airing], *, guarded: bool) -> Iterator[list[Airing]]:
    """Packs airings into as few transactions as their order allows.

    Args:
        airings: each of at most 100 actions with its guard, all of different matches.
        guarded: whether a guard goes along for each station in a transaction.

    Returns:
        Transactions of at most 100 actions and 4 MB, none with two parts of one airing. An airing that DynamoDB may
        refuse, by our own count of its limits, stands alone, so that it takes no other with it.
    """
    transaction: list[Airing] = []
    items: set[PlayKey] = set()  # plays in it: no item may stand in a transaction twice
    stations: set[str] = set()
    actions = size = 0
    for airing in airings:
        match_bytes = [limits.item_bytes(match.item) for match in airing.matches]
        if _excess(airing, match_bytes):
            yield [airing]
            continue
        its_items = {airing.play_key, *(play.key for play in airing.bridged)}
        guards = {airing.play_key.station_id} - stations if guarded else set()
        its_actions = action_count(airing) + len(guards)
        its_size = _bytes(airing, match_bytes) + len(guards) * GUARD_BYTES
        if transaction and (
            not items.isdisjoint(its_items)
            or actions + its_actions > limits.TRANSACTION_ACTIONS
            or size + its_size > limits.TRANSACTION_BYTES
        ):
            yield transaction
            transaction, items, stations = [], set(), set()
            actions, size = 0, 0
            its_actions = action_count(airing) + guarded
            its_size = _bytes(airing, match_bytes) + guarded * GUARD_BYTES
        transaction.append(airing)
        items |= its_items
        stations.add(airing.play_key.station_id)
        actions += its_actions
        size += its_size
    if transaction:
        yield transaction


def has_room(transaction: Sequence[Airing], *, guarded: bool) -> bool:
    """Whether a play of one match more would find its place in a transaction."""
    stations = {airing.play_key.station_id for airing in transaction}
    actions = sum(map(action_count, transaction)) + len(stations) * guarded
    return actions + 2 + guarded <= limits.TRANSACTION_ACTIONS and not excess(transaction[0])


def action_count(airing: Airing) -> int:
    """How many actions write an airing: one for its play if that changes, one for each match and each flag."""
    return bool(airing.matches) + len(airing.matches) + len(airing.bridged)


def excess(airing: Airing) -> str | None:
    """Says which value of an airing is longer than DynamoDB allows, by our own count of its limits.

    Returns:
        A sentence, or None if none is.
    """
    return _excess(airing, [limits.item_bytes(match.item) for match in airing.matches])


def _excess(airing: Airing, match_bytes: list[int]) -> str | None:
    station_id, play_id = airing.play_key
    station_bytes = limits.text_bytes(station_id)
    if station_bytes > limits.PARTITION_KEY_BYTES:
        return f"station_id is {station_bytes:,} bytes long: a key holds at most {limits.PARTITION_KEY_BYTES:,}"
    key_bytes = limits.text_bytes(play_id)
    if key_bytes > limits.SORT_KEY_BYTES:
        track_bytes = limits.text_bytes(airing.matches[0].track_id)
        return (
            f"track_id is {track_bytes:,} bytes long, which makes the play_id {key_bytes:,}: "
            f"a key holds at most {limits.SORT_KEY_BYTES:,}"
        )
    for its_bytes in match_bytes:
        if its_bytes + ADDED_BYTES > limits.ITEM_BYTES:
            return f"the match is {its_bytes:,} bytes large: an item holds at most {limits.ITEM_BYTES:,}"
    return None


def _bytes(airing: Airing, match_bytes: list[int]) -> int:
    """What an airing counts towards the size of a transaction, at most: a play is no larger than its first match."""
    return sum(match_bytes[:1]) + sum(match_bytes) + action_count(airing) * ADDED_BYTES

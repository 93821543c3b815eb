"""Which partition of the index of unprocessed matches a match stands in while it waits."""

from zlib import crc32


def shard_of(station_id: str, shards: int) -> str:
    """The value of ``unprocessed_shard`` that a writer of matches gives a match (docs/contract.md, The three tables).

    A station's matches stand in one partition in the order of time, which joining airings needs.

    Args:
        station_id: the station's id, or the ``match_id`` of a match without a station.
        shards: the stack's ``UnprocessedShards``, 1 to 64.

    Returns:
        A number from ``"0"`` to ``str(shards - 1)``.

    Example:
        >>> shard_of("triplej", 8)
        '4'
    """
    # Half a surrogate pair has no encoding, and a match with one has to wait somewhere all the same.
    return str(crc32(station_id.encode(errors="surrogatepass")) % shards)

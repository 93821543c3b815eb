"""What became of the matches that were loaded, from the items of the three tables. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Item = Mapping[str, Any]

NO_STATION = "(no station)"


@dataclass(frozen=True)
class Station:
    """The matches of a station. ``repeats`` are the matches that joined a play of another match."""

    station_id: str
    matches: int
    plays: int
    repeats: int
    failed: int


@dataclass(frozen=True)
class Reason:
    """The failures of a reason code, with the sentence of one of them."""

    reason_code: str
    failures: int
    match_id: str
    example: str


@dataclass(frozen=True)
class Summary:
    """What became of the matches that were loaded.

    ``problems`` has a sentence for each number that does not add up. If it is empty, every match is accounted for.
    """

    loaded: int
    played: int
    failed: int
    waiting: int
    stranded: int
    plays: int
    stations: tuple[Station, ...]
    reasons: tuple[Reason, ...]
    problems: tuple[str, ...]


def summarise(
    loaded: int, matches: Sequence[Item], plays: Sequence[Item], failures: Sequence[Item], shards: int
) -> Summary:
    """Counts what became of each match, from the items of the three tables.

    Args:
        loaded: how many matches were loaded into an empty stack.
        matches: all of MatchCache.
        plays: all of PlayLog.
        failures: all of FailedPlayLog.
        shards: the stack's ``UnprocessedShards``.
    """
    states = Counter(state_of(match, shards) for match in matches)
    return Summary(
        loaded=loaded,
        played=states["played"],
        failed=states["failed"],
        waiting=states["waiting"],
        stranded=states["stranded"],
        plays=len(plays),
        stations=_stations(matches, plays, shards),
        reasons=_reasons(failures),
        problems=tuple(_problems(loaded, matches, plays, failures, states)),
    )


def state_of(match: Item, shards: int) -> str:
    """The state of a match by the invariants: played, failed or waiting; stranded if none of them."""
    if match.get("processed") is True:
        return "played"
    if "failed_reason" in match:
        return "failed"
    is_in_index = {"unprocessed_shard", "matched_at"} <= match.keys()
    return "waiting" if is_in_index and match["unprocessed_shard"] in map(str, range(shards)) else "stranded"


def _stations(matches: Sequence[Item], plays: Sequence[Item], shards: int) -> tuple[Station, ...]:
    arrived = Counter(_station_of(match) for match in matches)
    failed = Counter(_station_of(match) for match in matches if state_of(match, shards) == "failed")
    created = Counter(_station_of(play) for play in plays)
    joined: Counter[str] = Counter()
    for play in plays:
        joined[_station_of(play)] += int(play["match_count"]) - 1
    ids = sorted(arrived | created, key=lambda station: (station == NO_STATION, station))
    return tuple(Station(id_, arrived[id_], created[id_], joined[id_], failed[id_]) for id_ in ids)


def _station_of(item: Item) -> str:
    """The station of a match or a play; a defective match may have none, or one of another type."""
    station = item.get("station_id")
    return station if isinstance(station, str) and station.strip() else NO_STATION


def _reasons(failures: Sequence[Item]) -> tuple[Reason, ...]:
    """Most frequent first. The match with the lowest id is the example, so that the output is always the same."""
    by_code: dict[str, list[Item]] = {}
    for failure in sorted(failures, key=lambda failure: failure["match_id"]):
        by_code.setdefault(failure["reason_code"], []).append(failure)
    reasons = (Reason(code, len(alike), alike[0]["match_id"], alike[0]["reason"]) for code, alike in by_code.items())
    return tuple(sorted(reasons, key=lambda reason: (-reason.failures, reason.reason_code)))


def _problems(
    loaded: int,
    matches: Sequence[Item],
    plays: Sequence[Item],
    failures: Sequence[Item],
    states: Mapping[str, int],
) -> Iterator[str]:
    if len(matches) != loaded:
        yield f"MatchCache holds {len(matches):,} matches, but {loaded:,} were loaded"
    for state in ("waiting", "stranded"):
        if states[state]:
            yield f"matches that are {state}, where none should be by now: {states[state]:,}"
    accounted = sum(int(play["match_count"]) for play in plays)
    if accounted != states["played"]:
        yield f"match_count adds up to {accounted:,} over the plays, but {states['played']:,} matches are played"
    recorded = {failure["match_id"] for failure in failures}
    unrecorded = [
        match["match_id"] for match in matches if "failed_reason" in match and match["match_id"] not in recorded
    ]
    if unrecorded:
        yield f"failed matches without an item in FailedPlayLog: {len(unrecorded):,}, {unrecorded[0]} for one"

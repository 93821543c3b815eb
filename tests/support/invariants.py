"""The invariants, checked on the items of the three tables and nothing else (docs/contract.md, The invariants).

It shares no code with what it judges.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, TypeAlias

# An item in DynamoDB's wire format: {"track_id": {"S": "XX-PLY-26-00001"}, "match_count": {"N": "2"}}.
Item: TypeAlias = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Tables:
    """All the items of the three tables, as they were at one instant."""

    matches: list[Item]
    plays: list[Item]
    failures: list[Item]


def violations(tables: Tables, shards: int) -> list[str]:
    """Judges whether each match is in exactly one state, and whether plays and failures agree with it.

    Args:
        tables: what they held at one instant.
        shards: the stack's ``UnprocessedShards``, 1 to 64.

    Returns:
        A sentence for each violation, with its keys. Empty if the invariants hold.
    """
    plays = {_play_key(play) for play in tables.plays}
    failures = {(_text(failure, "match_id"), int(failure["attempt"]["N"])): failure for failure in tables.failures}
    created = {_text(play, "match_id"): _play_key(play) for play in tables.plays}
    found: list[str] = []
    for match in tables.matches:
        match_id = _text(match, "match_id")
        match states(match):
            case ["waiting"]:
                about = _waiting(match, shards, created)
            case ["played"]:
                about = _played(match, plays)
            case ["failed"]:
                about = _failed(match, failures)
            case []:
                about = ["is in no state"]
            case several:
                about = [f"is {' and '.join(several)} at once"]
        attempts = _attempts(match)
        if attempts and (match_id, attempts) not in failures:
            about.append(f"has {attempts} attempts and no record of the last")
        found += [f"match {match_id} {sentence}" for sentence in about]
    return found + _miscounted(tables)


def states(match: Item) -> list[str]:
    """The states whose attributes a match has: exactly one if the invariants hold."""
    marks = {
        "waiting": "unprocessed_shard" in match,
        "played": match.get("processed") == {"BOOL": True},
        "failed": "failed_reason" in match,
    }
    return [state for state, shown in marks.items() if shown]


def _waiting(match: Item, shards: int, created: dict[str, tuple[str, str]]) -> list[str]:
    about: list[str] = []
    shard = _text(match, "unprocessed_shard")
    if shard not in map(str, range(shards)) or "S" not in match.get("matched_at", {}):
        about.append(f"is stranded: shard {shard!r}, time {match.get('matched_at')!r}")
    for mark in ("play_id", "processed_at"):
        if mark in match:
            about.append(f"waits and has {mark} {match[mark]!r}")
    if "expires_at" in match:
        about.append("waits and expires")
    if _text(match, "match_id") in created:
        about.append(f"waits, and play {created[_text(match, 'match_id')]} was created by it")
    return about


def _played(match: Item, plays: set[tuple[str, str]]) -> list[str]:
    about = [f"is played and has no {mark}" for mark in ("play_id", "processed_at") if not _text(match, mark)]
    if _play_key(match) not in plays:
        about.append(f"is played, and there is no play {_play_key(match)}")
    return about


def _failed(match: Item, failures: dict[tuple[str, int], Item]) -> list[str]:
    if "expires_at" in match:
        return ["has failed and expires"]
    record = failures.get((_text(match, "match_id"), _attempts(match)))
    if record is None:
        return [f"has failed, and there is no record of attempt {_attempts(match)}"]
    about = []
    if record["reason"] != match["failed_reason"]:
        about.append(f"has failed as {match['failed_reason']}, and its record says {record['reason']}")
    if record["will_retry"] != {"BOOL": False}:
        about.append("has failed for good, and its record says that it is tried again")
    return about


def _miscounted(tables: Tables) -> list[str]:
    """Plays whose matches are not as many as they say, or do not hold the one that created them."""
    played = [match for match in tables.matches if states(match) == ["played"]]
    counts = Counter(map(_play_key, played))
    creators = {(_play_key(match), _text(match, "match_id")) for match in played}
    found = []
    for play in tables.plays:
        key, counted = _play_key(play), int(play["match_count"]["N"])
        if counted != counts[key]:
            found.append(f"play {key} says {counted} matches and has {counts[key]}")
        elif (key, _text(play, "match_id")) not in creators:
            found.append(f"play {key} was created by match {_text(play, 'match_id')}, which is not of it")
    return found


def _play_key(item: Item) -> tuple[str, str]:
    return _text(item, "station_id"), _text(item, "play_id")


def _attempts(match: Item) -> int:
    # A counter that is no number is a defect of the match, which counts none.
    return int(match.get("attempts", {}).get("N", "0"))


def _text(item: Item, name: str) -> str:
    text: str = item.get(name, {}).get("S", "")
    return text

"""Tables of any size in which every kind of violation stands beside matches and plays that are in order."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog_cli.auditing.invariants import Kind
from playlog_cli.exporting.items import number_text

from tests.support.builders import make_item, without
from tests.support.invariants import Tables

BEGINS = datetime(2026, 3, 14, tzinfo=UTC)
SHARDS = 8
REASON = "track_id is ' '"


def broken_tables(airings: int, of_each_kind: int, seed: int) -> Tables:
    """Makes airings of one to four matches, and matches that wait or have failed; then breaks some of each.

    Args:
        airings: how many.
        of_each_kind: how many violations of each kind, and at most a sixteenth of the airings.
        seed: the same gives the same tables.
    """
    draw = random.Random(seed)
    made = [_airing(draw, number) for number in range(airings)]
    draw.shuffle(made)
    failures: list[Item] = []
    alone: list[Item] = []
    for number in range(airings // 4):
        alone.append(make_item(f"waits-{number}"))
        failed = _failed(f"failed-{number}")
        alone.append(failed)
        failures.append(_record(failed))
    broken = iter(made)
    for kind in Kind:
        for number in range(of_each_kind):
            more, records = _break(kind, number, *next(broken))
            alone += more
            failures += records
    matches = [match for of_play, _ in made for match in of_play] + alone
    draw.shuffle(matches)
    return Tables(matches, [play for _, some in made for play in some], failures)


def _airing(draw: random.Random, number: int) -> tuple[list[Item], list[Item]]:
    """The matches of a play, and the play: a list of one, so that it can be removed."""
    start = BEGINS + timedelta(seconds=60 * number, microseconds=draw.randrange(1_000_000))
    station, track = f"station-{draw.randrange(5)}", f"track-{draw.randrange(50)}"
    play_id = f"{timestamps.to_text(start)}#{track}"
    matches, stops, scores = [], [], []
    for position in range(draw.randrange(1, 5)):
        matched_at, seconds = start + timedelta(seconds=10 * position), draw.randrange(1, 200)
        attributes: Item = {
            "station_id": {"S": station},
            "track_id": {"S": track},
            "matched_at": {"S": timestamps.to_text(matched_at)},
            "processed": {"BOOL": True},
            "processed_at": {"S": timestamps.to_text(start + timedelta(hours=1))},
            "play_id": {"S": play_id},
            "duration_seconds": {"N": str(seconds)},
        }
        if draw.random() < 0.8:
            scores.append(Decimal(draw.randrange(10_000)) / 100)
            attributes["avg_confidence_score"] = {"N": number_text(scores[-1])}
        matches.append(without(make_item(f"m-{number}-{position}", **attributes), "unprocessed_shard"))
        stops.append(matched_at + timedelta(seconds=seconds))
    play: Item = {
        "station_id": {"S": station},
        "play_id": {"S": play_id},
        "track_id": {"S": track},
        "source": {"S": "Radio"},
        "match_id": draw.choice(matches)["match_id"],
        "match_count": {"N": str(len(matches))},
        "played_at": {"S": timestamps.to_text(start)},
        "start_time": {"S": timestamps.to_text(start)},
        "stop_time": {"S": timestamps.to_text(max(stops))},
        "duration_seconds": {"N": str(int((max(stops) - start).total_seconds()))},
        "active": {"BOOL": draw.random() > 0.05},
        "flagged": {"BOOL": draw.random() < 0.1},
        "is_archived": {"BOOL": False},
        "created_at": {"S": timestamps.to_text(start + timedelta(hours=1))},
    }
    if scores:
        play["avg_confidence_score"] = {"N": number_text(sum(scores) / Decimal(len(scores)))}
    return matches, [play]


def _break(kind: Kind, number: int, matches: list[Item], plays: list[Item]) -> tuple[list[Item], list[Item]]:
    """Makes one violation of a kind.

    Returns:
        Matches and records that there are besides.
    """
    name = f"{kind}-{number}"
    (play,) = plays
    creator = next(match for match in matches if match["match_id"] == play["match_id"])
    match kind:
        case Kind.STRANDED:
            return [without(make_item(name), "unprocessed_shard")], []
        case Kind.IN_TWO_STATES:
            creator["unprocessed_shard"] = {"S": "3"}
        case Kind.PLAYED_WITHOUT_PLAY:
            plays.clear()
        case Kind.PLAYED_WITHOUT_TIME:
            del creator["processed_at"]
        case Kind.FAILED_WITHOUT_RECORD:
            return [_failed(name)], []
        case Kind.RECORD_DIFFERS:
            return [_failed(name)], [_record(_failed(name)) | {"reason": {"S": "source is 'TV'"}}]
        case Kind.PLAY_MISCOUNTED:
            play["match_count"] = {"N": str(len(matches) + 1)}
        case Kind.PLAY_WITHOUT_MATCHES:
            matches.clear()
        case Kind.PLAY_OF_ANOTHER_MATCH:
            play["match_id"] = {"S": name}
        case Kind.PLAY_DIFFERS:
            later = timestamps.from_text(play["stop_time"]["S"]) + timedelta(microseconds=20)
            play["stop_time"] = {"S": timestamps.to_text(later)}
    return [], []


def _failed(match_id: str) -> Item:
    match = make_item(match_id, failed_reason={"S": REASON}, attempts={"N": "1"}, track_id={"S": " "})
    return without(match, "unprocessed_shard")


def _record(match: Item) -> Item:
    return {
        "match_id": match["match_id"],
        "attempt": {"N": "1"},
        "reason_code": {"S": "MISSING_TRACK"},
        "reason": {"S": REASON},
        "will_retry": {"BOOL": False},
        "failed_at": {"S": timestamps.to_text(BEGINS)},
        "stored_at": {"S": timestamps.to_text(BEGINS)},
    }

"""Failed matches of ordinary size, each with the record of its attempt, as a bad week leaves them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.schema import ReasonCode
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import batched

STATIONS = 40
DAYS = 14
# Of ten failures, so many have this code, with this attribute as its writer wrote it.
KINDS: tuple[tuple[int, ReasonCode, str, dict[str, str]], ...] = (
    (6, ReasonCode.INVALID_SOURCE, "source", {"S": "radio"}),
    (2, ReasonCode.INVALID_DURATION, "duration_seconds", {"N": "0"}),
    (1, ReasonCode.INVALID_CONFIDENCE, "avg_confidence_score", {"N": "101"}),
    (1, ReasonCode.INVALID_TIME, "matched_at", {"S": "14.03.2026 08:00"}),
)
REQUEST_ITEMS = 25  # quota of BatchWriteItem
WRITERS = 4


def put_failures(stack: Stack, count: int, now: datetime, progress: Callable[[int], None]) -> None:
    """Writes failed matches and their records, evenly over the last days.

    Args:
        stack: where.
        count: how many.
        now: the latest failure, with an offset.
        progress: receives the number of failures just written.
    """

    def put(chunk: list[tuple[Item, Item]]) -> None:
        for table, items in (
            (stack.match_cache_table, [match for match, _record in chunk]),
            (stack.failed_play_log_table, [record for _match, record in chunk]),
        ):
            left = {table: [{"PutRequest": {"Item": item}} for item in items]}
            while left:
                left = stack.dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]  # type: ignore[arg-type, assignment]
        progress(len(chunk))

    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(put, batched(_failures(count, now), REQUEST_ITEMS)):
            pass


def _failures(count: int, now: datetime) -> Iterator[tuple[Item, Item]]:
    """Matches and records, the oldest first."""
    kinds = [(code, name, value) for share, code, name, value in KINDS for _ in range(share)]
    for number in range(count):
        code, name, value = kinds[number % len(kinds)]
        failed_at = now - timedelta(days=DAYS) * ((count - number) / count)
        station = f"station-{number // 10 % STATIONS:02}"
        reason = f"{name} is {next(iter(value.values()))!r}: see docs/writing-matches.md for what would be right"
        seen: Item = {
            "match_id": {"S": f"m-{number:07}"},
            "matched_at": {"S": (failed_at - timedelta(minutes=5)).isoformat()},
            "track_id": {"S": f"XX-PLY-26-{number % 977:05}"},
            "station_id": {"S": station},
            "station_program_id": {"S": f"{station}/drive"},
            "source": {"S": "Radio"},
            "duration_seconds": {"N": "187"},
            "avg_confidence_score": {"N": "93.5"},
            "processed": {"BOOL": False},
            "artist": {"S": "Vantonge & the Cartographers"},
            "title": {"S": f"Slow Harbour, part {number % 977}"},
            name: value,
        }
        record: Item = {
            "match_id": seen["match_id"],
            "attempt": {"N": "1"},
            "reason_code": {"S": code.value},
            "reason": {"S": reason},
            "will_retry": {"BOOL": False},
            "failed_at": {"S": timestamps.to_text(failed_at)},
            "stored_at": {"S": timestamps.to_text(failed_at)},
            "match": {"M": seen},
        }
        yield {**seen, "attempts": {"N": "1"}, "failed_reason": {"S": reason}}, record

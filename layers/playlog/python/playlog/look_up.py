"""look up: which plays are there already that these matches may join? Only where airings have a gap."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from playlog import limits, timestamps, wire
from playlog.airing import Play, PlayKey
from playlog.guard import Guard
from playlog.match import Item, Match
from playlog.retry import Retry, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Matches further apart than this are looked up apart: what lies between them is more than a request costs.
FAR_APART = timedelta(days=7)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_NAMES = {f"#{number}": name for number, name in enumerate(wire.PLAY_ATTRIBUTES)}


@dataclass(slots=True)
class LookUp:
    """Reads plays, strongly consistent, and keeps the guards that tell whether what was read still stands.

    A guard is read once, before the plays of its station. From then on each transaction of this pass says what it is.

    Args:
        dynamodb: client.
        tables: where from.
        gap: silence up to which two matches are one airing.
        retry: the run's patience.
    """

    dynamodb: "DynamoDBClient"
    tables: wire.Tables
    gap: timedelta
    retry: Retry
    _guards: dict[str, Guard] = field(default_factory=dict)

    def plays(self, matches: Iterable[Match]) -> dict[PlayKey, Play]:
        """All the plays that matches may join, by one query a station.

        Raises:
            UnavailableError: DynamoDB did not answer within the run's time.
            RequestError: DynamoDB cannot do this at all: access denied, no such table.
        """
        heard: defaultdict[str, list[Match]] = defaultdict(list)
        for match in matches:
            heard[match.station_id].append(match)
        # A station whose id no key holds has no plays, and no request may name it.
        stations = [station for station in heard if len(station.encode()) <= limits.PARTITION_KEY_BYTES]
        self._read_guards([station for station in stations if station not in self._guards])
        found: dict[PlayKey, Play] = {}
        for station in stations:
            guard = self._guards[station]
            plays = [play for times in _times(heard[station]) for play in self._read_plays(guard, *times)]
            self._guards[station] = guard.having_seen(plays)
            found |= {play.key: play for play in plays}
        return found

    def guard(self, station_id: str) -> Guard:
        """The guard of a station, as it was before its plays were read."""
        return self._guards.get(station_id) or Guard(station_id)

    def has_raised(self, guard: Guard) -> None:
        """Takes note of a guard after a transaction of this pass."""
        self._guards[guard.station_id] = guard

    def was_overtaken(self, guard: Guard) -> None:
        """Takes note that somebody else wrote plays of a station: the guard is read again, before they are."""
        self._guards.pop(guard.station_id, None)

    def _read_guards(self, stations: list[str]) -> None:
        keys = [{"station_id": {"S": station}} for station in stations]
        for _ in self.retry.rounds():
            if not keys:
                break
            answer: Any = self.retry.call(
                self.dynamodb.batch_get_item,
                f"table {self.tables.station_guard}",
                RequestItems={self.tables.station_guard: {"Keys": keys, "ConsistentRead": True}},
            )
            for item in answer["Responses"].get(self.tables.station_guard, []):
                guard = wire.read_guard(item)
                self._guards[guard.station_id] = guard
            # Where DynamoDB throttles, it answers in part.
            keys = answer.get("UnprocessedKeys", {}).get(self.tables.station_guard, {}).get("Keys", [])
        if keys:
            raise UnavailableError(f"table {self.tables.station_guard}: throttling to the end of the time")
        for station in stations:
            self._guards.setdefault(station, Guard(station))

    def _read_plays(self, guard: Guard, first: datetime, last: datetime) -> Iterator[Play]:
        """The plays of a station that may reach into a span of time."""
        around = self.gap + guard.looked_up
        begin = timestamps.to_text(first - around if first - _FIRST > around else _FIRST)
        end = timestamps.to_text(last + around if _LAST - last > around else _LAST)
        cursor: dict[str, Any] = {}
        while True:
            answer: Any = self.retry.call(
                self.dynamodb.query,
                f"table {self.tables.play_log}",
                TableName=self.tables.play_log,
                ConsistentRead=True,
                KeyConditionExpression="#0 = :station AND #1 BETWEEN :begin AND :end",
                ProjectionExpression=", ".join(_NAMES),
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={
                    ":station": {"S": guard.station_id},
                    ":begin": {"S": begin},
                    ":end": {"S": f"{end}$"},  # the character after the # that a time is followed by
                },
                **cursor,
            )
            for item in answer["Items"]:
                if play := _play(item):
                    yield play
            if "LastEvaluatedKey" not in answer:
                return
            cursor = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _play(item: Item) -> Play | None:
    try:
        return wire.read_play(item)
    except ValueError:
        return None  # its key is none of the contract's: no match of ours can join it


def _times(matches: Iterable[Match]) -> Iterator[tuple[datetime, datetime]]:
    """The spans of time that matches take up: nearly always one."""
    first = last = None
    for match in sorted(matches, key=lambda match: match.matched_at):
        if first and last and match.matched_at - last > FAR_APART:
            yield first, last
            first = last = None
        first = first or match.matched_at
        last = max(last or match.matched_at, match.matched_at + match.duration)
    if first and last:
        yield first, last

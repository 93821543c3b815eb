"""look up: which plays are there already that these matches may join? Only where airings have a gap."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from playlog.converting import actions
from playlog.converting.guard import Guard
from playlog.domain import timestamps
from playlog.domain.match import Item, Match
from playlog.domain.play import Play, PlayKey
from playlog.dynamodb import limits
from playlog.dynamodb.client import Client
from playlog.runtime.retry import Retry, UnavailableError

# What a look-up reads beyond its matches: a backlog's next pages then need none.
AHEAD = timedelta(hours=1)
# Matches further apart than this are looked up apart: what lies between them is more than a request costs.
FAR_APART = timedelta(days=7)
# Amazon DynamoDB API Reference, BatchGetItem: it takes 100 keys. A page with what is held may name more stations.
KEYS_A_REQUEST = 100
# Plays that are kept in mind; more are forgotten and read again.
PLAYS_KEPT = 10_000
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_NAMES = {f"#{number}": name for number, name in enumerate(actions.PLAY_ATTRIBUTES)}


@dataclass(frozen=True, slots=True)
class Span:
    """From a time to a time, both included."""

    begin: datetime
    end: datetime

    def widened(self, before: timedelta, after: timedelta) -> "Span":
        """The span and some time around it, as far as there is a calendar."""
        return Span(
            self.begin - before if self.begin - _FIRST > before else _FIRST,
            self.end + after if _LAST - self.end > after else _LAST,
        )

    def __contains__(self, other: "Span") -> bool:
        return self.begin <= other.begin and other.end <= self.end


@dataclass(slots=True)
class _Station:
    """What is known of a station, and stands as long as nobody else raises its guard.

    Attributes:
        guard: as this pass read it or raised it.
        looked_up: the times in ``play_id`` of which all plays are known; None before the first look-up.
        plays: that are known.
    """

    guard: Guard
    looked_up: Span | None = None
    plays: dict[PlayKey, Play] = field(default_factory=dict)


@dataclass(slots=True)
class LookUp:
    """Reads plays, strongly consistent, and keeps them and the guards that tell whether what was read still stands.

    A guard is read once, before the plays of its station. From then on each transaction of this pass says what it is.

    Args:
        dynamodb: client.
        tables: where from.
        gap: silence up to which two matches are one airing.
        retry: the run's patience.
    """

    dynamodb: Client
    tables: actions.Tables
    gap: timedelta
    retry: Retry
    _stations: dict[str, _Station] = field(default_factory=dict)

    def plays(self, matches: Iterable[Match]) -> dict[PlayKey, Play]:
        """All the plays that matches may join, among others, by at most one query a station.

        Raises:
            UnavailableError: DynamoDB did not answer within the run's time.
            RequestError: DynamoDB cannot do this at all: access denied, no such table.
        """
        heard: defaultdict[str, list[Match]] = defaultdict(list)
        for match in matches:
            # A station whose id no key holds has no plays, and no request may name it.
            if limits.text_bytes(match.station_id) <= limits.PARTITION_KEY_BYTES:
                heard[match.station_id].append(match)
        self._forget_many()
        self._read_guards([station_id for station_id in heard if station_id not in self._stations])
        found: dict[PlayKey, Play] = {}
        for station_id, of_station in heard.items():
            for span in _spans(of_station):
                found |= self._plays(self._stations[station_id], span)
        return found

    def guard(self, station_id: str) -> Guard:
        """The guard of a station, as it was before its plays were read."""
        station = self._stations.get(station_id)
        return station.guard if station else Guard(station_id)

    def has_raised(self, guard: Guard, plays: Iterable[Play]) -> None:
        """Takes note of a transaction of this pass: a station's guard after it, and its plays as it wrote them."""
        station = self._stations.setdefault(guard.station_id, _Station(guard))
        station.guard = guard
        station.plays |= {play.key: play for play in plays}

    def forget(self, station_id: str) -> None:
        """Takes note that somebody else wrote plays of a station: its guard is read again, and then they are."""
        self._stations.pop(station_id, None)

    def _forget_many(self) -> None:
        if sum(len(station.plays) for station in self._stations.values()) > PLAYS_KEPT:
            self._stations.clear()

    def _read_guards(self, station_ids: list[str]) -> None:
        for start in range(0, len(station_ids), KEYS_A_REQUEST):
            self._read_some_guards(station_ids[start : start + KEYS_A_REQUEST])

    def _read_some_guards(self, station_ids: list[str]) -> None:
        keys = [{"station_id": {"S": station_id}} for station_id in station_ids]
        for _ in self.retry.rounds():
            if not keys:
                break
            answer: Any = self.retry.call(
                self.dynamodb.batch_get_item,
                f"table {self.tables.station_guard}",
                RequestItems={self.tables.station_guard: {"Keys": keys, "ConsistentRead": True}},
            )
            for item in answer["Responses"].get(self.tables.station_guard, []):
                guard = actions.read_guard(item)
                self._stations[guard.station_id] = _Station(guard)
            # Where DynamoDB throttles, it answers in part.
            keys = answer.get("UnprocessedKeys", {}).get(self.tables.station_guard, {}).get("Keys", [])
        if keys:
            raise UnavailableError(f"table {self.tables.station_guard}: throttling to the end of the time")
        for station_id in station_ids:
            self._stations.setdefault(station_id, _Station(Guard(station_id)))

    def _plays(self, station: _Station, span: Span) -> dict[PlayKey, Play]:
        """The plays of a station, those that may reach into a span among them."""
        around = self.gap + station.guard.looked_up
        wanted = span.widened(around, around)
        if station.looked_up is None or wanted not in station.looked_up:
            station.looked_up = span.widened(around, around + AHEAD)
            station.plays = {play.key: play for play in self._read_plays(station.guard.station_id, station.looked_up)}
            station.guard = station.guard.having_seen(station.plays.values())
        return station.plays

    def _read_plays(self, station_id: str, span: Span) -> Iterator[Play]:
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
                    ":station": {"S": station_id},
                    ":begin": {"S": timestamps.to_text(span.begin)},
                    # "$" comes after the "#" that follows the time.
                    ":end": {"S": f"{timestamps.to_text(span.end)}$"},
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
        return actions.read_play(item)
    except ValueError:
        return None  # its key is none of the contract's: no match of ours can join it


def _spans(matches: Iterable[Match]) -> Iterator[Span]:
    """The spans of time that matches take up: nearly always one."""
    span: Span | None = None
    for match in sorted(matches, key=lambda match: match.matched_at):
        if span and match.matched_at - span.end > FAR_APART:
            yield span
            span = None
        stop = match.matched_at + match.duration
        span = replace(span, end=max(span.end, stop)) if span else Span(match.matched_at, stop)
    if span:
        yield span

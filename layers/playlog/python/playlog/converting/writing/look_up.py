"""Look up: the plays that are written already and that matches may join. Only ``WithinGap`` needs it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from playlog.converting.writing import actions
from playlog.converting.writing.guard import Guard
from playlog.domain import timestamps
from playlog.domain.match import Item, Match
from playlog.domain.play import Play, PlayKey
from playlog.dynamodb import limits
from playlog.dynamodb.client import Client
from playlog.runtime.retry import Retry, UnavailableError

# A look-up reads this far beyond its matches, so that the next pages of a backlog need none.
AHEAD = timedelta(hours=1)
# Matches further apart than this are looked up separately: reading all plays between them would cost more.
FAR_APART = timedelta(days=7)
# Quota of BatchGetItem (Amazon DynamoDB API Reference). A page with deferred matches may name more stations.
KEYS_A_REQUEST = 100
# The most plays that are cached; with more, the cache is emptied.
PLAYS_KEPT = 10_000
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_NAMES = {f"#{number}": name for number, name in enumerate(actions.PLAY_ATTRIBUTES)}


@dataclass(frozen=True, slots=True)
class Span:
    """From a time to a time, both included."""

    begin: datetime
    end: datetime

    def widened(self, before: timedelta, after: timedelta) -> "Span":
        """The span with some time around it, within the years 1 to 9999."""
        return Span(
            self.begin - before if self.begin - _FIRST > before else _FIRST,
            self.end + after if _LAST - self.end > after else _LAST,
        )

    def __contains__(self, other: "Span") -> bool:
        return self.begin <= other.begin and other.end <= self.end


@dataclass(slots=True)
class _Station:
    """Cached state of a station. Valid until another run raises the guard's version.

    Attributes:
        guard: as this run read it or raised it.
        looked_up: all plays with a ``play_id`` of these times are cached; None before the first look-up.
        plays: the cached plays.
    """

    guard: Guard
    looked_up: Span | None = None
    plays: dict[PlayKey, Play] = field(default_factory=dict)


@dataclass(slots=True)
class LookUp:
    """Reads plays with strong consistency, and caches them with the guards that show whether the cache is valid.

    A guard is read once, before the plays of its station. Afterwards each transaction of this run raises it.

    Args:
        dynamodb: client.
        tables: where to read.
        gap: the longest silence between two matches of one airing.
        retry: the run's retry budget.
    """

    dynamodb: Client
    tables: actions.Tables
    gap: timedelta
    retry: Retry
    _stations: dict[str, _Station] = field(default_factory=dict)

    def plays(self, matches: Iterable[Match]) -> dict[PlayKey, Play]:
        """Returns at least all plays that matches may join, with at most one query per station and span of time.

        Raises:
            UnavailableError: DynamoDB did not answer within the retry budget.
            RequestError: DynamoDB denies access, or a table does not exist.
        """
        heard: defaultdict[str, list[Match]] = defaultdict(list)
        for match in matches:
            # A station id that is too long for a key has no plays, and a request with it would be refused.
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

    def remember(self, guard: Guard, plays: Iterable[Play]) -> None:
        """Caches what a transaction of this run wrote: a station's guard and plays."""
        station = self._stations.setdefault(guard.station_id, _Station(guard))
        station.guard = guard
        station.plays |= {play.key: play for play in plays}

    def forget(self, station_id: str) -> None:
        """Forgets a station after a concurrent write, so that its guard and plays are read again."""
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
            # DynamoDB answers in part when it throttles.
            keys = answer.get("UnprocessedKeys", {}).get(self.tables.station_guard, {}).get("Keys", [])
        if keys:
            raise UnavailableError(f"table {self.tables.station_guard}: throttled until the retry budget was exhausted")
        for station_id in station_ids:
            self._stations.setdefault(station_id, _Station(Guard(station_id)))

    def _plays(self, station: _Station, span: Span) -> dict[PlayKey, Play]:
        """At least all plays of a station that may reach into a span."""
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
                    # "$" sorts after the "#" that follows the time.
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
        return None  # its key is not a play_id, so no match can join it


def _spans(matches: Iterable[Match]) -> Iterator[Span]:
    """The spans of time that matches cover: nearly always one."""
    span: Span | None = None
    for match in sorted(matches, key=lambda match: match.matched_at):
        if span and match.matched_at - span.end > FAR_APART:
            yield span
            span = None
        stop = match.matched_at + match.duration
        span = replace(span, end=max(span.end, stop)) if span else Span(match.matched_at, stop)
    if span:
        yield span

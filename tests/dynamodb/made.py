"""Matches and plays as the tests of this folder write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import Any

from playlog.converting.writing.actions import Action, Tables
from playlog.converting.writing.writer import Writer
from playlog.converting.writing.written import Written
from playlog.domain.airing import Airing
from playlog.domain.duplicates import ExactInstant
from playlog.domain.match import Item, Match
from playlog.domain.play import Play
from playlog.runtime.retry import Retry

from tests.support.actions import decode_airing
from tests.support.clients import client_of

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
NONE_FLAGGED = Decimal(0)
SHARD = {"S": "0"}
WAITING: dict[str, Any] = {
    "unprocessed_shard": SHARD,
    "matched_at": {"S": NOON.isoformat()},
    "processed": {"BOOL": False},
}


def match(
    match_id: str,
    *,
    station: str | None = None,
    track: str = "track",
    programme: str | None = None,
    item: Item | None = None,
) -> Match:
    """A valid match at noon, by default on a station of its own."""
    return Match(
        match_id=match_id,
        station_id=station or f"station-{match_id}",
        track_id=track,
        matched_at=NOON,
        duration=timedelta(minutes=3),
        source="Radio",
        carried={} if programme is None else {"station_program_id": programme},
        avg_confidence_score=Decimal(90),
        item=item or {"match_id": {"S": match_id}, **WAITING},
    )


def write(client: Any, tables: Tables, matches: Sequence[Match], written: Written, retry: Retry) -> None:
    """Writes the matches of a page; only those of the same instant are one play."""
    writer = Writer(client_of(client), tables, ExactInstant(), NONE_FLAGGED, retry, Event())
    writer.write(matches, written)
    writer.finish(written)


@dataclass(frozen=True)
class Conversion:
    """The write of an airing: what playlog sends for it."""

    airing: Airing
    play: Play
    tables: Tables

    @classmethod
    def of(cls, tables: Tables, *matches: Match, joins: Play | None = None) -> "Conversion":
        """The conversion of matches of one airing, which create a play or join one."""
        airing = Airing.joining(joins, matches) if joins else Airing.creating(matches)
        return cls(airing, airing.play_with_matches(NONE_FLAGGED), tables)

    @property
    def actions(self) -> list[Action]:
        """The play's action, then one for each match."""
        return decode_airing(self.airing, self.play, self.tables, NOON)

"""Count the plays of a period by what decides who is paid for them. Pure.

A million plays leave no more here than a few numbers for each track and rule.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from playlog_cli.catalog.entry import Catalog
from playlog_cli.catalog.shares import days_of_change
from playlog_cli.reporting.listing.listed_play import DIGESTS, ListedPlay, digest_of
from playlog_cli.reporting.rate_card import EXACT, RateCard, Rule

# Day from which on the shares of a track are the same, and whether the plays are flagged.
Group: TypeAlias = tuple[date, bool]
TrackAndRule: TypeAlias = tuple[str, Rule | None]


@dataclass(slots=True)
class Tally:
    """What some plays add up to.

    Attributes:
        plays: how many.
        seconds: how long all of them were heard.
    """

    plays: int = 0
    seconds: Decimal = Decimal(0)

    def add(self, seconds: Decimal) -> None:
        """Adds a play."""
        self.plays += 1
        self.seconds = EXACT.add(self.seconds, seconds)


@dataclass
class Tallies:
    """The plays of a period, counted.

    Attributes:
        groups: the plays that count, by track and rule, and then by group.
        withdrawn: how many plays of a track and rule were withdrawn.
        plays: how many plays there are, with those that were withdrawn.
        digest: tells whether two sets of plays are the same: the sum of the SHA-256 of each play, modulo 2^256, so
            that the order of the plays does not matter.
    """

    groups: dict[TrackAndRule, dict[Group, Tally]] = field(default_factory=lambda: defaultdict(dict))
    withdrawn: dict[TrackAndRule, int] = field(default_factory=lambda: defaultdict(int))
    plays: int = 0
    digest: int = 0


def tally(plays: Iterable[ListedPlay], catalog: Catalog, card: RateCard, zone: ZoneInfo) -> Tallies:
    """Counts plays.

    Args:
        plays: of the period, each one once, in any order.
        catalog: the shares of the tracks.
        card: what a play is paid.
        zone: of the days on which shares begin and end.
    """
    tallies = Tallies()
    changes: dict[str, list[date]] = {}
    for play in plays:
        tallies.plays += 1
        tallies.digest = (tallies.digest + digest_of(play)) % DIGESTS
        key = play.track_id, card.rule_for(play.station_id, play.played_at, play.confidence)
        if not play.active:
            tallies.withdrawn[key] += 1
            continue
        if play.track_id not in changes:
            changes[play.track_id] = days_of_change(catalog.entry(play.track_id).shares)
        of_track = changes[play.track_id]
        since = date.min
        if of_track:
            number = bisect_right(of_track, play.played_at.astimezone(zone).date())
            since = of_track[number - 1] if number else since
        groups = tallies.groups[key]
        group = since, play.flagged
        if group not in groups:
            groups[group] = Tally()
        groups[group].add(play.seconds)
    return tallies

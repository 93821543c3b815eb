"""A rate card: what a play is paid, by station, hour of the day and confidence (docs/report.md, Rate cards). Pure."""

import decimal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

# Sums and products of what a card and a play can hold have fewer digits: nothing is rounded unsaid, it would raise.
EXACT = Context(prec=200, traps=[decimal.Inexact, decimal.InvalidOperation])


_ROUND = Context(prec=200)


HOURS = frozenset(range(24))


NO_RULE = "no rule"


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Adds amounts up. Python's own ``sum`` rounds to 28 digits."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


class RateCardError(Exception):
    """What is wrong with which key of a rate card, and what would be right."""


class Per(StrEnum):
    """What a rate is multiplied with."""

    PLAY = "play"
    SECOND = "second"


class Rounding(StrEnum):
    """What becomes of half a unit of the last decimal place."""

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"

    @property
    def of_decimal(self) -> str:
        """Its name in the module ``decimal``."""
        return {Rounding.HALF_UP: decimal.ROUND_HALF_UP, Rounding.HALF_EVEN: decimal.ROUND_HALF_EVEN}[self]


@dataclass(frozen=True, slots=True)
class Rule:
    """What certain plays are paid.

    Attributes:
        name: stands beside each amount that it makes.
        rate: 0 or more, in the card's currency.
        per: what the rate is multiplied with.
        stations: whose plays; None for any station's.
        hours: of the day in the station's time zone, 0 to 23, in which the play begins.
        min_confidence: least confidence of the play, 0 to 100, and then it must have one; None if that does not matter.
    """

    name: str
    rate: Decimal
    per: Per
    stations: frozenset[str] | None = None
    hours: frozenset[int] = HOURS
    min_confidence: Decimal | None = None

    def __hash__(self) -> int:
        return hash(self.name)  # which no other rule of a card has: and each play is looked up by its rule

    def amount(self, plays: int, seconds: Decimal) -> Decimal:
        """What plays of this rule come to, exactly.

        Args:
            plays: how many.
            seconds: how long all of them together.
        """
        return EXACT.multiply(self.rate, Decimal(plays) if self.per is Per.PLAY else seconds)


@dataclass(frozen=True)
class RateCard:
    """The rules by which plays are paid; the first that fits a play counts.

    Attributes:
        currency: ISO 4217, like ``EUR``.
        decimal_places: that amounts are rounded to.
        rounding: of half a unit.
        time_zone: of the stations that ``time_zones`` does not name; None if no rule asks for it.
        time_zones: of stations.
        rules: in the order of the card.
    """

    currency: str
    decimal_places: int
    rounding: Rounding
    time_zone: ZoneInfo | None
    time_zones: Mapping[str, ZoneInfo]
    rules: Sequence[Rule]
    _of_station: dict[str, list[Rule]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def rule_for(self, station_id: str, played_at: datetime, confidence: Decimal | None) -> Rule | None:
        """The rule that a play is paid by.

        Args:
            station_id: that it was heard on.
            played_at: when it began, with an offset.
            confidence: 0 to 100; None if it has none.

        Returns:
            None if no rule fits.
        """
        if station_id not in self._of_station:
            of_station = [rule for rule in self.rules if rule.stations is None or station_id in rule.stations]
            self._of_station[station_id] = of_station
        for rule in self._of_station[station_id]:
            if rule.min_confidence is not None and (confidence is None or confidence < rule.min_confidence):
                continue
            if rule.hours is HOURS or self._hour(station_id, played_at) in rule.hours:
                return rule
        return None

    def rounded(self, amount: Decimal) -> Decimal:
        """An exact amount as it is paid."""
        unit = Decimal(1).scaleb(-self.decimal_places)
        return amount.quantize(unit, rounding=self.rounding.of_decimal, context=_ROUND)

    def in_full(self, amount: Decimal) -> Decimal:
        """An exact amount with all its digits, and with at least the card's decimal places.

        A card with more decimal places may have made it.
        """
        return amount if -int(amount.as_tuple().exponent) >= self.decimal_places else self.rounded(amount)

    def _hour(self, station_id: str, played_at: datetime) -> int:
        return played_at.astimezone(self.time_zones.get(station_id, self.time_zone)).hour

"""A rate card in SQL: which rule pays a play. Pure.

What decides on the rule is the play's station, the hour there, and which of the card's confidences it reaches. For each
combination, Python finds the first rule that fits. SQL looks it up in a small table, so that a play costs two look-ups,
however many stations and rules the card has.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Context, Decimal
from itertools import product
from zoneinfo import ZoneInfo

from playlog_cli.exporting.engine import literal
from playlog_cli.reporting.rate_card import HOURS, RateCard, Rule
from playlog_cli.reporting.sums import clock

_CONFIDENCE_PLACES = 35  # of the column avg_confidence_score


@dataclass(frozen=True, slots=True)
class Class:
    """Stations that a card treats alike.

    Attributes:
        stations: their ids; empty for all that the card does not name.
        rules: the numbers of the rules that are for them, in the order of the card.
        zone: their time zone; None if no rule asks for it.
    """

    stations: Sequence[str]
    rules: Sequence[int]
    zone: ZoneInfo | None


@dataclass(frozen=True)
class CardSql:
    """What the SQL of a report needs of a card.

    Attributes:
        card: the card.
        classes: of stations. The last one is for all stations that the card does not name.
        thresholds: the confidences that rules ask for, in ascending order.
    """

    card: RateCard
    classes: Sequence[Class]
    thresholds: Sequence[Decimal]

    @classmethod
    def of(cls, card: RateCard) -> "CardSql":
        """Prepares a card."""
        named = {station for rule in card.rules for station in rule.stations or ()} | set(card.time_zones)
        groups: defaultdict[tuple[tuple[int, ...], ZoneInfo | None], list[str]] = defaultdict(list)
        for station in sorted(named):
            groups[_rules_for(card, station), card.time_zones.get(station, card.time_zone)].append(station)
        classes = [Class(stations, rules, zone) for (rules, zone), stations in groups.items()]
        thresholds = {rule.min_confidence for rule in card.rules if rule.min_confidence is not None}
        return cls(card, [*classes, Class((), _rules_for(card, None), card.time_zone)], sorted(thresholds))

    @property
    def asks_for_hours(self) -> bool:
        """Whether any rule is for certain hours."""
        return any(rule.hours is not HOURS for rule in self.card.rules)

    @property
    def class_join(self) -> str:
        """Joins a table ``s`` to the plays ``p``, which has the number of the station's class."""
        rows = (
            f"({literal(station)}, {number})" for number, each in enumerate(self.classes) for station in each.stations
        )
        # A row that no station has: VALUES needs at least one.
        return f"LEFT JOIN (VALUES {', '.join(['(NULL, 0)', *rows])}) AS s (station, class) ON s.station = p.station_id"

    @property
    def class_number(self) -> str:
        """The number of the class of a play's station."""
        return f"COALESCE(s.class, {len(self.classes) - 1})"

    def time(self, column: str, since: datetime, until: datetime) -> str:
        """The local time at the station of a play, of which ``class`` is known.

        Args:
            column: has the instant.
            since: the earliest instant of a play.
            until: the first instant that is too late for a play.
        """
        zones: defaultdict[ZoneInfo | None, list[str]] = defaultdict(list)
        for number, each in enumerate(self.classes):
            zones[each.zone].append(str(number))
        *others, (most, _) = sorted(zones.items(), key=lambda item: len(item[1]))

        def local(zone: ZoneInfo | None) -> str:
            return clock.local(column, zone, since, until) if zone else "0"

        if not others:
            return local(most)
        cases = " ".join(f"WHEN class IN ({', '.join(numbers)}) THEN {local(zone)}" for zone, numbers in others)
        return f"CASE {cases} ELSE {local(most)} END"

    @property
    def reached(self) -> str:
        """How many of the thresholds a play's confidence reaches."""
        steps = (
            f"CASE WHEN avg_confidence_score >= CAST('{_least(each)}' AS DECIMAL(38,35)) THEN 1 ELSE 0 END"
            for each in self.thresholds
        )
        return " + ".join(steps) or "0"

    @property
    def rule_join(self) -> str:
        """Joins a table ``r`` with the number of the rule, by ``class``, ``card_hour`` and ``reached``."""
        rows = ["(-1, 0)", *(f"({key}, {rule})" for key, rule in self._rules())]
        key = f"(class * 24 + card_hour) * {len(self.thresholds) + 1} + reached"
        return f"LEFT JOIN (VALUES {', '.join(rows)}) AS r (combination, rule) ON r.combination = {key}"

    def _rules(self) -> Iterator[tuple[int, int]]:
        """Each combination of class, hour and confidence that a rule covers, with the number of that rule."""
        hours = range(24) if self.asks_for_hours else range(1)
        for (number, each), hour, reached in product(enumerate(self.classes), hours, range(len(self.thresholds) + 1)):
            rules = (rule for rule in each.rules if self._fits(self.card.rules[rule], hour, reached))
            first = next(rules, None)
            if first is not None:
                yield (number * 24 + hour) * (len(self.thresholds) + 1) + reached, first

    def _fits(self, rule: Rule, hour: int, reached: int) -> bool:
        is_sure = rule.min_confidence is None or rule.min_confidence in self.thresholds[:reached]
        return is_sure and (rule.hours is HOURS or hour in rule.hours)


def _rules_for(card: RateCard, station: str | None) -> tuple[int, ...]:
    return tuple(number for number, rule in enumerate(card.rules) if rule.stations is None or station in rule.stations)


def _least(confidence: Decimal) -> str:
    """The smallest confidence of an export's column that reaches another one."""
    unit = Decimal(1).scaleb(-_CONFIDENCE_PLACES)
    return format(confidence.quantize(unit, rounding=ROUND_CEILING, context=Context(prec=80)), "f")

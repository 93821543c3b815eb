"""A rate card: what a play is paid, by station, hour of the day and confidence (docs/report.md, Rate cards). Pure."""

import decimal
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from playlog_cli.errors import CommandError, shown

# Sums and products of what a card and a play can hold have fewer digits: nothing is rounded unsaid, it would raise.
EXACT = Context(prec=200, traps=[decimal.Inexact, decimal.InvalidOperation])
_ROUND = Context(prec=200)

HOURS = frozenset(range(24))
MOST_DECIMAL_PLACES = 12
RATE_BELOW = 10**9
NO_RULE = "no rule"

_HOURS = re.compile(r"(\d{1,2})-(\d{1,2})")
_CURRENCY = re.compile(r"[A-Z]{3}")
_CARD_KEYS = ("currency", "decimal_places", "rounding", "time_zone", "time_zones", "rule")
_RULE_KEYS = ("name", "rate", "per", "stations", "hours", "min_confidence")

# A kind of play that no rule tells from another of it: station (None: one that no rule names), hour, and how many of
# the card's minimum confidences it reaches.
_Kind: TypeAlias = tuple[str | None, int, int]


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

    def _hour(self, station_id: str, played_at: datetime) -> int:
        return played_at.astimezone(self.time_zones.get(station_id, self.time_zone)).hour


def load_rate_card(path: Path) -> RateCard:
    """Reads a rate card.

    Args:
        path: of a TOML file.

    Raises:
        CommandError: it cannot be read, or is wrong: with the key, and with what would be right.
    """
    try:
        return parse_rate_card(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"--rate-card {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"--rate-card {path} is not UTF-8: save the file as UTF-8") from None
    except RateCardError as error:
        raise CommandError(f"{path}: {error}") from None


def parse_rate_card(text: str) -> RateCard:
    """Reads a rate card from TOML.

    Raises:
        RateCardError: it is wrong.
    """
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, decimal.InvalidOperation, RecursionError) as error:
        raise RateCardError(f"this is no TOML: {error}") from None
    _check_keys(values, _CARD_KEYS, "the card")
    tables = values.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RateCardError("rule is no list of tables: head each rule with [[rule]]")
    if not tables:
        raise RateCardError("the card has no rule: head each one with [[rule]]")
    card = RateCard(
        currency=_currency(values),
        decimal_places=_decimal_places(values),
        rounding=_one_of(Rounding, values.get("rounding", Rounding.HALF_UP), "rounding"),
        time_zone=_zone(values["time_zone"], "time_zone") if "time_zone" in values else None,
        time_zones=_time_zones(values.get("time_zones", {})),
        rules=tuple(_rule(table, number) for number, table in enumerate(tables, start=1)),
    )
    _check_names(card.rules)
    _check_time_zones(card)
    _check_reach(card.rules)
    return card


def _check_keys(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            wanted = f"did you mean {close[0]}?" if close else f"the keys there are {', '.join(known)}"
            raise RateCardError(f"{where} has a key {shown(key)} that means nothing: {wanted}")


def _currency(values: Mapping[str, Any]) -> str:
    currency = values.get("currency")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise RateCardError(f'currency {_is(currency)}: it must be a code of ISO 4217, like "EUR"')
    return currency


def _decimal_places(values: Mapping[str, Any]) -> int:
    places = values.get("decimal_places", 2)
    if not _is_whole(places) or not 0 <= places <= MOST_DECIMAL_PLACES:
        raise RateCardError(f"decimal_places {_is(places)}: it must be a whole number from 0 to {MOST_DECIMAL_PLACES}")
    return int(places)


def _time_zones(table: Any) -> dict[str, ZoneInfo]:
    if not isinstance(table, dict):
        raise RateCardError(f'time_zones {_is(table)}: it must be a table, like [time_zones] station = "Europe/Berlin"')
    return {station: _zone(name, f"time_zones, station {shown(station)}") for station, name in table.items()}


def time_zone(name: str) -> ZoneInfo | None:
    """A time zone by its name in the IANA database; None if there is none of this name.

    Example:
        >>> time_zone("Europe/Berlin"), time_zone("Berlin")
        (zoneinfo.ZoneInfo(key='Europe/Berlin'), None)
    """
    return ZoneInfo(name) if name in _zones() else None


def wanted_zone(name: object) -> str:
    """What would be right in place of a name that is no time zone's."""
    places = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(_zones())}
    text = str(name).casefold().replace(" ", "_")
    close = get_close_matches(text.rpartition("/")[2], places, n=1, cutoff=0.7)
    hint = f"did you mean {places[close[0]]}?" if close else "like Europe/Berlin"
    return f"it must be a name of the IANA time zone database, {hint}"


@cache
def _zones() -> set[str]:
    return available_timezones()  # which looks through the disk


def _zone(name: Any, where: str) -> ZoneInfo:
    zone = time_zone(name) if isinstance(name, str) else None
    if zone is None:
        raise RateCardError(f"{where} {_is(name)}: {wanted_zone(name)}")
    return zone


def _rule(table: Mapping[str, Any], number: int) -> Rule:
    name = table.get("name")
    where = f"rule {number}" + (f" ({shown(name)})" if isinstance(name, str) else "")
    try:
        _check_keys(table, _RULE_KEYS, "it")
        if not isinstance(name, str) or not name.strip() or name.strip().casefold() == NO_RULE:
            raise RateCardError(f"name {_is(name)}: it must be a text of your own, which stands beside its amounts")
        return Rule(
            name=name,
            rate=_rate(table.get("rate")),
            per=_one_of(Per, table.get("per"), "per"),
            stations=_stations(table["stations"]) if "stations" in table else None,
            hours=_hours(table["hours"]) if "hours" in table else HOURS,
            min_confidence=_confidence(table["min_confidence"]) if "min_confidence" in table else None,
        )
    except RateCardError as error:
        raise RateCardError(f"{where}: {error}") from None


def _rate(value: Any) -> Decimal:
    rate = _number(value)
    if rate is None or not 0 <= rate < RATE_BELOW:
        raise RateCardError(f"rate {_is(value)}: it must be a number, 0 or more and below {RATE_BELOW:,}, like 0.0125")
    if -int(rate.as_tuple().exponent) > MOST_DECIMAL_PLACES:
        raise RateCardError(f"rate {_is(value)}: it must have at most {MOST_DECIMAL_PLACES} decimal places")
    return rate


def _stations(value: Any) -> frozenset[str]:
    if not _is_list_of_text(value) or not all(station.strip() for station in value):
        raise RateCardError(
            f'stations {_is(value)}: it must be a list of station ids, like ["triplej"], '
            "or be left out, and the rule is for every station"
        )
    return frozenset(value)


def _hours(value: Any) -> frozenset[int]:
    wanted = 'it must be a list like ["06-10", "22-02"]: from 6:00 to before 10:00, and from 22:00 to before 2:00'
    if not _is_list_of_text(value):
        raise RateCardError(f"hours {_is(value)}: {wanted}")
    hours: set[int] = set()
    for span in value:
        found = _HOURS.fullmatch(span)
        if not found:
            raise RateCardError(f"hours has {shown(span)}: {wanted}")
        start, end = int(found[1]), int(found[2])
        if start > 23 or end > 24 or start == end:
            raise RateCardError(f"hours has {shown(span)}, which is no span of whole hours between 00 and 24: {wanted}")
        hours.update(range(start, end) if start < end else [*range(start, 24), *range(end)])
    return HOURS if hours == HOURS else frozenset(hours)


def _confidence(value: Any) -> Decimal:
    confidence = _number(value)
    if confidence is None or not 0 <= confidence <= 100:
        raise RateCardError(f"min_confidence {_is(value)}: it must be a number from 0 to 100")
    return confidence


def _one_of(kind: Any, value: Any, key: str) -> Any:
    if not isinstance(value, str) or value not in list(kind):
        raise RateCardError(f"{key} {_is(value)}: it must be {' or '.join(repr(str(one)) for one in kind)}")
    return kind(value)


def _number(value: Any) -> Decimal | None:
    number = Decimal(value) if _is_whole(value) else value
    return number if isinstance(number, Decimal) and number.is_finite() else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _is(value: Any) -> str:
    """A value as a message tells it, in the words of TOML."""
    match value:
        case None:
            return "is missing"
        case bool():
            return f"is {str(value).lower()}"
        case Decimal():
            return f"is {value}"
        case _:
            return f"is {shown(value)}"


def _check_names(rules: Sequence[Rule]) -> None:
    numbers: dict[str, int] = {}
    for number, rule in enumerate(rules, start=1):
        if rule.name in numbers:
            raise RateCardError(
                f"rule {number} has the name {shown(rule.name)} of rule {numbers[rule.name]}: "
                "each rule needs a name of its own, or nobody can tell which one made an amount"
            )
        numbers[rule.name] = number


def _check_time_zones(card: RateCard) -> None:
    if card.time_zone:
        return
    for number, rule in enumerate(card.rules, start=1):
        if rule.hours is HOURS:
            continue
        if rule.stations is None:
            raise RateCardError(
                f"rule {number} ({shown(rule.name)}) has hours and is for every station: "
                'set time_zone = "…" at the top, for the stations that [time_zones] does not name'
            )
        if unknown := sorted(rule.stations - card.time_zones.keys()):
            raise RateCardError(
                f"rule {number} ({shown(rule.name)}) has hours, and the time zone of station {shown(unknown[0])} "
                "is not known: name it under [time_zones], or set time_zone at the top"
            )


def _check_reach(rules: Sequence[Rule]) -> None:
    """Each rule must be the first for some play, and where two would do, the first must be an exception from the other.

    It is one if it is for fewer stations or hours, or else for a confidence that the other does not ask for.

    Raises:
        RateCardError: the order of the rules would decide what a play is paid, and nobody has said so.
    """
    thresholds = sorted({rule.min_confidence for rule in rules if rule.min_confidence is not None})
    named: set[str | None] = {station for rule in rules for station in rule.stations or ()}
    kinds = [set(_kinds(rule, named | {None}, thresholds)) for rule in rules]
    times = [{(station, hour) for station, hour, _ in of_rule} for of_rule in kinds]
    free: list[set[_Kind]] = []
    taken: set[_Kind] = set()
    for of_rule in kinds:
        free.append(of_rule - taken)
        taken |= of_rule
    told = [f"rule {number} ({shown(rule.name)})" for number, rule in enumerate(rules, start=1)]
    for this, left in enumerate(free):
        if not left:
            takers = ", ".join(told[other] for other in range(this) if kinds[this] & kinds[other])
            raise RateCardError(
                f"{told[this]} never counts: each play that it is for is taken by {takers} before it. "
                "Put the rule for fewer plays first, or remove one"
            )
    for this, other in combinations(range(len(rules)), 2):
        both = free[this] & kinds[other]
        if both and not all((station, hour) in times[other] for station, hour, _ in free[this]):
            raise RateCardError(
                f"{told[this]} and {told[other]} are both for {_told(min(both, key=str), thresholds)}, "
                "and neither is an exception from the other: put a rule for what they share before them, or narrow one"
            )


def _kinds(rule: Rule, stations: Set[str | None], thresholds: Sequence[Decimal]) -> Iterator[_Kind]:
    """The kinds of play that a rule is for."""
    least = 0 if rule.min_confidence is None else thresholds.index(rule.min_confidence) + 1
    return product(rule.stations or stations, rule.hours, range(least, len(thresholds) + 1))


def _told(kind: _Kind, thresholds: Sequence[Decimal]) -> str:
    station, hour, reached = kind
    where = "a station that no rule names" if station is None else f"station {shown(station)}"
    sure = f" with a confidence of {thresholds[reached - 1]}" if reached else ""
    return f"plays of {where} at {hour:02}:00{sure}"

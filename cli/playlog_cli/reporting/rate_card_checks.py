"""Check a rate card as a whole: names, time zones, and rules that no play reaches. Pure."""

from collections.abc import Iterator, Sequence, Set
from decimal import Decimal
from itertools import combinations, product
from typing import TypeAlias

from playlog_cli.errors import shown
from playlog_cli.reporting.rate_card import HOURS, RateCard, RateCardError, Rule

# A kind of play that no rule tells from another of it: station (None: one that no rule names), hour, and how many of
# the card's minimum confidences it reaches.
_Kind: TypeAlias = tuple[str | None, int, int]


def check_names(rules: Sequence[Rule]) -> None:
    numbers: dict[str, int] = {}
    for number, rule in enumerate(rules, start=1):
        if rule.name in numbers:
            raise RateCardError(
                f"rule {number} has the name {shown(rule.name)} of rule {numbers[rule.name]}: "
                "each rule needs a name of its own, or nobody can tell which one made an amount"
            )
        numbers[rule.name] = number


def check_time_zones(card: RateCard) -> None:
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


def check_reach(rules: Sequence[Rule]) -> None:
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

"""Read a rate card from TOML (docs/report.md, Rate cards). Pure, except for load_rate_card."""

import decimal
import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playlog_cli.errors import CommandError, shown
from playlog_cli.reporting.rate_card import HOURS, NO_RULE, Per, RateCard, RateCardError, Rounding, Rule
from playlog_cli.reporting.rate_card_checks import check_names, check_reach, check_time_zones
from playlog_cli.time_zones import time_zone, wanted_zone

MOST_DECIMAL_PLACES = 12


RATE_BELOW = 10**9


_HOURS = re.compile(r"(\d{1,2})-(\d{1,2})")


_CURRENCY = re.compile(r"[A-Z]{3}")


_CARD_KEYS = ("currency", "decimal_places", "rounding", "time_zone", "time_zones", "rule")


_RULE_KEYS = ("name", "rate", "per", "stations", "hours", "min_confidence")


def load_rate_card(path: Path) -> RateCard:
    """Reads a rate card.

    Args:
        path: of a TOML file.

    Raises:
        CommandError: it cannot be read, or is wrong: with the key, and with what would be right.
    """
    try:
        return parse_rate_card(path.read_text(encoding="utf-8-sig"))
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
        raise RateCardError(f"this is not TOML: {error}") from None
    _check_keys(values, _CARD_KEYS, "the card")
    tables = values.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RateCardError("rule is not a list of tables: head each rule with [[rule]]")
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
    check_names(card.rules)
    check_time_zones(card)
    check_reach(card.rules)
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
    _check_places(rate, "rate", value)
    return rate


def _check_places(number: Decimal, key: str, value: Any) -> None:
    if -int(number.as_tuple().exponent) > MOST_DECIMAL_PLACES:
        raise RateCardError(f"{key} {_is(value)}: it must have at most {MOST_DECIMAL_PLACES} decimal places")


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
    _check_places(confidence, "min_confidence", value)
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

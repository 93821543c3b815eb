"""The ledger of a statement run: all its amounts in one file, from which later runs find corrections. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from playlog_cli.reporting.rate_card import EXACT
from playlog_cli.statements.statement import Held, Part, TrackLine

# The first day of a period, and the day after the last one.
Days: TypeAlias = tuple[date, date]


class LedgerError(Exception):
    """What is wrong with a ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What a correction of a closed period changes for a payee, or for what is held back.

    Attributes:
        days: of the closed period.
        track_id: for which track.
        rule: name of the rule of that period's card, or ``no rule``.
        payee: who gets the difference; empty if it changes what is held back.
        role: of the payee; may be empty.
        held: why it is held back; None for a payee.
        before: what was stated so far.
        now: what is right now.
        reason: what has changed, in words.
    """

    days: Days
    track_id: str
    rule: str
    payee: str
    role: str
    held: Held | None
    before: Decimal
    now: Decimal
    reason: str

    @property
    def amount(self) -> Decimal:
        """The difference: what is still to be paid, or below 0 what was too much."""
        return EXACT.subtract(self.now, self.before)

    @property
    def order(self) -> tuple[object, ...]:
        """The order of adjustments."""
        return self.days, self.track_id, self.rule, self.held or "", self.payee, self.role


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a run has stated.

    Attributes:
        days: of the period.
        lines: of the report by track of the period.
        parts: these amounts, divided.
        adjustments: of earlier periods.
        corrected: lines of earlier periods that have changed, as they are now, with the days of their period.
    """

    days: Days
    lines: Sequence[TrackLine]
    parts: Sequence[Part]
    adjustments: Sequence[Adjustment] = ()
    corrected: Sequence[tuple[Days, TrackLine]] = ()


def write_ledger(ledger: Ledger) -> Iterator[str]:
    """The lines of the file, each a JSON object."""
    yield _line("period", {"days": ledger.days})
    yield from (_line("track", _values(line)) for line in ledger.lines)
    yield from (_line("part", _values(part)) for part in ledger.parts)
    yield from (_line("adjustment", _values(each)) for each in ledger.adjustments)
    yield from (_line("corrected", {"days": days, **_values(line)}) for days, line in ledger.corrected)


def read_ledger(lines: Iterable[str]) -> Ledger:
    """Reads the lines of the file.

    Raises:
        LedgerError: they are no ledger.
    """
    found: dict[str, list[Any]] = {"period": [], "track": [], "part": [], "adjustment": [], "corrected": []}
    try:
        for line in lines:
            values = json.loads(line)
            kind = values.pop("kind")
            days = _days(values.pop("days")) if "days" in values else None
            found[kind].append(_record(kind, days, values))
        (days,) = found["period"]
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise LedgerError(f"is no ledger ({error})") from None
    return Ledger(days, found["track"], found["part"], found["adjustment"], found["corrected"])


def _record(kind: str, days: Days | None, values: dict[str, Any]) -> Any:
    match kind:
        case "period":
            return days
        case "track":
            return TrackLine(**_parsed(values))
        case "part":
            return Part(**_parsed(values))
        case "adjustment":
            return Adjustment(days=days, **_parsed(values))  # type: ignore[arg-type]
        case _:
            return days, TrackLine(**_parsed(values))


def _line(kind: str, values: dict[str, Any]) -> str:
    return json.dumps({"kind": kind, **values}, ensure_ascii=False, default=str) + "\n"


def _values(record: Part | TrackLine | Adjustment) -> dict[str, Any]:
    return {each.name: _written(getattr(record, each.name)) for each in fields(record)}


def _written(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else value


def _parsed(values: dict[str, Any]) -> dict[str, Any]:
    decimals = ("seconds", "amount", "before", "now")
    parsed: dict[str, Any] = {name: Decimal(value) if name in decimals else value for name, value in values.items()}
    if "held" in parsed:
        parsed["held"] = Held(parsed["held"]) if parsed["held"] else None
    if "share" in parsed:
        parsed["share"] = Fraction(parsed["share"])
    return parsed


def _days(texts: Sequence[str]) -> Days:
    first, after = texts
    return date.fromisoformat(first), date.fromisoformat(after)

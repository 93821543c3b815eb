"""Corrections of a closed period: what was stated so far, beside what is right now. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias

from playlog_cli.reporting.rate_card import EXACT
from playlog_cli.statements.ledger import Adjustment, Ledger
from playlog_cli.statements.statement import Held, Part, Statements, TrackLine

ZERO = Decimal(0)

# Track and rule.
_Line: TypeAlias = tuple[str, str]
# Track, rule, why it is held back, payee and role.
_Key: TypeAlias = tuple[str, str, Held | None, str, str]


def adjust(closed: Ledger, later: Sequence[Ledger], now: Statements) -> tuple[list[Adjustment], list[TrackLine]]:
    """What has changed in a closed period since it was last stated.

    Args:
        closed: what was stated for the period.
        later: what the other runs have stated, in the order in which they were made. They may have adjusted the period
            already.
        now: the same period as it is now, by the card of that time.

    Returns:
        The differences, and the lines of the report that have changed, as they are now.
    """
    adjusted = [each for ledger in later for each in ledger.adjustments if each.days == closed.days]
    before, after = _sums([*closed.parts, *adjusted]), _sums(now.parts)
    known = {(line.track_id, line.rule): line for line in _last_known(closed, later)}
    current = {(line.track_id, line.rule): line for line in now.lines}
    changed = [
        Adjustment(
            days=closed.days,
            track_id=key[0],
            rule=key[1],
            held=key[2],
            payee=key[3],
            role=key[4],
            before=before[key],
            now=after[key],
            reason=_reason(known.get(key[:2]), current.get(key[:2])),
        )
        for key in {*before, *after}
        if before[key] != after[key]
    ]
    corrected = [line for key, line in current.items() if known.get(key) != line]
    corrected += [_emptied(line) for key, line in known.items() if key not in current and not _is_empty(line)]
    return sorted(changed, key=lambda each: each.order), sorted(corrected, key=lambda line: (line.track_id, line.rule))


def _sums(amounts: Iterable[Part | Adjustment]) -> defaultdict[_Key, Decimal]:
    sums: defaultdict[_Key, Decimal] = defaultdict(Decimal)
    for each in amounts:
        key = each.track_id, each.rule, each.held, each.payee, each.role
        sums[key] = EXACT.add(sums[key], each.amount)
    return sums


def _last_known(closed: Ledger, later: Iterable[Ledger]) -> Iterator[TrackLine]:
    """The lines of a period as the last run saw them. Of a track and rule, the last one counts."""
    yield from closed.lines
    for ledger in later:
        yield from (line for days, line in ledger.corrected if days == closed.days)


def _emptied(line: TrackLine) -> TrackLine:
    """A line that is not there any more: its plays have another rule or another track now."""
    return TrackLine(
        track_id=line.track_id,
        rule=line.rule,
        plays=0,
        seconds=ZERO,
        flagged=0,
        withdrawn=0,
        shares=line.shares,
        amount=line.amount * 0,
    )


def _is_empty(line: TrackLine) -> bool:
    return not line.plays and not line.withdrawn


def _reason(before: TrackLine | None, now: TrackLine | None) -> str:
    """What has changed between two states of a line, in words."""
    old, new = _facts(before), _facts(now)
    more = {name: new[name] - old[name] for name in old}
    words = []
    if more["all"]:
        words.append(_counted(more["all"], "late", "with another track or rule now"))
    if more["withdrawn"]:
        words.append(_counted(more["withdrawn"], "withdrawn", "restored"))
    if more["flagged"]:
        words.append(_counted(more["flagged"], "flagged", "no longer flagged"))
    if not words and more["seconds"]:
        words.append("another duration")
    if before and now and before.shares != now.shares:
        words.append("changed shares")
    return ", ".join(words) or "divided again"


def _facts(line: TrackLine | None) -> dict[str, Decimal]:
    if line is None:
        return dict.fromkeys(("all", "withdrawn", "flagged", "seconds"), ZERO)
    return {
        "all": Decimal(line.plays + line.withdrawn),
        "withdrawn": Decimal(line.withdrawn),
        "flagged": Decimal(line.flagged),
        "seconds": line.seconds,
    }


def _counted(more: Decimal, above: str, below: str) -> str:
    count = abs(int(more))
    return f"{count:,} {'play' if count == 1 else 'plays'} {above if more > 0 else below}"

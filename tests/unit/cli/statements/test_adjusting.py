"""A closed period is corrected by differences: what was stated and all corrections are what is right now."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import Share
from playlog_cli.reporting.listing.listed_play import ListedPlay
from playlog_cli.reporting.rate_card import RateCard
from playlog_cli.statements.adjusting import adjust
from playlog_cli.statements.ledger import Adjustment, Days, Ledger, LedgerError, read_ledger, write_ledger
from playlog_cli.statements.statement import Part, Statements

from tests.unit.cli.statements.test_statement import CARDS, CATALOGS, MARCH, PLAYS, card_of, play, stated

DAYS = MARCH.start, MARCH.end
NEXT = MARCH.end, MARCH.end + timedelta(days=30)
LATER = NEXT[1], NEXT[1] + timedelta(days=30)
NOON = 43_200
FEW = settings(max_examples=25)


def closed(now: Statements) -> Ledger:
    return Ledger(DAYS, now.lines, now.parts)


def next_run(days: Days, march: Ledger, later: Sequence[Ledger], now: Statements) -> Ledger:
    adjustments, corrected = adjust(march, later, now)
    return Ledger(days, (), (), adjustments, [(march.days, line) for line in corrected])


def sums(*ledgers: Ledger) -> dict[tuple[object, ...], Decimal]:
    found: defaultdict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for ledger in ledgers:
        amounts: list[Part | Adjustment] = [*ledger.parts, *ledger.adjustments]
        for each in amounts:
            found[each.track_id, each.rule, each.held, each.payee, each.role] += each.amount
    return {key: amount for key, amount in found.items() if amount}


def as_lists(ledger: Ledger) -> tuple[object, ...]:
    return ledger.days, *map(list, (ledger.lines, ledger.parts, ledger.adjustments, ledger.corrected))


@FEW
@given(PLAYS, PLAYS, PLAYS, CATALOGS, CATALOGS, CARDS)
def test_what_was_stated_and_all_corrections_are_what_is_right_now(
    first: list[ListedPlay],
    second: list[ListedPlay],
    third: list[ListedPlay],
    old: Catalog,
    new: Catalog,
    card: RateCard,
) -> None:
    march = closed(stated(first, old, card))
    april = next_run(NEXT, march, [], stated(second, new, card))
    now = stated(third, old, card)
    may = next_run(LATER, march, [april], now)
    assert sums(march, april, may) == sums(closed(now))
    assert next_run(LATER, march, [april, may], now) == Ledger(LATER, (), (), [], [])


@FEW
@given(PLAYS, PLAYS, CATALOGS, CARDS)
def test_a_ledger_reads_back_as_it_was_written(
    plays: list[ListedPlay], later: list[ListedPlay], catalog: Catalog, card: RateCard
) -> None:
    march = closed(stated(plays, catalog, card))
    april = next_run(NEXT, march, [], stated(later, catalog, card))
    for ledger in (march, april):
        assert as_lists(read_ledger(write_ledger(ledger))) == as_lists(ledger)


WHOLE = Catalog([Entry("t", shares=(Share("Anna", Fraction(1)),))])
SHARED = Catalog([Entry("t", shares=(Share("Anna", Fraction(1, 2)), Share("Ben", Fraction(1, 2))))])
CARD = card_of(rate="1")


@pytest.mark.parametrize(
    ("before", "now", "catalog", "corrections"),
    [
        ([play(NOON)], [play(NOON), play(NOON + 1)], WHOLE, [("Anna", "1.00", "2.00", "1 play late")]),
        ([play(NOON)], [play(NOON, active=False)], WHOLE, [("Anna", "1.00", "0", "1 play withdrawn")]),
        ([play(NOON, active=False)], [play(NOON)], WHOLE, [("Anna", "0", "1.00", "1 play restored")]),
        (
            [play(NOON, flagged=True)],
            [play(NOON)],
            WHOLE,
            [("", "1.00", "0", "1 play no longer flagged"), ("Anna", "0", "1.00", "1 play no longer flagged")],
        ),
        (
            [play(NOON)],
            [play(NOON)],
            SHARED,
            [("Anna", "1.00", "0.50", "changed shares"), ("Ben", "0", "0.50", "changed shares")],
        ),
        ([play(NOON)], [play(NOON)], WHOLE, []),
    ],
)
def test_each_correction_says_what_has_changed(
    before: list[ListedPlay], now: list[ListedPlay], catalog: Catalog, corrections: list[tuple[str, str, str, str]]
) -> None:
    found, _ = adjust(closed(stated(before, WHOLE, CARD)), [], stated(now, catalog, CARD))
    values = [(each.payee, each.before, each.now, each.reason) for each in found]
    assert sorted(values) == [(payee, Decimal(old), Decimal(new), reason) for payee, old, new, reason in corrections]


def test_a_second_correction_names_only_what_changed_since_the_first() -> None:
    march = closed(stated([play(NOON)], WHOLE, CARD))
    april = next_run(NEXT, march, [], stated([play(NOON), play(NOON + 1)], WHOLE, CARD))
    (found,), _ = adjust(march, [april], stated([play(NOON), play(NOON + 1), play(NOON + 2)], WHOLE, CARD))
    assert (found.amount, found.reason) == (Decimal("1.00"), "1 play late")


@pytest.mark.parametrize(
    "lines", [[], ["{}"], ["not JSON"], ['{"kind": "part"}'], ['{"kind": "period", "days": ["x", "y"]}']]
)
def test_another_file_is_no_ledger(lines: list[str]) -> None:
    with pytest.raises(LedgerError, match="is no ledger"):
        read_ledger(lines)

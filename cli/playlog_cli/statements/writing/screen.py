"""Statements on a terminal, and as JSON."""

from typing import Any

from rich.console import Console

from playlog_cli.reporting.forms import LINES_ON_A_SCREEN, fixed, grouped
from playlog_cli.reporting.rate_card import exact_sum
from playlog_cli.statements.making import Run, sum_of
from playlog_cli.statements.writing.rows import held_rows, lookalikes_in_words
from playlog_cli.terminal import counted, table


def render(run: Run, console: Console) -> None:
    """Shows who gets what, what is held back, and that both add up to the report's total."""
    card, statements = run.statements.card, run.statements
    payments = run.payments
    shown = table("payee", numbers=["lines", "period", "corrections", card.currency])
    for payment in payments[:LINES_ON_A_SCREEN]:
        change = grouped(card.in_full(payment.adjusted)) if payment.adjustments else ""
        amounts = grouped(card.in_full(payment.of_period)), change, grouped(card.in_full(payment.amount))
        shown.add_row(payment.payee, f"{len(payment.parts):,}", *amounts)
    console.print(shown)
    if len(payments) > LINES_ON_A_SCREEN:
        console.print(f"... and {len(payments) - LINES_ON_A_SCREEN:,} more payees; --json lists them all", style="dim")
    console.print()
    held = table("held back", numbers=["tracks", "period", "corrections"])
    for reason, tracks, amount, corrected in held_rows(run):
        held.add_row(reason, f"{tracks:,}", grouped(amount), grouped(card.in_full(corrected)) if corrected else "")
    if held.row_count:
        console.print(held)
        console.print()
    paid = card.in_full(exact_sum(payment.of_period for payment in payments))
    console.print(
        f"statements {grouped(paid)} + held back {grouped(run.held_amount)} = {grouped(statements.total)} "
        f"{card.currency}, the total of the report by track",
        style="bold",
        soft_wrap=True,
    )
    for group in run.lookalikes:
        console.print(f"paid as different payees: {lookalikes_in_words(group)}", soft_wrap=True)
    if run.adjustments:
        total = card.in_full(sum_of(run.adjustments))
        words = counted(len(run.adjustments), "correction", "corrections")
        console.print(f"{words} of closed periods: {grouped(total)} {card.currency}", soft_wrap=True)


def as_json(run: Run) -> dict[str, Any]:
    """Who gets what, in values that JSON has: decimal numbers as text."""
    card, period = run.statements.card, run.statements.period
    return {
        "period": {"from": str(period.start), "to": str(period.end), "time_zone": period.zone.key},
        "stations": list(run.stations),
        "currency": card.currency,
        "total": fixed(run.statements.total),
        "held_back": fixed(run.held_amount),
        "lookalikes": [list(group) for group in run.lookalikes],
        "payees": [
            {
                "payee": payment.payee,
                "lines": len(payment.parts),
                "amount": fixed(card.in_full(payment.of_period)),
                "adjustments": fixed(card.in_full(payment.adjusted)),
                "total": fixed(card.in_full(payment.amount)),
            }
            for payment in run.payments
        ],
        "held": [
            {"reason": reason, "tracks": tracks, "amount": fixed(amount), "adjustments": fixed(card.in_full(change))}
            for reason, tracks, amount, change in held_rows(run)
        ],
        "corrections": [
            {
                "from": str(each.days[0]),
                "to": str(each.days[1]),
                "track": each.track_id,
                "rule": each.rule,
                "payee": each.payee,
                "role": each.role,
                "held": each.held,
                "before": fixed(each.before),
                "now": fixed(each.now),
                "reason": each.reason,
            }
            for each in run.adjustments
        ],
    }

"""The rows of statements and of their summary, as CSV has them. Pure."""

import csv
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TextIO

from playlog_cli.catalog.entry import Catalog
from playlog_cli.catalog.shares import part_in_words
from playlog_cli.errors import shown
from playlog_cli.reporting.forms import fixed, plain
from playlog_cli.statements.ledger import Adjustment
from playlog_cli.statements.making import Payment, Run, sum_of
from playlog_cli.statements.statement import Held, amount_of
from playlog_cli.tabular.cells import marked

LINE_COLUMNS = (
    "from",
    "to",
    "track_id",
    "title",
    "artist",
    "isrc",
    "role",
    "rule",
    "rate",
    "plays",
    "seconds",
    "share",
    "amount",
    "currency",
    "remark",
)
SUMMARY_COLUMNS = ("payee", "held_back", "tracks", "amount", "adjustments", "total", "currency")


def write_payment(payment: Payment, run: Run, file: TextIO) -> None:
    """Writes the statement of a payee as CSV: a row for each line, and for each correction of a closed period.

    Args:
        payment: whose.
        run: with the names of the tracks.
        file: opened with ``newline=""``.
    """
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(LINE_COLUMNS)
    writer.writerows(_lines(payment, run))


def write_summary(run: Run, file: TextIO) -> None:
    """Writes what each payee gets, and what is held back, as CSV. The column ``total`` adds up to everything.

    Args:
        run: the statements.
        file: opened with ``newline=""``.
    """
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(SUMMARY_COLUMNS)
    currency = run.statements.card.currency
    for payment in run.payments:
        tracks = len({part.track_id for part in payment.parts})
        amounts = payment.of_period, payment.adjusted, payment.amount
        writer.writerow([marked(payment.payee), "", tracks, *_amounts(run, amounts), currency])
    for reason, tracks, amount, adjusted in held_rows(run):
        writer.writerow(["", reason, tracks, *_amounts(run, (amount, adjusted, amount + adjusted)), currency])


def held_rows(run: Run) -> Iterator[tuple[Held, int, Decimal, Decimal]]:
    """Each reason why something is held back, with tracks, amount, and corrections of closed periods."""
    for reason in Held:
        parts = run.statements.held.get(reason, ())
        adjusted = sum_of([each for each in run.held_adjustments if each.held is reason])
        if parts or adjusted:
            yield (
                reason,
                len({part.track_id for part in parts}),
                run.statements.card.in_full(amount_of(parts)),
                adjusted,
            )


def _amounts(run: Run, amounts: Sequence[Decimal]) -> list[str]:
    return [fixed(run.statements.card.in_full(amount)) for amount in amounts]


def _lines(payment: Payment, run: Run) -> Iterator[list[str]]:
    period, currency = run.statements.period, run.statements.card.currency
    for part in payment.parts:
        yield [
            period.start.isoformat(),
            period.end.isoformat(),
            *_names(part.track_id, run.catalog),
            marked(part.role),
            marked(part.rule),
            part.rate,
            str(part.plays),
            plain(part.seconds),
            part_in_words(part.share),
            fixed(part.amount),
            currency,
            "",
        ]
    for each in payment.adjustments:
        yield [
            *(day.isoformat() for day in each.days),
            *_names(each.track_id, run.catalog),
            marked(each.role),
            marked(each.rule),
            *[""] * 4,
            fixed(each.amount),
            currency,
            remark(each),
        ]


def remark(adjustment: Adjustment) -> str:
    """Why and how a closed period is corrected, in words."""
    return f"{adjustment.reason}: {fixed(adjustment.now)} in place of {fixed(adjustment.before)}"


def lookalikes_in_words(payees: Sequence[str]) -> str:
    """Payees who look alike, in one text."""
    return f"{' and '.join(map(shown, payees))}, which differ only in spaces, case or Unicode form"


def _names(track_id: str, catalog: Catalog) -> list[str]:
    entry = catalog.entry(track_id)
    return [marked(text) for text in (track_id, entry.title, entry.artist, entry.isrc)]

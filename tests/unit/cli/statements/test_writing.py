"""What is written adds up, to the last digit."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

from playlog_cli.statements.adjusting import adjust
from playlog_cli.statements.ledger import Adjustment, Ledger
from playlog_cli.statements.making import Run
from playlog_cli.statements.writing.rows import write_summary
from playlog_cli.statements.writing.screen import as_json

from tests.unit.cli.statements.test_adjusting import DAYS, NOON, WHOLE
from tests.unit.cli.statements.test_statement import card_of, play, stated


def run_with(adjustments: Sequence[Adjustment]) -> Run:
    """Statements of one play, by a card with two decimal places."""
    return Run(stated([play(NOON)], WHOLE, card_of(2, "1")), (), WHOLE, 1, 0, adjustments=adjustments)


def test_a_correction_by_a_card_with_more_decimal_places_loses_none_of_them() -> None:
    fine = card_of(6, "0.000333")
    before = Ledger(DAYS, (), ())
    adjustments, _ = adjust(before, [], stated([play(NOON), play(NOON + 1, flagged=True)], WHOLE, fine))
    run = run_with(adjustments)
    file = io.StringIO()
    write_summary(run, file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert [(row["payee"], row["held_back"], row["total"]) for row in rows] == [
        ("Anna", "", "1.000333"),
        ("", "flagged", "0.000333"),
    ]
    assert sum(Decimal(row["total"]) for row in rows) == run.statements.total + Decimal("0.000666")
    assert as_json(run)["payees"][0]["total"] == "1.000333"

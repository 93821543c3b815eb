"""What is written adds up, to the last digit."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playlog_cli.errors import CommandError
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.files.inputs import input_files
from playlog_cli.reporting.listing.listed_play import ListedPlay
from playlog_cli.statements.adjusting import adjust
from playlog_cli.statements.closing import find_closed
from playlog_cli.statements.ledger import Adjustment, Ledger
from playlog_cli.statements.making import Run, make_statements
from playlog_cli.statements.writing.folder import write_run
from playlog_cli.statements.writing.rows import write_summary
from playlog_cli.statements.writing.screen import as_json

from tests.unit.cli.statements.test_adjusting import DAYS, NOON, WHOLE
from tests.unit.cli.statements.test_statement import MARCH, RULES, card_of, play, stated


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


CARD = 'currency = "EUR"\ntime_zone = "UTC"\n' + RULES.format(rate="1")


class Plays:
    """A source of plays."""


def write(folder: Path, month: int, plays: Sequence[ListedPlay], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Makes and writes the statements of a month after March, which has all plays."""
    period = Period(MARCH.start + timedelta(days=31 * month), MARCH.end + timedelta(days=30 * month), MARCH.zone)
    card = folder / "card.toml"
    card.write_text(CARD)
    monkeypatch.setattr(
        "playlog_cli.statements.making.read_all", lambda _, which, *__: list(plays) if which == MARCH else []
    )
    closed = find_closed(folder)
    run = make_statements(Plays(), period, (), WHOLE, card_of(rate="1"), closed, lambda _: None)  # type: ignore[arg-type]
    write_run(folder, run, input_files(rate_card=card))
    return run


def test_a_correction_says_what_changed_since_the_last_run_whatever_period_that_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays = [play(NOON + number) for number in range(4)]
    write(tmp_path, 0, plays[:1], monkeypatch)
    write(tmp_path, 2, plays[:2], monkeypatch)
    april = write(tmp_path, 1, plays[:3], monkeypatch)
    june = write(tmp_path, 3, plays, monkeypatch)
    assert [each.reason for run in (april, june) for each in run.adjustments] == ["1 play late", "1 play late"]


def test_a_period_whose_manifest_was_lost_is_not_paid_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 0, [play(NOON)], monkeypatch)
    (tmp_path / "2026-03-01_2026-04-01" / "manifest.json").unlink()
    with pytest.raises(CommandError, match="is no folder of statements"):
        find_closed(tmp_path)


def test_two_runs_at_once_do_not_state_the_same_corrections(tmp_path: Path) -> None:
    card = tmp_path / "card.toml"
    card.write_text(CARD)
    first = run_with([])
    april = Period(MARCH.end, MARCH.end + timedelta(days=30), MARCH.zone)
    second = replace(first, statements=replace(first.statements, period=april))
    write_run(tmp_path / "statements", first, input_files(rate_card=card))
    with pytest.raises(CommandError, match="was written or changed while this command read the plays: run the command"):
        write_run(tmp_path / "statements", second, input_files(rate_card=card))
    assert len(list((tmp_path / "statements").iterdir())) == 1

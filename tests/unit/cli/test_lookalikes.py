"""Ids that look alike are named: else a station's plays are paid by no rule, and nobody sees why."""

from pathlib import Path

import pytest
from playlog_cli.lookalikes import lookalikes
from playlog_cli.reporting.rate_card_file import load_rate_card

CARD = 'currency = "EUR"\n[[rule]]\nname = "all"\nrate = 1\nper = "play"\n'


@pytest.mark.parametrize(
    "group",
    [(" fm-1", "fm-1"), ("FM-1", "fm-1"), ("caf\u00e9", "cafe\u0301"), ("fm 1", "fm1")],
    ids=["spaces", "case", "unicode", "inner space"],
)
def test_ids_that_differ_only_in_form_are_found(group: tuple[str, str]) -> None:
    assert lookalikes([*group, "fm-2"]) == [tuple(sorted(group))]


def test_other_ids_are_not_found() -> None:
    assert lookalikes(["fm-1", "fm-2", "fm-10"]) == []


def test_a_rate_card_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(CARD, encoding="utf-8-sig")

    assert load_rate_card(path).currency == "EUR"

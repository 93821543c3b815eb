"""A share is exactly what the file says."""

from datetime import date
from fractions import Fraction

import pytest
from playlog_cli.catalog.shares import Share, days_of_change, parse_part, parse_shares, part_in_words, shares_on


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("50%", Fraction(1, 2)),
        ("33,5 %", Fraction(67, 200)),
        ("1/3", Fraction(1, 3)),
        ("0.5", Fraction(1, 2)),
        ("1", Fraction(1)),
        ("100%", Fraction(1)),
    ],
)
def test_a_share_is_read_exactly(text: str, part: Fraction) -> None:
    assert parse_part(text) == part


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Fraction(1, 3), "1/3"),
        (Fraction(1, 8), "12.5 %"),
        (Fraction(1), "100 %"),
        (Fraction(3333333333, 10**10), "3333333333/10000000000"),
    ],
)
def test_a_share_is_shown_without_rounding(part: Fraction, words: str) -> None:
    assert part_in_words(part) == words
    assert parse_part(words) == part


def test_several_shares_stand_in_one_cell() -> None:
    assert parse_shares("60% Anna Ember as artist; 2/5 Ben as Tide ;") == (
        Share("Anna Ember", Fraction(3, 5), "artist"),
        Share("Ben", Fraction(2, 5), "Tide"),
    )


def test_the_role_stands_after_the_last_as_of_a_share() -> None:
    assert parse_shares("60% Dogs as Pets as artist; 40% Ben") == (
        Share("Dogs as Pets", Fraction(3, 5), "artist"),
        Share("Ben", Fraction(2, 5)),
    )


def test_a_payee_may_begin_with_a_number() -> None:
    assert parse_shares("1/3 2 Unlimited; 0.5 50 Cent; 1 / 6 10,000 Maniacs") == (
        Share("2 Unlimited", Fraction(1, 3)),
        Share("50 Cent", Fraction(1, 2)),
        Share("10,000 Maniacs", Fraction(1, 6)),
    )


def test_a_share_may_be_valid_until_the_last_day_of_all() -> None:
    share = Share("Anna", Fraction(1), since=date(2026, 1, 1), until=date.max)
    assert days_of_change([share]) == [date(2026, 1, 1)]


def test_a_share_is_valid_from_its_first_to_its_last_day() -> None:
    share = Share("Anna", Fraction(1), since=date(2026, 3, 2), until=date(2026, 3, 3))
    valid = [day for day in range(1, 6) if shares_on([share], date(2026, 3, day))]
    assert valid == [2, 3]

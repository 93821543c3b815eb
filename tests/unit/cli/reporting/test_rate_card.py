"""A rate card: a play is paid what the card says, and a card that could be read in two ways is refused, with where."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from playlog_cli.errors import CommandError
from playlog_cli.reporting.rate_card import Per, RateCard, RateCardError, Rounding
from playlog_cli.reporting.rate_card_file import load_rate_card, parse_rate_card

SAMPLE = Path(__file__).parents[4] / "samples" / "rate-card.toml"

HEAD = 'currency = "EUR"\ntime_zone = "UTC"\n'
RULE = '[[rule]]\nname = "all"\nrate = 0.5\nper = "play"\n'


def rule(name: str, more: str = "", *, rate: str = "1", per: str = '"play"') -> str:
    return f'[[rule]]\nname = "{name}"\nrate = {rate}\nper = {per}\n{more}\n'


def paid_by(card: RateCard, station: str, at: str, confidence: str | None = None) -> str | None:
    found = card.rule_for(station, datetime.fromisoformat(at), Decimal(confidence) if confidence else None)
    return found.name if found else None


def test_the_sample_card_pays_what_its_comments_say() -> None:
    card = load_rate_card(SAMPLE)
    assert (card.currency, card.decimal_places, card.rounding) == ("EUR", 2, Rounding.HALF_UP)
    assert paid_by(card, "moonwave", "2026-03-14T06:00:00+09:00") == "moonwave, breakfast"
    assert paid_by(card, "moonwave", "2026-03-14T09:59:59.999999+09:00") == "moonwave, breakfast"
    assert paid_by(card, "moonwave", "2026-03-14T10:00:00+09:00") == "moonwave"
    assert paid_by(card, "moonwave", "2026-03-14T05:59:59+09:00", "10") == "moonwave"
    assert paid_by(card, "fjord-7", "2026-03-14T08:00:00+01:00", "60") == "all others, if heard for sure"
    assert paid_by(card, "fjord-7", "2026-03-14T08:00:00+01:00", "59.999") is None
    assert paid_by(card, "fjord-7", "2026-03-14T08:00:00+01:00") is None


def test_rates_are_the_decimals_that_were_written() -> None:
    (only,) = parse_rate_card(HEAD + rule("a", rate="0.1", per='"second"')).rules
    assert (only.rate, only.per) == (Decimal("0.1"), Per.SECOND)
    assert only.amount(7, Decimal("3.000001")) == Decimal("0.3000001")
    assert parse_rate_card(HEAD + RULE).rules[0].amount(7, Decimal("3.000001")) == Decimal("3.5")


@pytest.mark.parametrize(
    ("rounding", "expected"), [("half-up", ["0.13", "0.12", "0.12"]), ("half-even", ["0.12", "0.12", "0.12"])]
)
def test_half_a_cent_goes_where_the_card_says(rounding: str, expected: list[str]) -> None:
    card = parse_rate_card(f'rounding = "{rounding}"\n' + HEAD + RULE)
    assert [str(card.rounded(Decimal(exact))) for exact in ("0.125", "0.1249999", "0.115")] == expected


def test_an_hour_that_the_clock_repeats_is_paid_twice_and_one_that_it_skips_never() -> None:
    card = parse_rate_card(HEAD + '[time_zones]\nberlin = "Europe/Berlin"\n' + rule("two", 'hours = ["02-03"]'))
    october = [f"2026-10-25T{hour:02}:30:00+00:00" for hour in range(3)]  # 02:30 CEST, 02:30 CET, 03:30 CET
    assert [paid_by(card, "berlin", at) for at in ["2026-10-24T23:30:00+00:00", *october]] == [None, "two", "two", None]
    march = [f"2026-03-29T{hour:02}:30:00+00:00" for hour in range(3)]  # 01:30 CET, 03:30 CEST, 04:30 CEST
    assert [paid_by(card, "berlin", at) for at in march] == [None, None, None]


def test_hours_may_go_over_midnight() -> None:
    card = parse_rate_card(HEAD + rule("night", 'hours = ["22-02", "05-06"]'))
    paid = [hour for hour in range(24) if paid_by(card, "x", f"2026-03-14T{hour:02}:00:00+00:00")]
    assert paid == [0, 1, 5, 22, 23]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("currency = ", "this is not TOML: Invalid value (at end of document)"),
        (RULE, 'currency is missing: it must be a code of ISO 4217, like "EUR"'),
        ('currency = "Euro"\n' + RULE, "currency is 'Euro': it must be a code of ISO 4217"),
        (HEAD, "the card has no rule: head each one with [[rule]]"),
        (HEAD + '[rule]\nname = "a"', "rule is not a list of tables: head each rule with [[rule]]"),
        ("roundin = 1\n" + HEAD + RULE, "the card has a key 'roundin' that means nothing: did you mean rounding?"),
        ('rounding = "up"\n' + HEAD + RULE, "rounding is 'up': it must be 'half-up' or 'half-even'"),
        ("decimal_places = 13\n" + HEAD + RULE, "decimal_places is 13: it must be a whole number from 0 to 12"),
        ("decimal_places = true\n" + HEAD + RULE, "decimal_places is true: it must be a whole number from 0 to 12"),
        (
            'currency = "EUR"\ntime_zone = "Berlin"\n' + RULE,
            "time_zone is 'Berlin': it must be a name of the IANA time zone database, did you mean Europe/Berlin?",
        ),
        (HEAD + '[time_zones]\nx = "../etc"\n' + RULE, "time_zones, station 'x' is '../etc': it must be a name of"),
        (HEAD + rule("a", "stations = []"), "rule 1 ('a'): stations is []: it must be a list of station ids"),
        (HEAD + rule("a", 'stations = "x"'), "rule 1 ('a'): stations is 'x': it must be a list of station ids"),
        (HEAD + rule("a", 'station = ["x"]'), "rule 1 ('a'): it has a key 'station' that means nothing: did you mean"),
        (
            HEAD + RULE + rule("b", rate="-0.01"),
            "rule 2 ('b'): rate is -0.01: it must be a number, 0 or more and below",
        ),
        (HEAD + rule("a", rate="nan"), "rule 1 ('a'): rate is NaN: it must be a number"),
        (HEAD + rule("a", rate='"0.5"'), "rule 1 ('a'): rate is '0.5': it must be a number"),
        (HEAD + rule("a", rate="1e-13"), "rule 1 ('a'): rate is 1E-13: it must have at most 12 decimal places"),
        (HEAD + rule("a", "min_confidence = 1e-99999999"), "rule 1 ('a'): min_confidence is 1E-99999999: it must have"),
        (HEAD + rule("a", per='"minute"'), "rule 1 ('a'): per is 'minute': it must be 'play' or 'second'"),
        (HEAD + '[[rule]]\nname = "a"\nper = "play"', "rule 1 ('a'): rate is missing: it must be a number"),
        (HEAD + '[[rule]]\nrate = 1\nper = "play"', "rule 1: name is missing: it must be a text of your own"),
        (HEAD + rule("No rule"), "rule 1 ('No rule'): name is 'No rule': it must be a text of your own"),
        (HEAD + rule("a", 'hours = ["6:30-10"]'), "rule 1 ('a'): hours has '6:30-10': it must be a list like"),
        (HEAD + rule("a", 'hours = ["06-25"]'), "rule 1 ('a'): hours has '06-25', which is no span of whole hours"),
        (HEAD + rule("a", 'hours = "06-10"'), "rule 1 ('a'): hours is '06-10': it must be a list like"),
        (HEAD + rule("a", "min_confidence = 101"), "rule 1 ('a'): min_confidence is 101: it must be a number from 0"),
        (
            HEAD + rule("a", 'stations = ["x"]') + rule("a"),
            "rule 2 has the name 'a' of rule 1: each rule needs a name of its own",
        ),
        (
            'currency = "EUR"\n' + rule("a", 'hours = ["06-10"]'),
            "rule 1 ('a') has hours and is for every station: set time_zone",
        ),
        (
            'currency = "EUR"\n[time_zones]\nx = "UTC"\n' + rule("a", 'hours = ["06-10"]\nstations = ["x", "y"]'),
            "rule 1 ('a') has hours, and the time zone of station 'y' is not known",
        ),
    ],
)
def test_a_wrong_card_is_told_with_the_key_and_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(RateCardError) as caught:
        parse_rate_card(text)
    assert str(caught.value).startswith(message)


NIGHT, DAY, X, SURE = 'hours = ["22-06"]', 'hours = ["06-22"]', 'stations = ["x"]', "min_confidence = 80"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([""], None),
        ([X, ""], None),
        ([f"{X}\n{NIGHT}", X, ""], None),
        ([SURE, ""], None),
        ([X, SURE], None),
        ([NIGHT, DAY], None),
        ([f"{X}\n{NIGHT}", NIGHT, X, ""], None),
        (["", X], "rule 2 ('2') never counts: each play that it is for is taken by rule 1 ('1') before it"),
        ([X, X], "rule 2 ('2') never counts"),
        ([NIGHT, DAY, X], "rule 3 ('3') never counts: each play that it is for is taken by rule 1 ('1'), rule"),
        (["", SURE], "rule 2 ('2') never counts"),
        (["min_confidence = 60", SURE], "rule 2 ('2') never counts"),
        (
            [NIGHT, X],
            "rule 1 ('1') and rule 2 ('2') are both for plays of station 'x' at 00:00, and neither is an exception",
        ),
        ([SURE, X], "rule 1 ('1') and rule 2 ('2') are both for plays of station 'x' at 00:00 with a confidence of 80"),
        (['hours = ["06-10"]', 'hours = ["08-12"]'], "rule 1 ('1') and rule 2 ('2') are both for plays of a station"),
    ],
)
def test_rules_may_be_exceptions_from_later_ones_but_never_dead_or_in_doubt(
    rules: list[str], message: str | None
) -> None:
    text = HEAD + "".join(rule(str(number), more) for number, more in enumerate(rules, start=1))
    if message is None:
        assert len(parse_rate_card(text).rules) == len(rules)
        return
    with pytest.raises(RateCardError) as caught:
        parse_rate_card(text)
    assert str(caught.value).startswith(message)


def test_a_card_that_cannot_be_read_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no-such\.toml cannot be read: No such file"):
        load_rate_card(tmp_path / "no-such.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes('currency = "é"'.encode("latin-1"))
    with pytest.raises(CommandError, match=r"latin\.toml is not UTF-8"):
        load_rate_card(latin)
    (tmp_path / "wrong.toml").write_text(HEAD)
    with pytest.raises(CommandError, match=r"wrong\.toml: the card has no rule"):
        load_rate_card(tmp_path / "wrong.toml")

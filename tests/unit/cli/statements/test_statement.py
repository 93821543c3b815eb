"""Parts add up to their whole, to the last digit, and no statement depends on the order of its input."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import Share
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.listing.listed_play import ListedPlay
from playlog_cli.reporting.rate_card import RateCard, Rule, exact_sum
from playlog_cli.reporting.rate_card_file import parse_rate_card
from playlog_cli.statements.splitting import split
from playlog_cli.statements.statement import Held, Statements, amount_of, state
from playlog_cli.statements.tallying import tally

BERLIN = ZoneInfo("Europe/Berlin")
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1), BERLIN)
RULES = """
[[rule]]
name = "x at night"
stations = ["x"]
hours = ["22-04"]
rate = 0.333333333333
per = "second"
[[rule]]
name = "x"
stations = ["x"]
rate = {rate}
per = "play"
[[rule]]
name = "sure"
min_confidence = 60.5
rate = {rate}
per = "second"
"""


def card_of(places: int = 2, rate: str = "0.0125") -> RateCard:
    return parse_rate_card(
        f'currency = "EUR"\ntime_zone = "UTC"\ndecimal_places = {places}\n' + RULES.format(rate=rate)
    )


CARDS = st.builds(
    card_of, st.sampled_from([0, 2, 6]), st.sampled_from(["0", "0.005", "0.0125", "7.77", "0.333333333333"])
)
PARTS = st.sampled_from(
    [Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(2, 3), Fraction(1, 7), Fraction(99, 100)]
)
DAYS = st.none() | st.integers(0, 30).map(lambda number: MARCH.start + timedelta(days=number))
SHARES = st.lists(
    st.builds(Share, st.sampled_from(["Anna", "Ben", "Cleo"]), PARTS, st.sampled_from(["", "artist"]), DAYS, DAYS),
    max_size=4,
    unique_by=lambda share: (share.payee, share.role),
).map(tuple)
CATALOGS = st.lists(SHARES, min_size=3, max_size=3).map(
    lambda shares: Catalog(Entry(track, shares=of_track) for track, of_track in zip("tuv", shares, strict=True))
)


def play(
    second: int = 0,
    station: str = "x",
    track: str = "t",
    seconds: Decimal = Decimal(180),
    confidence: Decimal | None = None,
    flagged: bool = False,
    active: bool = True,
) -> ListedPlay:
    at = MARCH.since + timedelta(seconds=second)
    return ListedPlay(
        at, station, f"{at}#{track}", track, "", "Radio", at, seconds, 1, confidence, flagged, active, False
    )


PLAYS = st.lists(
    st.builds(
        play,
        st.integers(0, 30 * 86_400),
        st.sampled_from("xy"),
        st.sampled_from("tuvw"),
        st.decimals(0, 90_000, places=3),
        st.none() | st.decimals(0, 100, places=1),
        st.booleans(),
        st.sampled_from([True, True, False]),
    ),
    max_size=8,
)
FEW = settings(max_examples=25)


def stated(plays: Sequence[ListedPlay], catalog: Catalog, card: RateCard) -> Statements:
    return state(tally(plays, catalog, card, MARCH.zone), catalog, card, MARCH)


@given(
    st.decimals(0, 10**9, places=4),
    st.lists(st.fractions(0, 100, max_denominator=997), min_size=1, max_size=12).filter(any),
)
def test_parts_add_up_and_none_is_a_unit_away_from_its_exact_value(amount: Decimal, weights: list[Fraction]) -> None:
    parts = split(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Fraction(part) - Fraction(amount) * weight / sum(weights)) < Fraction(1, 10_000)


def test_parts_of_an_amount_with_more_than_28_digits_add_up_too() -> None:
    amount = Decimal("86399123455999999.999913600877")
    parts = split(amount, [Fraction(1, 3)] * 3)
    assert sum(map(Fraction, parts)) == Fraction(amount)
    assert exact_sum(parts) == amount


def test_what_is_left_goes_to_the_largest_remainder_and_of_equal_ones_to_the_first() -> None:
    assert split(Decimal("0.05"), [Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)]) == [
        Decimal("0.02"),
        Decimal("0.02"),
        Decimal("0.01"),
    ]
    assert split(Decimal("1.00"), [Fraction(1, 1000), Fraction(996, 1000), Fraction(3, 1000)]) == [
        Decimal("0.00"),
        Decimal("1.00"),
        Decimal("0.00"),
    ]
    assert split(Decimal("0.00"), [Fraction(0)]) == [Decimal("0.00")]


def test_an_amount_of_many_digits_is_divided_exactly() -> None:
    amount = Decimal("123456789012345678901234.000000000001")
    assert split(amount, [Fraction(1)]) == [amount]


@FEW
@given(PLAYS, CATALOGS, CARDS)
def test_all_statements_and_what_is_held_back_are_what_the_report_comes_to(
    plays: list[ListedPlay], catalog: Catalog, card: RateCard
) -> None:
    found = stated(plays, catalog, card)
    report: dict[tuple[str, Rule | None], tuple[int, Decimal]] = {}
    for each in plays:
        if each.active:
            key = each.track_id, card.rule_for(each.station_id, each.played_at, each.confidence)
            count, seconds = report.get(key, (0, Decimal(0)))
            report[key] = count + 1, seconds + each.seconds
    total = sum((card.rounded(rule.amount(*sums)) for (_, rule), sums in report.items() if rule), Decimal(0))

    assert found.total == total
    assert (
        sum(amount_of(parts) for parts in found.by_payee.values())
        + sum(amount_of(parts) for parts in found.held.values())
        == total
    )
    for line in found.lines:
        parts = [part for part in found.parts if (part.track_id, part.rule) == (line.track_id, line.rule)]
        assert amount_of(parts) == line.amount


@FEW
@given(PLAYS, CATALOGS, CARDS, st.randoms(use_true_random=False))
def test_no_statement_depends_on_the_order_of_its_input(
    plays: list[ListedPlay], catalog: Catalog, card: RateCard, random: object
) -> None:
    mixed = list(plays)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    entries = [
        Entry(entry.track_id, shares=tuple(reversed(entry.shares)))
        for entry in reversed(list(catalog.entries.values()))
    ]
    first, second = stated(plays, catalog, card), stated(mixed, Catalog(entries), card)
    assert first == second
    assert tally(plays, catalog, card, BERLIN).digest == tally(mixed, catalog, card, BERLIN).digest


@FEW
@given(PLAYS, CATALOGS, CARDS)
def test_flagged_plays_pay_nobody(plays: list[ListedPlay], catalog: Catalog, card: RateCard) -> None:
    flagged = [each._replace(flagged=True) for each in plays]
    assert stated(flagged, catalog, card).by_payee == {}


def shares(*of: tuple[str, str, Fraction]) -> tuple[Share, ...]:
    return tuple(Share(payee, part, role) for payee, role, part in of)


def test_each_line_has_its_rule_rate_and_share() -> None:
    catalog = Catalog([Entry("t", shares=shares(("Ben", "label", Fraction(1, 3)), ("Anna", "artist", Fraction(2, 3))))])
    found = stated([play(43_200), play(46_800)], catalog, card_of(rate="0.005"))
    assert [
        (part.payee, part.role, part.rule, part.rate, part.plays, part.share, part.amount) for part in found.parts
    ] == [
        ("Anna", "artist", "x", "0.005 per play", 2, Fraction(2, 3), Decimal("0.01")),
        ("Ben", "label", "x", "0.005 per play", 2, Fraction(1, 3), Decimal("0.00")),
    ]


def test_what_cannot_be_paid_is_held_back_with_the_reason() -> None:
    catalog = Catalog(
        [Entry("t", shares=shares(("Anna", "", Fraction(9, 10)))), Entry("v", shares=shares(("Anna", "", Fraction(1))))]
    )
    at_noon = 43_200
    plays = [
        play(at_noon),
        play(at_noon, track="u"),
        play(at_noon, track="v", flagged=True),
        play(at_noon, track="v", active=False),
    ]
    found = stated(plays, catalog, card_of(rate="1"))
    assert {reason: [part.track_id for part in parts] for reason, parts in found.held.items()} == {
        Held.FLAGGED: ["v"],
        Held.NO_PAYEE: ["u"],
        Held.NOT_WHOLE: ["t"],
    }
    assert (found.total, found.by_payee) == (Decimal("3.00"), {})
    assert [line.withdrawn for line in found.lines] == [0, 0, 1]


def test_a_share_ends_at_midnight_in_the_time_zone_of_the_period() -> None:
    ends, begins = date(2026, 3, 14), date(2026, 3, 15)
    catalog = Catalog(
        [Entry("t", shares=(Share("Old", Fraction(1), until=ends), Share("New", Fraction(1), since=begins)))]
    )
    midnight = int((datetime(2026, 3, 15, tzinfo=BERLIN).astimezone(UTC) - MARCH.since).total_seconds())
    found = stated(
        [play(midnight - 1, "y", confidence=Decimal(90)), play(midnight, "y", confidence=Decimal(90))],
        catalog,
        card_of(),
    )
    assert {payee: [part.plays for part in parts] for payee, parts in found.by_payee.items()} == {
        "New": [1],
        "Old": [1],
    }


def test_the_digest_tells_plays_apart() -> None:
    catalog, card = Catalog(), card_of()

    def digest(*plays: ListedPlay) -> int:
        return tally(plays, catalog, card, BERLIN).digest

    one = play()
    others = [
        one._replace(seconds=Decimal(181)),
        one._replace(flagged=True),
        one._replace(active=False),
        one._replace(confidence=Decimal(1)),
        one._replace(station_id="y"),
        one._replace(track_id="u"),
    ]
    assert len({digest(each) for each in (one, *others)}) == len(others) + 1
    assert digest(one, one) != digest(one)
    assert digest(one._replace(seconds=Decimal("180.0"))) == digest(one)

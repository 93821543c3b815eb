"""What is missing in a catalog is found, and what costs most comes first."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from playlog_cli.catalog.checking import Played, Problem, check
from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import Share

START, END = date(2026, 3, 1), date(2026, 4, 1)
WHOLE = (Share("Anna", Fraction(1)),)


def entry(track_id: str, isrc: str = "USAB12345678", title: str = "Snow", shares: tuple[Share, ...] = WHOLE) -> Entry:
    return Entry(track_id, title, "Anna", isrc=isrc, shares=shares)


def problems(*entries: Entry, played: tuple[str, ...] = ("a", "b")) -> list[tuple[Problem, tuple[str, ...], str]]:
    found = check(Catalog(entries), {track: Played(1, Decimal(1)) for track in played}, START, END)
    return [(each.problem, each.tracks, each.detail) for each in found]


def test_a_whole_catalog_has_no_problem() -> None:
    assert problems(entry("a"), entry("b", "USAB12345679"), entry("c", "wrong")) == []


def test_what_is_missing_or_invalid_is_found() -> None:
    assert problems(entry("a", "", "", ()), entry("c")) == [
        (Problem.NO_ENTRY, ("b",), ""),
        (Problem.NO_TITLE, ("a",), ""),
        (Problem.NO_ISRC, ("a",), ""),
        (Problem.NO_PAYEE, ("a",), ""),
    ]
    assert problems(entry("a", "US-AB1"), played=("a",)) == [(Problem.INVALID_ISRC, ("a",), "US-AB1")]


def test_an_isrc_of_several_tracks_is_found_once_also_if_only_one_was_played() -> None:
    assert problems(entry("a"), entry("z", title="snow "), played=("a",)) == [
        (Problem.TWO_IDS, ("a", "z"), "USAB12345678")
    ]
    assert problems(entry("a"), entry("b", title="Rain")) == [(Problem.TWO_TITLES, ("a", "b"), "USAB12345678")]
    assert problems(entry("y"), entry("z"), played=()) == []


def test_ids_that_look_alike_are_found_if_one_of_them_was_played() -> None:
    assert problems(entry("A", ""), entry(" a", ""), entry("z"), entry("Z", "USAB12345679"), played=(" a",)) == [
        (Problem.NO_ISRC, (" a",), ""),
        (Problem.LOOKALIKES, (" a", "A"), "' a' and 'A'"),
    ]


def test_shares_are_checked_on_each_day_on_which_they_change() -> None:
    first = Share("Anna", Fraction(9, 10), until=date(2026, 3, 14))
    second = Share("Anna", Fraction(1), since=date(2026, 3, 15), until=date(2026, 3, 20))
    later = Share("Anna", Fraction(1, 2), since=date(2026, 4, 1))
    assert problems(entry("a", shares=(first, second, later)), played=("a",)) == [
        (Problem.NO_PAYEE, ("a",), "from 2026-03-21 on"),
        (Problem.NOT_WHOLE, ("a",), "90 %"),
    ]


def test_the_dearest_track_comes_first() -> None:
    played = {"a": Played(5, Decimal(1)), "b": Played(1, Decimal(2)), "c": Played(9, Decimal(1))}
    assert [each.tracks for each in check(Catalog(), played, START, END)] == [("b",), ("c",), ("a",)]

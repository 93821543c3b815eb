"""A draft has the names as most matches spell them, and loses nothing that a person wrote."""

from fractions import Fraction
from typing import Any

from playlog.domain.match import Item
from playlog_cli.catalog.drafting import COLUMNS, columns_of, draft
from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import Share


def match(track: Any, **names: Any) -> Item:
    values = {"track_id": track, **names}
    return {name: value if isinstance(value, dict) else {"S": value} for name, value in values.items()}


def rows(*matches: Item, kept: Catalog | None = None) -> list[dict[str, str]]:
    kept = kept or Catalog()
    return [dict(zip(columns_of(kept), row, strict=True)) for row in draft(matches, kept)]


def filled(row: dict[str, str]) -> dict[str, str]:
    return {name: cell for name, cell in row.items() if cell}


def test_the_most_frequent_spelling_comes_first_and_the_others_are_listed() -> None:
    (row,) = rows(
        match("t", title="Snow", isrc="US-AB1-23-45678"),
        match("t", title="SNOW "),
        match("t", title="Snow"),
        match("t", title="snow"),
    )
    assert filled(row) == {
        "track_id": "t",
        "title": "Snow",
        "isrc": "USAB12345678",
        "other_spellings": "title: SNOW (1); title: snow (1)",
    }


def test_the_tracks_that_were_heard_most_come_first_and_composers_that_a_match_brought_are_kept() -> None:
    found = rows(match("a"), match("c", composers="C. Franck"), match("b"), match("c"), match("b"), match("c"))
    assert [filled(row) for row in found] == [
        {"track_id": "c", "composers": "C. Franck"},
        {"track_id": "b"},
        {"track_id": "a"},
    ]


def test_each_track_has_a_row_also_without_names_and_its_id_may_be_its_isrc() -> None:
    found = rows(match("b", title={"N": "1"}), match("usab12345678"), match({"NULL": True}), match(" "))
    assert [filled(row) for row in found] == [{"track_id": "b"}, {"track_id": "usab12345678", "isrc": "USAB12345678"}]


def test_a_row_that_a_person_wrote_stays_as_it_is() -> None:
    shares = (Share("Anna", Fraction(1, 3), "artist"), Share("Ben", Fraction(2, 3)))
    kept = Catalog(
        [
            Entry("a", title="My Snow", shares=shares, more={"ean": "0012", "other_spellings": "title: x (1)"}),
            Entry("c", shares=(Share("Cleo", Fraction(1)),)),
        ]
    )
    found = rows(match("a", title="Snow"), match("b", title="Rain"), kept=kept)
    assert columns_of(kept) == [*COLUMNS, "ean"]
    assert [filled(row) for row in found] == [
        {
            "track_id": "a",
            "title": "My Snow",
            "shares": "1/3 Anna as artist; 2/3 Ben",
            "other_spellings": "title: x (1)",
            "ean": "0012",
        },
        {"track_id": "c", "payee": "Cleo"},
        {"track_id": "b", "title": "Rain"},
    ]

"""`make docs` redraws a screenshot of the operators' page when its look has changed, and not each day."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs.screens import SCREENS, digest_of, noted, with_note

PAGE = '<p class="part">{time}</p><a href="/failures?id={id}">{number} of 4</a>'
TODAY = {"time": "2026-11-29 10:00:00", "id": "m-261129-00001", "number": "1,204"}
STYLE = b"p { color: red }"


def look(page: str, style: bytes = STYLE, values: Mapping[str, str] = TODAY) -> str:
    return digest_of(page.format(**values), style)


@pytest.mark.parametrize(
    "other",
    [
        {"time": "2026-12-01 11:30:05"},
        {"id": "m-261201-00007"},
        {"number": "3"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_day_is_the_same_look(other: dict[str, str]) -> None:
    assert look(PAGE, values=TODAY | other) == look(PAGE)


def test_a_row_more_is_the_same_look() -> None:
    assert look(PAGE + PAGE) == look(PAGE)


def test_another_secret_is_the_same_look() -> None:
    assert look(f'<input value="{"x" * 43}">') == look(f'<input value="{"Y" * 43}">')


def test_a_part_that_is_being_replaced_is_the_same_look() -> None:
    assert look(PAGE.replace('"part"', '"part htmx-settling"')) == look(PAGE)


@pytest.mark.parametrize("changed", [PAGE.replace("of", "from"), PAGE.replace("part", "card"), PAGE + "<hr>"])
def test_another_word_class_or_element_is_another_look(changed: str) -> None:
    assert look(changed) != look(PAGE)


def test_another_style_is_another_look() -> None:
    assert look(PAGE, b"p { color: green }") != look(PAGE)


@pytest.mark.parametrize("path", [screen.path for screen in SCREENS], ids=lambda path: path.name)
def test_a_screenshot_says_what_it_shows(path: Path) -> None:
    assert noted(path.read_bytes()), "run `make docs` on a machine with Chromium"


def test_a_note_is_read_back() -> None:
    png = SCREENS[0].path.read_bytes()
    assert noted(with_note(png[:33] + png[33:], "0" * 64)) == "0" * 64
    assert noted(b"") is None

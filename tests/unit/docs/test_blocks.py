"""A page differs from a command's output where a count or a word differs, and not where a time or an id does."""

from pathlib import Path

import pytest

from tests.docs.blocks import blocks, masked, rewritten
from tests.docs.pictures import words

PAGE = """# Title

<!-- docs converted: playlog status -->
```console
$ playlog status
waiting   0
last run: 8 s ago, 2,981 processed in 14.3 s
```
<!-- end: docs -->

The end.
"""
KEY = ("converted", "playlog status")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_a_block_names_its_stage_and_command(page: Path) -> None:
    assert [(block.stage, block.command) for block in blocks(page)] == [KEY]


def test_another_count_is_written_into_the_page(page: Path) -> None:
    text = rewritten(page, {KEY: "waiting   1\nlast run: 9 s ago, 2,981 processed in 1.2 s"})

    assert "waiting   1\n" in text
    assert "last run: 9 s ago" in text
    assert text.startswith("# Title\n")
    assert text.endswith("\nThe end.\n")
    assert masked(text) != masked(PAGE)


def test_other_times_alone_leave_the_page_as_it_is(page: Path) -> None:
    assert rewritten(page, {KEY: "waiting   0\nlast run: 1 min 2 s ago, 2,981 processed in 7.1 s"}) == PAGE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at 2026-03-14T08:00:00.000000+0000", "at 2027-01-01T00:00:00+01:00"),
        ("at http://127.0.0.1:4566.", "at http://127.0.0.1:39999."),
        ("playlog-Schedule-E8A49C51CE1FE", "playlog-Schedule-0123456789ABC"),
        ("a     b", "a b"),
        ("OK - 10 records", "OK - 7 records"),
    ],
)
def test_what_differs_from_one_execution_to_the_next_is_masked(one: str, other: str) -> None:
    assert masked(one) == masked(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("plays 2,933", "plays 2,934"), ("INVALID_TIME 7", "INVALID_TIME 8"), ("EUR 2,254.15", "EUR 2,254.16")],
)
def test_counts_and_amounts_are_compared(one: str, other: str) -> None:
    assert masked(one) != masked(other)


def test_the_words_of_a_picture_are_read_line_by_line() -> None:
    svg = '<text class="a-r1" x="12" y="44" t="1">plays&#160;7</text><text class="a-r2" x="0" y="20" t="1">head</text>'

    assert words(svg) == ["head", "plays 7"]

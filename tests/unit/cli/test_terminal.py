"""Text from data on its way to a terminal: shown as it is, and never obeyed."""

import io

import pytest
from playlog_cli.terminal import PlainConsole, age, counted, escaped, print_rows, progress_bars, table
from rich.text import Text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Tokyo FM 東京 é 📻", "Tokyo FM 東京 é 📻"),
        ("a\x1b[2J", "a\\x1b[2J"),
        ("a\nb\tc\rd\x00\x7f\x9b", "a\\nb\\tc\\rd\\x00\\x7f\\x9b"),
        ("\u202e\u2066\u200f\u061c", "\\u202e\\u2066\\u200f\\u061c"),
        ("\ud83c", "\\ud83c"),
        ("\u2028\ufeff\u200b", "\\u2028\\ufeff\\u200b"),
        ("\U000e0041", "\\U000e0041"),
        ("\u0646\u0645\u06cc\u200c\u062e\u0648", "\u0646\u0645\u06cc\u200c\u062e\u0648"),  # joined as Persian is
    ],
)
def test_what_a_terminal_may_obey_or_hide_is_escaped(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize("as_terminal", [False, True])
def test_no_way_to_the_console_interprets_text(as_terminal: bool) -> None:
    file = io.StringIO()
    console = PlainConsole(file=file, force_terminal=as_terminal, color_system=None, width=200)
    hostile = "bbc:radio:one [bold]\x1b]0;x\x07\ud83c"
    rows = table("id")
    rows.add_row(hostile)
    rows.add_row(Text(hostile))
    console.print(hostile, rows, Text(hostile))
    with progress_bars("{task.description}", console=console) as bars:
        bars.add_task(hostile)
    written = file.getvalue()

    strings, texts = "bbc:radio:one [bold]\\x1b]0;x\\x07\\ud83c", "bbc:radio:one [bold]\\x1b]0;x\\ud83c"
    assert written.count(strings) >= (3 if as_terminal else 2)  # the bar is there on a terminal only
    assert written.count(texts) == 2  # Rich drops BEL from a Text
    assert "\x1b]" not in written
    assert "\x07" not in written


def test_a_line_end_in_data_forges_no_line_of_output() -> None:
    file = io.StringIO()
    PlainConsole(file=file).print("\nmatch m-1\nplaylog: all is well")

    assert file.getvalue() == "\nmatch m-1\\nplaylog: all is well\n"


def test_a_row_that_is_too_wide_is_folded_and_loses_nothing() -> None:
    file = io.StringIO()
    print_rows(PlainConsole(file=file, width=24), ("a", "b"), [("東京 FM", "x" * 20), ("one\x1b[2J\ntwo", "y")])

    first, *rest = file.getvalue().splitlines()
    assert first.split() == ["a", "b"]
    assert max(map(len, rest)) <= 24
    folded = "".join(line.replace("東京 FM", "").replace(" ", "") for line in rest)
    assert (folded.count("x") - 1, "\\" in folded, "東京 FM" in rest[0]) == (20, True, True)
    assert sorted(folded.replace("x", "")) == sorted("one\\1b[2J\\ntwoy")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "unknown"), (0.4, "0 s"), (59, "59 s"), (3_725, "1 h 2 min"), (-90, "-1 min 30 s"), (90_000, "1 d 1 h")],
)
def test_an_age_is_told_in_two_units(seconds: float | None, words: str) -> None:
    assert age(seconds) == words


def test_a_number_has_its_noun() -> None:
    assert [counted(n, "match", "matches") for n in (0, 1, 2_000)] == ["0 matches", "1 match", "2,000 matches"]

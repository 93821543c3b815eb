"""The terminal: consoles, tables, progress bars, consent, and JSON for machines.

Data from tables and files reaches a terminal through this module alone. It shows control characters escaped, and it
reads no markup and no emoji codes in data.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from playlog_cli.errors import CommandError

# They reorder the text around them (Unicode Standard Annex 9, "Explicit Directional Embedding and Isolate").
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Control characters, surrogates, and separators of lines and paragraphs.
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """Escapes what could control a terminal or hide what a text says.

    Args:
        text: data, like an id or a name.

    Returns:
        The text, with control characters, bidirectional controls and lone surrogates as Python writes them, like
        ``\\\\x1b``.

    Example:
        >>> printable("\\x1b[2Jfm-1")
        '\\\\x1b[2Jfm-1'
    """
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if character in _BIDI_CONTROLS or unicodedata.category(character) in _ESCAPED_CATEGORIES
        else character
        for character in text
    )


class SafeConsole(Console):
    """A console that prints texts as they are, but never a control character in them."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, stderr=stderr)

    def print(self, *objects: Any, **options: Any) -> None:
        """Prints texts escaped, each line of a text on a line of its own; and anything else as it renders."""
        super().print(*map(_safe, objects), **options)


class SafeTable(Table):
    """A table whose cells show data escaped."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Adds a row."""
        super().add_row(*(Text(printable(cell)) if isinstance(cell, str) else cell for cell in cells), **options)


def _safe(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # A line break is the caller's: data on a line of its own is escaped before it gets there.
    return "\n".join(map(printable, value.split("\n")))


out = SafeConsole()
err = SafeConsole(stderr=True)


def one_line(text: str) -> str:
    """Data in one line: line breaks are escaped, too."""
    return printable(text)


def print_json(value: Any) -> None:
    """Prints a dataclass, or anything that ``json`` accepts, as indented JSON on stdout."""
    plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    sys.stdout.write(json.dumps(plain, indent=2) + "\n")


def make_table(*names: str, numbers: bool = False, padding: int = 2, footer: bool = False) -> SafeTable:
    """A table without lines.

    Args:
        names: headings of the columns.
        numbers: whether all columns but the first are aligned to the right.
        padding: blanks between columns.
        footer: whether a bold footer is shown.
    """
    table = SafeTable(
        box=None,
        pad_edge=False,
        padding=(0, padding, 0, 0),
        header_style="bold",
        footer_style="bold" if footer else "",
        show_footer=footer,
    )
    for position, name in enumerate(names):
        table.add_column(name, justify="right" if numbers and position else "left", overflow="fold")
    return table


def make_facts() -> SafeTable:
    """A table of names, numbers and remarks, without headings."""
    facts = SafeTable(box=None, show_header=False, pad_edge=False, padding=(0, 2))
    facts.add_column()
    facts.add_column(justify="right")
    facts.add_column()
    return facts


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: ``1 match``, ``2,981 matches``."""
    return f"{number:,} {one if number == 1 else many}"


def age(seconds: float | None) -> str:
    """A span of time in its two largest units, like ``2 h 5 min``.

    Args:
        seconds: negative in the future; None if it is unknown.
    """
    if seconds is None:
        return "unknown"
    sign, left = ("-" if seconds < 0 else ""), int(abs(seconds))
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        amount, left = divmod(left, length)
        if amount or (unit == "s" and not parts):
            parts.append(f"{amount:,} {unit}")
    return sign + " ".join(parts[:2])


def progress_bars(*columns: ProgressColumn) -> Progress:
    """Progress bars on stderr, removed when their block ends. They show nothing if stderr is not a terminal."""
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def text_column(template: str) -> TextColumn:
    """A column of a progress bar that shows texts as they are."""
    return TextColumn(template, markup=False)


@contextmanager
def progress_line(template: str) -> Iterator[Callable[[int], None]]:
    """A line on stderr that counts.

    Args:
        template: like ``{task.completed:,} plays read``.

    Yields:
        The progress callback: receives how many more are done.
    """
    bar = progress_bars(SpinnerColumn(), text_column(template), TimeElapsedColumn())
    task = bar.add_task("", total=None)
    with bar:
        yield lambda more: bar.advance(task, more)


def has_consent(question: str, *, yes: bool, as_json: bool) -> bool:
    """Asks on the terminal whether a change may be made, unless ``--yes`` was given.

    Args:
        question: the change, as a question.
        yes: whether ``--yes`` was given.
        as_json: whether a program reads the output, and cannot be asked.

    Raises:
        CommandError: nobody can be asked.
    """
    if yes:
        return True
    if as_json or not sys.stdin.isatty():
        raise CommandError(f"{question} Cannot ask for confirmation here: pass --yes to confirm")
    err.print(f"{question} [y/N] ", end="", soft_wrap=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")

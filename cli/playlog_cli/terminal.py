"""The one place where text reaches a terminal: consoles, tables, progress, consent, and JSON for machines.

Ids, reasons and file names come from data, and whoever writes a match chooses them. So a console shows each string as
it is: no markup, no emoji codes, no highlighting. Characters that would move the cursor, change the terminal's state or
reorder the text are shown escaped, like ``\\x1b``.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from itertools import zip_longest
from typing import IO, Any, TypeAlias

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from playlog_cli.errors import CommandError

# Control characters, lone surrogates, separators of lines and paragraphs, and format characters such as bidi controls
# (Unicode Standard, 4.5 "General Category"; UAX #9 lists the bidi controls).
_ESCAPED_CATEGORIES = {"Cc", "Cs", "Cf", "Zl", "Zp"}
_NARROWEST = 8  # columns of a table that is folded to fit
_JOINERS = {"\u200c", "\u200d"}  # needed to spell Persian, Hindi and others, and harmless

Progressed: TypeAlias = Callable[[int], None]
"""Progress callback: receives how many more things were done."""


def escaped(text: str) -> str:
    """Writes characters that a terminal might obey, or does not show, as Python does: ``\\x1b``, ``\\u202e``.

    Args:
        text: text from data, which may hold anything.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode() if _must_be_escaped(character) else character for character in text
    )


def _must_be_escaped(character: str) -> bool:
    return unicodedata.category(character) in _ESCAPED_CATEGORIES and character not in _JOINERS


class PlainConsole(Console):
    """A console that shows each string as it is, with control characters escaped.

    Line ends at the start and at the end of a string are layout. Within a string they come from data, which must not
    forge lines of output: they are escaped too. To print several lines, print each of them.
    """

    def __init__(self, *, stderr: bool = False, quiet: bool = False, file: IO[str] | None = None, **layout: Any):
        super().__init__(highlight=False, markup=False, emoji=False, stderr=stderr, quiet=quiet, file=file, **layout)

    def render_str(self, text: str, **options: Any) -> Text:
        """Rich calls this for each string that it prints and for each cell of a table that is a string."""
        content = text.strip("\n")
        before, _, after = text.partition(content) if content else (text, "", "")
        return super().render_str(before + escaped(content) + after, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Escapes what did not come as a string, such as a ``Text`` in a table or a progress bar."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text == "\n" or segment.text.isprintable():
                yield segment
            else:
                lines = "\n".join(map(escaped, segment.text.split("\n")))
                yield Segment(lines, segment.style)


out = PlainConsole()
err = PlainConsole(stderr=True)


def print_json(value: Any) -> None:
    """Prints a dataclass, or anything that ``json`` takes, as JSON on stdout: indented for a terminal, else one line.

    Python takes four times as long to indent, which counts in a report with 400,000 lines.
    """
    shown = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    text = json.dumps(shown, indent=2 if sys.stdout.isatty() else None)
    # JSON allows DEL as it is; a terminal does not show it.
    sys.stdout.write(text.replace("\x7f", "\\u007f") + "\n")


# --- Words and tables ---


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: ``1 match``, ``2,000 matches``."""
    return f"{number:,} {one if number == 1 else many}"


def age(seconds: float | None) -> str:
    """A time span in its two largest units, like ``2 h 5 min``; ``unknown`` for None.

    Args:
        seconds: the span; negative for a time in the future.
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


def table(*columns: str, numbers: Sequence[str] = (), padding: int = 2) -> Table:
    """An empty table without lines: a heading over each column, long texts folded and never cut.

    Args:
        columns: headings of columns of text, which come first.
        numbers: headings of columns of numbers, which are aligned to the right.
        padding: blanks between two columns.
    """
    made = Table(box=None, pad_edge=False, padding=(0, padding, 0, 0), header_style="bold", footer_style="bold")
    for name in columns:
        made.add_column(name, overflow="fold")
    for name in numbers:
        made.add_column(name, justify="right")
    return made


def print_rows(console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table of texts, long ones folded. Much faster than ``table``: a preview has one for each of many rows.

    Args:
        console: where to.
        headings: of the columns.
        rows: the cells of each row.
    """
    lines = [[escaped(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > console.width and max(widths) > _NARROWEST:
        widest = widths.index(max(widths))
        widths[widest] -= 1
    printed = []
    for line in lines:
        folded = [chop_cells(cell, width) for cell, width in zip(line, widths, strict=True)]
        for cells in zip_longest(*folded, fillvalue=""):
            printed.append("  ".join(map(set_cell_size, cells, widths)).rstrip())
    text = Text("\n".join(printed), no_wrap=True, overflow="ignore")
    text.stylize("bold", 0, len(printed[0]))
    console.print(text, crop=False, soft_wrap=True)


def facts_table() -> Table:
    """An empty table of facts without headings: a name, its number, and a remark."""
    made = Table.grid(padding=(0, 2))
    made.add_column()
    made.add_column(justify="right")
    made.add_column()
    return made


def print_first(console: Console, sentences: Sequence[str], most: int, rest: str, count: int) -> None:
    """Prints the first of many sentences, a line each, and then how many there are more.

    Args:
        console: where to.
        sentences: the first of them.
        most: how many are printed.
        rest: what the others are, like ``bad rows; --json lists them all``.
        count: how many there are.
    """
    for sentence in sentences[:most]:
        console.print(sentence, soft_wrap=True)
    if count > most:
        console.print(f"... and {count - most:,} more {rest}", soft_wrap=True)


# --- Progress ---


class PlainTextColumn(TextColumn):
    """A column of a progress bar, like ``{task.completed:,} plays read``, which shows text as it is."""

    def __init__(self, template: str) -> None:
        super().__init__(template, markup=False)

    def render(self, task: Task) -> Text:
        """Escapes before Rich cuts the text to the width that there is."""
        return Text(escaped(self.text_format.format(task=task)), justify=self.justify)


def progress_bars(*columns: str | ProgressColumn, console: Console = err) -> Progress:
    """Progress bars on stderr, gone when their block ends; nothing where stderr is no terminal.

    Args:
        columns: columns of Rich, or the template of a ``PlainTextColumn``.
        console: where to, if not stderr.
    """
    return Progress(
        *(PlainTextColumn(each) if isinstance(each, str) else each for each in columns),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@contextmanager
def counting(template: str, *columns: ProgressColumn) -> Iterator[Progressed]:
    """A line on stderr that counts, like ``{task.completed:,} plays read``.

    Args:
        template: the text.
        columns: columns of Rich after the text.

    Yields:
        A progress callback.
    """
    bars = progress_bars(template, *columns)
    task = bars.add_task("", total=None)
    with bars:
        yield lambda more: bars.advance(task, more)


@contextmanager
def table_bars(names: dict[str, str], expected: Callable[[str], int]) -> Iterator[Callable[[str, int], None]]:
    """A progress bar for each table that is read.

    Args:
        names: what each table holds, by the table's name.
        expected: how many items a table holds, roughly.

    Yields:
        A progress callback: receives the table's name and how many more of its items were read.
    """
    bars = progress_bars("{task.description}", BarColumn(), "{task.completed:,.0f}/{task.total:,.0f}")
    tasks: dict[str, Any] = {}

    def show(name: str, items: int) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(names[name], total=expected(name))
        task = bars.tasks[tasks[name]]
        done = task.completed + items
        bars.update(task.id, completed=done, total=max(done, task.total or 0))

    with bars:
        yield show


# --- Consent ---


def has_consent(question: str, *, yes: bool, as_json: bool) -> bool:
    """Asks on the terminal whether a change may be made, unless the command line has said so.

    Args:
        question: what is about to be done.
        yes: whether ``--yes`` was given.
        as_json: whether a machine reads the output: it cannot be asked.

    Raises:
        CommandError: there is nobody to ask.
    """
    if yes:
        return True
    if as_json or not sys.stdin.isatty():
        raise CommandError(f"{question} Cannot ask for confirmation here: pass --yes to confirm")
    err.print(f"{question} [y/N] ", end="", soft_wrap=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")

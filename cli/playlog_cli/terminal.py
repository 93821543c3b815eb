"""What commands print through: the consoles, the progress bar, and JSON for machines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from playlog_cli.loading.load import FileProgress

# Neither reads markup or guesses colours: ids and file names go through them as they are.
out = Console(highlight=False, markup=False)
err = Console(highlight=False, markup=False, stderr=True)


def print_json(value: Any) -> None:
    """Prints a dataclass, or anything that ``json`` takes, as indented JSON on stdout."""
    shown = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    sys.stdout.write(json.dumps(shown, indent=2) + "\n")


@contextmanager
def load_progress() -> Iterator[Callable[["FileProgress"], None]]:
    """A progress bar per file on stderr, gone when the block ends; nothing where stderr is no terminal.

    Yields:
        What ``load_files`` tells its progress to.
    """
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.fields[rate]:,.0f} rows/s"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def show(progress: "FileProgress") -> None:
        if progress.file not in tasks:
            tasks[progress.file] = bars.add_task(escape(progress.file), rows=0, rate=0.0)
        task = tasks[progress.file]
        elapsed = bars.tasks[task].elapsed or 1.0
        bars.update(
            task,
            completed=progress.bytes_read,
            total=progress.bytes_total,
            rows=progress.rows,
            rate=progress.rows / elapsed,
        )

    with bars:
        yield show

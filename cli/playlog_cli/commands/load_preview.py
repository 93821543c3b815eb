"""`playlog load --preview`: rows beside the matches that they would become."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice, zip_longest

import typer

from playlog_cli.loading.preview import Fate, PreviewedRow
from playlog_cli.loading.results import Order
from playlog_cli.terminal import counted, out, print_first, print_json, print_rows

_HEADINGS = ("column", "in the file", "attribute", "in the match")
_ROWS_ON_A_SCREEN = 5
_BAD_ROWS_AGAIN = 10  # at the end of a preview that does not fit on a screen
_MOST_LINES = 40  # of a row: an object of JSON may have thousands of members
_MOST_CHARACTERS = 200  # of a cell


def show_preview(rows: Sequence[PreviewedRow], order: Order, *, as_json: bool) -> None:
    """Prints rows beside their matches, and how many would become what. Exit status 1 if a row would not be loaded."""
    counts = dict(Counter(_fate(row) for row in sorted(rows, key=lambda row: list(Fate).index(row.fate))))
    if as_json:
        sums_of_order = {
            "going_back": order.going_back,
            "longest_rows": order.longest_rows,
            "open_rows": order.open_rows,
        }
        print_json({"rows": [asdict(row) for row in rows], "counts": counts, **sums_of_order})
    else:
        for row in rows:
            _show(row)
        if len(rows) > _ROWS_ON_A_SCREEN:
            bad = [_heading(row) for row in rows if row.fate is Fate.BAD]
            print_first(out, bad, _BAD_ROWS_AGAIN, "bad rows, above", len(bad))
        notes = order_notes(order.going_back, order.longest_rows, order.open_rows)
        sums = ", ".join([*(f"{count:,} {fate}" for fate, count in counts.items()), *notes]) or "no rows"
        out.print(f"{counted(len(rows), 'row', 'rows')} shown, nothing written: {sums}", soft_wrap=True)
    if any(row.fate is Fate.BAD for row in rows):
        raise typer.Exit(1)


def order_notes(going_back: int, longest_rows: int, open_rows: int) -> list[str]:
    """What a user should know about rows that last up to the next one.

    Args:
        going_back: rows against the order of time.
        longest_rows: rows that last the maximum.
        open_rows: rows without a next row at another instant.
    """
    notes = []
    if longest_rows:
        notes.append(f"{longest_rows:,} as long as until_next allows (the next row is later still)")
    if open_rows:
        notes.append(f"{open_rows:,} of the default length (no later row, or another one at the same instant)")
    if going_back:
        notes.append(f"{going_back:,} back in time (durations by until_next may be wrong: sort the file by time)")
    return notes


def _fate(row: PreviewedRow) -> str:
    return f"{row.fate} as {row.reason_code}" if row.reason_code else str(row.fate)


def _heading(row: PreviewedRow) -> str:
    where = f"{row.file}:{row.line}" if row.line else row.file
    return f"{where}: {row.note}" if row.note else where


def _show(row: PreviewedRow) -> None:
    out.print(_heading(row), soft_wrap=True)
    if row.source or row.match:
        match = []
        for name, value in row.match.items():
            match.append((name, value))
            if name == "matched_at" and row.local_time:
                match.append(("", row.local_time))
        pairs = zip_longest(row.source.items(), match, fillvalue=("", ""))
        lines = [(*map(_cut, cells), *map(_cut, attribute)) for cells, attribute in islice(pairs, _MOST_LINES)]
        if (left := max(len(row.source), len(match)) - _MOST_LINES) > 0:
            lines.append((f"... and {left:,} more", "", "", ""))
        print_rows(out, _HEADINGS, lines)
    out.print()


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}… ({len(text):,} characters)"

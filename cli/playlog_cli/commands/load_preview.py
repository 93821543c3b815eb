"""`playlog load --preview`: rows beside the matches that they would become."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import zip_longest

import typer

from playlog_cli.loading.preview import PreviewedRow
from playlog_cli.terminal import counted, out, print_json, table

_NOTHING = ("", "")


def show_preview(rows: Sequence[PreviewedRow], *, as_json: bool) -> None:
    """Prints rows beside their matches. Exit status 1 if a row would not be loaded."""
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        for row in rows:
            _show(row)
        out.print(f"{counted(len(rows), 'row', 'rows')} shown, nothing written", soft_wrap=True)
    if any(row.is_bad for row in rows):
        raise typer.Exit(1)


def _show(row: PreviewedRow) -> None:
    where = f"{row.file}:{row.line}" if row.line else row.file
    out.print(f"{where}: {row.note}" if row.note else where, soft_wrap=True)
    if row.source or row.match:
        side_by_side = table("column", "in the file", "attribute", "in the match")
        for (column, cell), (name, value) in zip_longest(row.source.items(), row.match.items(), fillvalue=_NOTHING):
            side_by_side.add_row(column, cell, name, value)
        out.print(side_by_side)
    out.print()

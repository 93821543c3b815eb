"""Write pages of items as Parquet files, many items at a time, with bounded memory."""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from playlog.domain.match import Item

from playlog_cli.exporting.columns import ExportTable
from playlog_cli.exporting.conversion import stage, staged_rows
from playlog_cli.exporting.engine import Engine, explained_errors, literal

# Enough that files are large, and few enough that their rows fit in memory: an item has 1 KB, a large one 350 KB.
ITEMS_PER_PART = 250_000
BYTES_PER_PART = 1 << 29


def write_parts(engine: Engine, table: ExportTable, pages: Iterable[list[Item]], folder: Path) -> Iterator[list[Path]]:
    """Writes items as Parquet files.

    Args:
        engine: does the work.
        table: what the items are.
        pages: of items in DynamoDB's wire format.
        folder: where the files go: into folders of their months, if the table is divided by month.

    Yields:
        The files of each part once they are written.

    Raises:
        CommandError: the disk is full.
    """
    lines = engine.scratch / f"{table.name}.jsonl"
    number = items = 0
    for page in pages:
        with explained_errors(), lines.open("a", encoding="utf-8") as file:
            write_lines(file, page)
        items += len(page)
        if items >= ITEMS_PER_PART or lines.stat().st_size >= BYTES_PER_PART:
            yield convert(engine, table, [lines], folder, number)
            lines.unlink()
            number, items = number + 1, 0
    if items:
        yield convert(engine, table, [lines], folder, number)
        lines.unlink()


def convert(engine: Engine, table: ExportTable, sources: Sequence[Path], folder: Path, number: int) -> list[Path]:
    """Converts files of items in DynamoDB's JSON to Parquet.

    Args:
        engine: does the work.
        table: what the items are.
        sources: JSON Lines, also compressed.
        folder: where the files go.
        number: of the part, which its files are named after.

    Returns:
        The files.

    Raises:
        CommandError: a file cannot be read or the disk is full.
    """
    with explained_errors():
        stage(engine.connection, table, [str(source) for source in sources])
        return copy_rows(engine, table, staged_rows(table), folder, number)


def copy_rows(engine: Engine, table: ExportTable, query: str, folder: Path, number: int) -> list[Path]:
    """Writes the rows of a query as Parquet files.

    Args:
        engine: does the work.
        table: what the rows are.
        query: SQL for rows with the table's columns, and that of its partition.
        folder: where the files go.
        number: of the part, which its files are named after.

    Returns:
        The files.
    """
    name = f"part-{number:05}"
    target = folder / table.name
    target.mkdir(parents=True, exist_ok=True)
    options = "FORMAT parquet, COMPRESSION zstd"
    if table.partition:
        options += f", PARTITION_BY ({table.partition}), OVERWRITE_OR_IGNORE, FILENAME_PATTERN '{name}-{{i}}'"
        engine.connection.execute(f"COPY ({query}) TO {literal(str(target))} ({options})")
        return sorted(target.glob(f"*/{name}-*.parquet"))
    path = target / f"{name}.parquet"
    engine.connection.execute(f"COPY ({query}) TO {literal(str(path))} ({options})")
    return [path]


def write_lines(file: IO[str], page: Iterable[Item]) -> None:
    """Writes items as lines of DynamoDB's JSON.

    Args:
        file: opened for text.
        page: items in DynamoDB's wire format.
    """
    file.writelines(json.dumps({"Item": item}, default=_base64) + "\n" for item in page)


def _base64(value: Any) -> Any:
    """Binary values as DynamoDB's own export writes them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no type of DynamoDB's JSON")

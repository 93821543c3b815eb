"""Exports of items that a test makes, in an engine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from playlog.domain.match import Item
from playlog_cli.exporting.columns import TABLES
from playlog_cli.exporting.conversion import stage, staged_rows
from playlog_cli.exporting.engine import Engine, open_engine
from playlog_cli.exporting.manifest import ExportFile, Manifest, Origin
from playlog_cli.exporting.parts import write_lines

INSTANT = "2026-03-14T12:00:00.000000+0000"


@contextmanager
def exported(items: Mapping[str, Sequence[Item]], *, shards: int = 8) -> Iterator[tuple[Engine, Manifest]]:
    """An export of items, and its manifest.

    Args:
        items: by the name of the table in the export.
        shards: the stack's ``UnprocessedShards``.
    """
    files = []
    with open_engine() as engine:
        for table in TABLES:
            lines = engine.scratch / f"{table.name}.jsonl"
            with lines.open("w", encoding="utf-8") as file:
                write_lines(file, items.get(table.name, ()))
            rows = stage(engine.connection, table, [str(lines)])
            engine.connection.execute(f"CREATE TABLE {table.name} AS {staged_rows(table)}")
            files.append(ExportFile(table.name, table.name, rows, 0, ""))
        manifest = Manifest(
            stack="playlog",
            region="us-east-1",
            generation="",
            origin=Origin.POINT_IN_TIME,
            began_at=INSTANT,
            ended_at=INSTANT,
            instant=INSTANT,
            unprocessed_shards=shards,
            files=files,
        )
        yield engine, manifest

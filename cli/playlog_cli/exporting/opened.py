"""Open an export: check that it is whole and unchanged, and offer its tables to SQL."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from playlog_cli.errors import CommandError
from playlog_cli.exporting.columns import BY_NAME, Column, ExportTable
from playlog_cli.exporting.engine import Engine, literal, open_engine
from playlog_cli.exporting.manifest import NAME, ExportFile, Manifest, ManifestError
from playlog_cli.exporting.places import Place, place_of, sha256_of

SIDE_BY_SIDE = 8  # files that are read or downloaded at once


@dataclass(frozen=True)
class Opened:
    """An export that was found whole, with its tables in an engine.

    Attributes:
        name: of the place, as the user wrote it.
        manifest: what it holds.
        engine: has the tables ``plays``, ``matches`` and ``failures``, as far as they were asked for.
    """

    name: str
    manifest: Manifest
    engine: Engine


@contextmanager
def open_export(
    name: str, tables: Sequence[ExportTable], months: Sequence[str] | None = None, session: boto3.Session | None = None
) -> Iterator[Opened]:
    """Opens an export.

    Args:
        name: a folder, or ``s3://BUCKET/PREFIX``.
        tables: which of its tables.
        months: of which alone the plays are, like ``2026-03``; None for all.
        session: region and credentials for S3; None for those of the environment.

    Raises:
        CommandError: there is no whole export, or a file of it is missing or was changed.
        BotoCoreError, ClientError: S3 cannot be reached or refuses a call.
    """
    place = place_of(name, session)
    manifest = read_manifest(place)
    with open_engine() as engine:
        for table in tables:
            files = list(manifest.files_of(table.name, months))
            with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
                paths = list(pool.map(lambda file: checked_file(place, file, engine.scratch), files))
            create_view(engine, table, paths)
        yield Opened(name, manifest, engine)


def read_manifest(place: Place) -> Manifest:
    """Reads the manifest of a whole export.

    Raises:
        CommandError: there is none, because there is no export, or because one was broken off.
    """
    text = place.read_text(NAME)
    if text is None:
        broken_off = place.generations()
        raise CommandError(
            f"the export in {place.name} was broken off: it has no {NAME}. Run `playlog export --to {place.name}` again"
            if broken_off
            else f"there is no export in {place.name}: `playlog export --to {place.name}` makes one"
        )
    try:
        return Manifest.from_json(text)
    except ManifestError as error:
        raise CommandError(f"{NAME} in {place.name} is no manifest of an export: {error}") from None


def create_view(engine: Engine, table: ExportTable, paths: Sequence[Path]) -> None:
    """Makes Parquet files of an export a table of an engine.

    Args:
        engine: where.
        table: what the files hold.
        paths: the files; an empty table if there are none.
    """
    if paths:
        listed = ", ".join(literal(str(path)) for path in paths)
        partition = f", hive_types = {{'{table.partition}': VARCHAR}}" if table.partition else ""
        is_divided = "true" if table.partition else "false"
        source = f"SELECT * FROM read_parquet([{listed}], hive_partitioning = {is_divided}{partition})"
    else:
        divided = [Column(table.partition, "VARCHAR")] if table.partition else []
        columns = ", ".join(f'CAST(NULL AS {column.type}) AS "{column.name}"' for column in (*table.columns, *divided))
        source = f"SELECT {columns} WHERE FALSE"
    engine.connection.execute(f"CREATE OR REPLACE VIEW {table.name} AS {source}")


def checked_file(place: Place, file: ExportFile, scratch: Path) -> Path:
    """A file of an export on this machine, with the content that the manifest says.

    Args:
        place: where the export is.
        file: in the manifest.
        scratch: a folder for the file, if it must be downloaded.

    Raises:
        CommandError: it is missing or was changed.
    """
    assert file.table in BY_NAME
    path = place.fetch(file.path, scratch)
    again = f"run `playlog export --to {place.name}` again"
    if path is None:
        raise CommandError(f"{file.path} is missing in the export {place.name}: {again}")
    if path.stat().st_size != file.size or sha256_of(path) != file.sha256:
        raise CommandError(f"{file.path} in the export {place.name} is not what was exported: {again}")
    return path

"""Export the three tables: read them, write Parquet files, and write the manifest last."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from playlog.domain import timestamps

from playlog_cli.errors import CommandError
from playlog_cli.exporting.columns import TABLES, ExportTable
from playlog_cli.exporting.engine import Engine, open_engine
from playlog_cli.exporting.manifest import NAME, ExportFile, Manifest, ManifestError, Origin, generation_name
from playlog_cli.exporting.parts import write_parts
from playlog_cli.exporting.places import Place, sha256_of
from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import scan

# Progress callback: receives the table of the export and the number of items just read.
Progress: TypeAlias = Callable[[str, int], None]


def export_by_scan(stack: Stack, place: Place, progress: Progress) -> Manifest:
    """Exports the tables of a stack by reading them in parallel. It changes nothing in the stack.

    An earlier export in the same place stays whole until the new one is: then the manifest changes hands.

    Args:
        stack: whose tables.
        place: where to.
        progress: progress callback.

    Returns:
        The manifest, as it was written.

    Raises:
        CommandError: the place cannot be written to, the disk is full, or a table goes on throttling.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    began = datetime.now(UTC)
    generation = generation_name(began)
    files: list[ExportFile] = []
    with open_engine() as engine:
        for table in TABLES:
            files += _export_table(engine, stack, table, place, generation, progress)
    manifest = Manifest(
        stack=stack.name,
        region=stack.session.region_name,
        generation=generation,
        origin=Origin.SCAN,
        began_at=timestamps.to_text(began),
        instant=None,
        unprocessed_shards=stack.shards,
        retain_played_days=stack.retain_played.days,
        files=tuple(files),
    )
    finish(place, manifest)
    return manifest


def finish(place: Place, manifest: Manifest) -> None:
    """Writes the manifest, which makes an export whole, and removes what earlier exports left.

    Args:
        place: holds all files of the manifest.
        manifest: of the new export.

    Raises:
        CommandError: another export to this place was finished in the meantime.
    """
    text = place.read_text(NAME)
    if text is not None and _generation_in(text) > manifest.generation:
        raise CommandError(
            f"another export to {place.name} began later and is finished: this one was not put in its place"
        )
    place.write_text(NAME, manifest.to_json())
    for generation in place.generations():
        if generation < manifest.generation:
            place.remove(generation)


def put_files(
    engine: Engine, table: ExportTable, paths: Sequence[Path], folder: Path, place: Place, generation: str
) -> list[ExportFile]:
    """Puts Parquet files into a place, and describes them for the manifest.

    Args:
        engine: counts the rows.
        table: what the files hold.
        paths: files on this machine. They are removed.
        folder: which the paths in the export are relative to.
        place: where to.
        generation: the folder in the place.
    """
    described = []
    for path in paths:
        relative = path.relative_to(folder)
        month = next((part.partition("=")[2] for part in relative.parts if part.startswith("month=")), None)
        ((rows,),) = engine.connection.execute(
            "SELECT SUM(num_rows) FROM parquet_file_metadata(?)", [str(path)]
        ).fetchall()
        target = f"{generation}/{relative.as_posix()}"
        place.put(path, target)
        described.append(ExportFile(table.name, target, int(rows), path.stat().st_size, sha256_of(path), month))
        path.unlink()
    return described


def _export_table(
    engine: Engine, stack: Stack, table: ExportTable, place: Place, generation: str, progress: Progress
) -> list[ExportFile]:
    folder = engine.scratch / "parquet"
    names = {
        "plays": stack.play_log_table,
        "matches": stack.match_cache_table,
        "failures": stack.failed_play_log_table,
    }

    def pages() -> Any:
        for page in scan(stack.dynamodb, names[table.name]):
            progress(table.name, len(page))
            yield page

    files: list[ExportFile] = []
    for paths in write_parts(engine, table, pages(), folder):
        files += put_files(engine, table, paths, folder, place, generation)
    return files


def _generation_in(text: str) -> str:
    try:
        return Manifest.from_json(text).generation
    except ManifestError:
        return ""  # not an export that this version can read: it is replaced

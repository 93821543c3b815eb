"""Export the three tables: read them, write Parquet files, and write the manifest last."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from playlog.domain import timestamps
from playlog.domain.match import Item

from playlog_cli.errors import CommandError
from playlog_cli.exporting.by_dynamodb import point_in_time
from playlog_cli.exporting.by_dynamodb.pending import NAME as PENDING
from playlog_cli.exporting.by_dynamodb.pending import Pending, begin_or_go_on, table_names
from playlog_cli.exporting.by_dynamodb.updating import Changes
from playlog_cli.exporting.columns import BY_NAME, TABLES, ExportTable
from playlog_cli.exporting.engine import Engine, literal, open_engine
from playlog_cli.exporting.manifest import NAME, ExportFile, Manifest, ManifestError, Origin, generation_name
from playlog_cli.exporting.opened import checked_file, read_manifest
from playlog_cli.exporting.parts import convert, write_parts
from playlog_cli.exporting.places import Bucket, Place, sha256_of
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
    _refuse_to_lose_expired(place)
    names = table_names(stack)
    with open_engine() as engine:
        writing = Writing(engine, place, generation_name(began))
        for table in TABLES:
            pages = _counted(scan(stack.dynamodb, names[table.name]), table, progress)
            for paths in write_parts(engine, table, pages, writing.folder):
                writing.put(table, paths)
    return finish(place, _manifest(stack, Origin.SCAN, began, None, writing))


def export_by_dynamodb(stack: Stack, place: Place, through: Bucket, progress: Progress) -> Manifest:
    """Exports the tables of a stack by DynamoDB's own export to S3, all as of one instant.

    A command that was broken off goes on with the exports that it has asked for.

    Args:
        stack: whose tables.
        place: where to.
        through: where DynamoDB writes its files to. They are removed when they are converted.
        progress: progress callback.

    Returns:
        The manifest, as it was written.

    Raises:
        CommandError: DynamoDB could not export, the place cannot be written to, or the disk is full.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    began = datetime.now(UTC)
    _refuse_to_lose_expired(place)
    pending = begin_or_go_on(stack, place, through, began, since=None)
    with open_engine() as engine:
        writing = Writing(engine, place, generation_name(began))
        for table in TABLES:
            (arn,) = pending.arns[table.name]
            files = point_in_time.data_files(through, point_in_time.wait(stack, arn), engine.scratch)
            for number, file in enumerate(files):
                progress(table.name, writing.put(table, convert(engine, table, [file], writing.folder, number)))
    return _finish_pending(stack, place, through, pending, _manifest(stack, *_instants(pending, began), writing))


def update_by_dynamodb(stack: Stack, place: Place, through: Bucket, progress: Progress) -> Manifest:
    """Brings an export up to date with DynamoDB's incremental export. Matches that have expired since stay in it.

    Args:
        stack: whose tables.
        place: has an export of these tables as of one instant.
        through: where DynamoDB writes its files to. They are removed when they are converted.
        progress: progress callback.

    Returns:
        The manifest, as it was written.

    Raises:
        CommandError: the export cannot be brought up to date, or see ``export_by_dynamodb``.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    began = datetime.now(UTC)
    earlier = read_manifest(place)
    if earlier.instant is None or (earlier.stack, earlier.region) != (stack.name, stack.session.region_name):
        raise CommandError(
            f"the export in {place.name} cannot be brought up to date: it must be of this stack, and made by "
            "DynamoDB's export. Export again without --update"
        )
    pending = begin_or_go_on(stack, place, through, began, since=earlier.instant)
    keeps_expired = earlier.keeps_expired
    with open_engine() as engine:
        writing = Writing(engine, place, generation_name(began))
        for table in TABLES:
            changes = Changes(engine, table, timestamps.from_text(pending.instant).timestamp())
            for arn in pending.arns[table.name]:
                changes.add(point_in_time.data_files(through, point_in_time.wait(stack, arn), engine.scratch))
            files = earlier.files_of(table.name)
            for number, file in enumerate(files, 1):
                path = checked_file(place, file, engine.scratch / "earlier")
                if changes.touches(path):
                    writing.put(table, changes.unchanged(path, writing.folder, number, file.month))
                else:
                    writing.carry(file, path, number)
            progress(table.name, writing.put(table, changes.new(writing.folder, 0)))
            keeps_expired = keeps_expired or changes.kept_expired
    made = _manifest(stack, *_instants(pending, began), writing)
    return _finish_pending(stack, place, through, pending, replace(made, keeps_expired=keeps_expired))


@dataclass
class Writing:
    """Puts the files of a new export into a place.

    Attributes:
        engine: counts the rows.
        place: where to.
        generation: the folder in the place.
        files: what was put so far.
        column_bytes: by table, how large each column of these files is.
    """

    engine: Engine
    place: Place
    generation: str
    files: list[ExportFile] = field(default_factory=list)
    column_bytes: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where files are made before they are put."""
        return self.engine.scratch / "parquet"

    def put(self, table: ExportTable, paths: Sequence[Path]) -> int:
        """Puts files of this machine, which are removed.

        Returns:
            The number of their rows.
        """
        self._add_columns(table, paths)
        put = put_files(self.engine, table, paths, self.folder, self.place, self.generation)
        self.files += put
        return sum(file.rows for file in put)

    def carry(self, file: ExportFile, source: Path, number: int) -> None:
        """Takes over a file of an earlier export.

        Args:
            file: in the earlier manifest.
            source: the same file on this machine.
            number: of the file in this export.
        """
        self._add_columns(BY_NAME[file.table], [source])
        *folders, _ = file.path.split("/")[1:]
        path = "/".join([self.generation, *folders, f"kept-{number:05}.parquet"])
        self.place.copy(file.path, path)
        self.files.append(replace(file, path=path))

    def _add_columns(self, table: ExportTable, paths: Sequence[Path]) -> None:
        sizes = self.column_bytes.setdefault(table.name, {})
        for name, size in column_sizes(self.engine, paths):
            sizes[name] = sizes.get(name, 0) + size


def finish(place: Place, manifest: Manifest) -> Manifest:
    """Writes the manifest, which makes an export whole, and removes what earlier exports left.

    Args:
        place: holds all files of the manifest.
        manifest: of the new export.

    Returns:
        The manifest.

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
    return manifest


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


def column_sizes(engine: Engine, paths: Sequence[Path]) -> Iterator[tuple[str, int]]:
    """How many bytes each column takes in Parquet files."""
    if paths:
        listed = ", ".join(literal(str(path)) for path in paths)
        for name, size in engine.rows(
            f"SELECT path_in_schema, SUM(total_compressed_size) FROM parquet_metadata([{listed}]) GROUP BY ALL"
        ):
            yield name, int(size)


def _counted(pages: Iterable[list[Item]], table: ExportTable, progress: Progress) -> Iterator[list[Item]]:
    for page in pages:
        progress(table.name, len(page))
        yield page


def _manifest(stack: Stack, origin: Origin, began: datetime, instant: str | None, writing: Writing) -> Manifest:
    return Manifest(
        stack=stack.name,
        region=stack.session.region_name,
        generation=writing.generation,
        origin=origin,
        began_at=timestamps.to_text(began),
        ended_at=timestamps.to_text(datetime.now(UTC)),
        instant=instant,
        unprocessed_shards=stack.shards,
        files=tuple(file for file in writing.files if file.rows),
        column_bytes=writing.column_bytes,
    )


def _instants(pending: Pending, began: datetime) -> tuple[Origin, datetime, str]:
    return Origin.POINT_IN_TIME, began, pending.instant


def _finish_pending(stack: Stack, place: Place, through: Bucket, pending: Pending, manifest: Manifest) -> Manifest:
    """Writes the manifest, and then removes what DynamoDB wrote."""
    finish(place, manifest)
    place.remove_file(PENDING)
    for arns in pending.arns.values():
        for arn in arns:
            point_in_time.remove(through, point_in_time.state(stack, arn))
    return manifest


def _refuse_to_lose_expired(place: Place) -> None:
    """Protects the matches that only an export has.

    Raises:
        CommandError: the export in the place keeps matches that have expired.
    """
    text = place.read_text(NAME)
    try:
        keeps_expired = text is not None and Manifest.from_json(text).keeps_expired
    except ManifestError:
        return  # not an export that this version can read: it is replaced
    if keeps_expired:
        raise CommandError(
            f"the export in {place.name} keeps matches that have expired and that the tables no longer have. A new "
            "export in its place would lose them: bring it up to date with --update, or export to another place"
        )


def _generation_in(text: str) -> str:
    try:
        return Manifest.from_json(text).generation
    except ManifestError:
        return ""  # not an export that this version can read: it is replaced

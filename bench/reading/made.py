"""Make an export of any size, as `playlog export` would write it of tables in which all is well."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from playlog.domain import timestamps
from playlog_cli.errors import CommandError
from playlog_cli.exporting.columns import FAILURES, MATCHES, PLAYS, ExportTable
from playlog_cli.exporting.engine import Engine, open_engine
from playlog_cli.exporting.export import finish, put_files
from playlog_cli.exporting.manifest import ExportFile, Manifest, Origin, generation_name
from playlog_cli.exporting.opened import read_manifest
from playlog_cli.exporting.parts import ITEMS_PER_PART, copy_rows
from playlog_cli.exporting.places import Folder

YEAR = 2026
STATIONS, TRACKS = 200, 20_000
_SECONDS_OF_THE_YEAR = 365 * 86_400
_TEXT = "strftime(make_timestamp({}), '%Y-%m-%dT%H:%M:%S.%f+0000')"


def make(folder: Path, plays: int, matches: int) -> None:
    """Makes an export, unless there is one that this version reads.

    Args:
        folder: where to.
        plays: how many, evenly over a year.
        matches: how many of the first plays have their match in the export too.
    """
    place = Folder(folder)
    with suppress(CommandError):
        read_manifest(place)
        return
    now = datetime(YEAR + 1, 1, 1, tzinfo=UTC)
    generation = generation_name(now)
    with open_engine() as engine:
        files = _table(engine, PLAYS, _play, plays, plays, place, generation)
        files += _table(engine, MATCHES, _match, matches, plays, place, generation)
        files += _table(engine, FAILURES, _match, 0, plays, place, generation)
    finish(
        place,
        Manifest(
            stack="bench",
            region="us-east-1",
            generation=generation,
            origin=Origin.POINT_IN_TIME,
            began_at=timestamps.to_text(now),
            ended_at=timestamps.to_text(now),
            instant=timestamps.to_text(now),
            unprocessed_shards=8,
            files=tuple(files),
        ),
    )


def _table(
    engine: Engine, table: ExportTable, of_row: dict[str, str], count: int, plays: int, place: Folder, generation: str
) -> list[ExportFile]:
    columns = ", ".join(
        f'CAST({of_row.get(column.name, "NULL")} AS {column.type}) AS "{column.name}"' for column in table.columns
    )
    month = ", strftime(make_timestamp(us), '%Y-%m') AS month" if table.partition else ""
    start = int(datetime(YEAR, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    step = _SECONDS_OF_THE_YEAR * 1_000_000 // plays
    files: list[ExportFile] = []
    for number, first in enumerate(range(0, count, ITEMS_PER_PART)):
        made = f"""
            SELECT i, us, us + seconds * 1000000 AS stop_us, seconds, h, station, track, heard,
                heard || '#' || track AS play_id
            FROM (
                SELECT i, us, h, 120 + h % 180 AS seconds, 'station-' || (h // 7 % {STATIONS}) AS station,
                    'XX-PLY-' || (h // 1000 % {TRACKS}) AS track, {_TEXT.format("us")} AS heard
                FROM (
                    SELECT i, {start} + i * {step} AS us, CAST(hash(i) % 1000000007 AS BIGINT) AS h
                    FROM (SELECT UNNEST(range({first}, {min(count, first + ITEMS_PER_PART)})) AS i)
                )
            )
        """
        query = f"SELECT {columns}{month} FROM ({made})"
        paths = copy_rows(engine, table, query, engine.scratch / "parquet", number)
        files += put_files(engine, table, paths, engine.scratch / "parquet", place, generation)
    return files


_play = {
    "station_id": "station",
    "play_id": "play_id",
    "track_id": "track",
    "source": "'Radio'",
    "match_id": "'m-' || i",
    "match_count": "1",
    "played_at": "heard",
    "start_time": "heard",
    "stop_time": _TEXT.format("stop_us"),
    "duration_seconds": "seconds",
    "avg_confidence_score": "(h % 60 + 40) || '.' || (h % 100)",
    "confidence_sum": "(h % 60 + 40) || '.' || (h % 100)",
    "confidence_count": "1",
    "active": "h % 997 <> 0",
    "claimed": "FALSE",
    "flagged": "h % 50 = 0",
    "is_archived": "FALSE",
    "created_at": "heard",
    "updated_at": "heard",
    "played_at_us": "us",
    "start_time_us": "us",
    "stop_time_us": "stop_us",
}
_match = {
    "match_id": "'m-' || i",
    "matched_at": "heard",
    "track_id": "track",
    "station_id": "station",
    "source": "'Radio'",
    "duration_seconds": "seconds",
    "avg_confidence_score": "(h % 60 + 40) || '.' || (h % 100)",
    "processed": "TRUE",
    "processed_at": "heard",
    "play_id": "play_id",
    "matched_at_us": "us",
}

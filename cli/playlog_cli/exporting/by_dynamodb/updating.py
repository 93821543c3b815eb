"""Bring an export up to date with what DynamoDB says has changed since."""

from collections.abc import Iterable
from pathlib import Path

from playlog_cli.exporting.columns import ExportTable, column_type
from playlog_cli.exporting.conversion import stage, staged_rows
from playlog_cli.exporting.engine import Engine, explained_errors, literal
from playlog_cli.exporting.parts import copy_rows


class Changes:
    """The items of a table that were changed or deleted, in an engine.

    An item that DynamoDB deleted because it had expired stays in the export, as it was.

    Args:
        engine: holds them.
        table: of which table.
        until: when the last period ends, in epoch seconds.

    Attributes:
        kept_expired: whether an item stays that DynamoDB deleted because it had expired.
    """

    def __init__(self, engine: Engine, table: ExportTable, until: float) -> None:
        self._engine = engine
        self._table = table
        self._until = int(until)
        self.kept_expired = False
        kinds = {each.name: column_type(each) for each in table.attributes}
        keys = ", ".join(f'"{name}" {kinds[name]}' for name in table.key)
        engine.connection.execute(f"CREATE OR REPLACE TEMP TABLE changed ({keys}, is_deleted BOOLEAN)")
        engine.connection.execute("DROP TABLE IF EXISTS images")

    def add(self, sources: Iterable[Path]) -> None:
        """Adds the changes of a period. They replace those of earlier periods.

        Args:
            sources: files of DynamoDB's incremental export.
        """
        with explained_errors():
            for source in sources:
                self._add(str(source))

    def _add(self, source: str) -> None:
        execute, key = self._engine.connection.execute, self._table.key
        execute(f"CREATE OR REPLACE TEMP TABLE latest AS {self._keys_in(source)}")
        if self._has_images():
            self._note_expired("images", "latest")
            execute(f"DELETE FROM images USING latest WHERE {self._replaces('images', 'latest')}")
        same = _equal(key, "latest", "changed")
        # An item that was written again after it had expired takes the place of the expired one.
        execute(f"UPDATE changed SET is_deleted = FALSE FROM latest WHERE {same} AND NOT latest.is_deleted")
        execute(f"INSERT INTO changed SELECT * FROM latest ANTI JOIN changed ON {same}")
        stage(self._engine.connection, self._table, [source], root="NewImage")
        rows = staged_rows(self._table)
        execute(f"INSERT INTO images {rows}" if self._has_images() else f"CREATE TEMP TABLE images AS {rows}")

    def touches(self, file: Path) -> bool:
        """Whether a file of an export has an item that was changed or deleted."""
        self._note_expired(_rows_of(file), "changed")
        return self._has(f"{_rows_of(file)} f JOIN changed ON {self._replaces('f', 'changed')}")

    def unchanged(self, file: Path, folder: Path, number: int, month: str | None) -> list[Path]:
        """Writes the items of a file that were neither changed nor deleted.

        Args:
            file: of the earlier export.
            folder: where the new file goes.
            number: of the new file.
            month: of the plays in it; None for other tables.
        """
        partition = f", {literal(month)} AS {self._table.partition}" if month is not None else ""
        query = f"SELECT *{partition} FROM {_rows_of(file)} f ANTI JOIN changed ON {self._replaces('f', 'changed')}"
        with explained_errors():
            return copy_rows(self._engine, self._table, query, folder, number)

    def new(self, folder: Path, number: int) -> list[Path]:
        """Writes the items as they are after the changes.

        Args:
            folder: where the files go.
            number: of the files.
        """
        if not self._has_images():
            return []
        with explained_errors():
            return copy_rows(self._engine, self._table, "SELECT * FROM images", folder, number)

    def _keys_in(self, source: str) -> str:
        """The keys in a file, and whether each item was deleted. The key is in ``Keys`` either way."""
        types = {each.name: each for each in self._table.attributes}
        columns = ", ".join(
            f"CAST(json_extract_string(\"Keys\", '$.{name}.{types[name].type}') AS {column_type(types[name])}) "
            f'AS "{name}"'
            for name in self._table.key
        )
        return (
            f'SELECT DISTINCT {columns}, "NewImage" IS NULL AS is_deleted '
            f"FROM read_json([{literal(source)}], format = 'newline_delimited', "
            "columns = {'Keys': 'JSON', 'NewImage': 'JSON'}, maximum_object_size = 67108864)"
        )

    def _replaces(self, rows: str, changes: str) -> str:
        """Whether a change takes the place of a row: it has its key, and is no deletion of what had expired."""
        return f"{_equal(self._table.key, rows, changes)} AND NOT ({self._has_expired(rows, changes)})"

    def _has_expired(self, rows: str, changes: str) -> str:
        if not any(each.name == "expires_at" for each in self._table.attributes):
            return "FALSE"
        return f"{changes}.is_deleted AND COALESCE({rows}.expires_at <= {self._until}, FALSE)"

    def _note_expired(self, source: str, changes: str) -> None:
        join = f"{_equal(self._table.key, 'f', changes)} AND {self._has_expired('f', changes)}"
        self.kept_expired = self.kept_expired or self._has(f"{source} f JOIN {changes} ON {join}")

    def _has_images(self) -> bool:
        return self._has("duckdb_tables() WHERE table_name = 'images'")

    def _has(self, source: str) -> bool:
        return bool(list(self._engine.rows(f"SELECT 1 FROM {source} LIMIT 1")))


def _equal(key: Iterable[str], left: str, right: str) -> str:
    return " AND ".join(f'{left}."{name}" = {right}."{name}"' for name in key)


def _rows_of(file: Path) -> str:
    return f"read_parquet([{literal(str(file))}], hive_partitioning = false)"

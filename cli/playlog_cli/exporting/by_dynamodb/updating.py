"""Bring an export up to date with what DynamoDB says has changed since."""

from collections.abc import Iterable
from pathlib import Path

from playlog_cli.exporting.columns import ExportTable, column_type
from playlog_cli.exporting.conversion import stage, staged_rows
from playlog_cli.exporting.engine import Engine, explained_errors, literal
from playlog_cli.exporting.parts import copy_rows


class Changes:
    """The items of a table that were changed or deleted, in an engine.

    Args:
        engine: holds them.
        table: of which table.
    """

    def __init__(self, engine: Engine, table: ExportTable) -> None:
        self._engine = engine
        self._table = table
        kinds = {each.name: column_type(each) for each in table.attributes}
        keys = ", ".join(f'"{name}" {kinds[name]}' for name in table.key)
        engine.connection.execute(f"CREATE OR REPLACE TEMP TABLE changed ({keys})")
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
            execute(f"DELETE FROM images USING latest WHERE {_equal(key, 'images', 'latest')}")
        execute(f"INSERT INTO changed SELECT * FROM latest ANTI JOIN changed ON {_equal(key, 'latest', 'changed')}")
        stage(self._engine.connection, self._table, [source], root="NewImage")
        rows = staged_rows(self._table)
        execute(f"INSERT INTO images {rows}" if self._has_images() else f"CREATE TEMP TABLE images AS {rows}")

    def touches(self, file: Path) -> bool:
        """Whether a file of an export has an item that was changed or deleted."""
        same = _equal(self._table.key, "f", "changed")
        rows = self._engine.rows(f"SELECT 1 FROM {_rows_of(file)} f SEMI JOIN changed ON {same} LIMIT 1")
        return bool(list(rows))

    def unchanged(self, file: Path, folder: Path, number: int, month: str | None) -> list[Path]:
        """Writes the items of a file that were neither changed nor deleted.

        Args:
            file: of the earlier export.
            folder: where the new file goes.
            number: of the new file.
            month: of the plays in it; None for other tables.
        """
        partition = f", {literal(month)} AS {self._table.partition}" if month is not None else ""
        same = _equal(self._table.key, "f", "changed")
        query = f"SELECT *{partition} FROM {_rows_of(file)} f ANTI JOIN changed ON {same}"
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
        """The keys in a file; a key's attribute is in ``Keys`` whether the item was changed or deleted."""
        types = {each.name: each for each in self._table.attributes}
        columns = ", ".join(
            f"CAST(json_extract_string(\"Keys\", '$.{name}.{types[name].type}') AS {column_type(types[name])}) "
            f'AS "{name}"'
            for name in self._table.key
        )
        return (
            f"SELECT DISTINCT {columns} FROM read_json([{literal(source)}], format = 'newline_delimited', "
            "columns = {'Keys': 'JSON'}, maximum_object_size = 67108864)"
        )

    def _has_images(self) -> bool:
        return bool(list(self._engine.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'images'")))


def _equal(key: Iterable[str], left: str, right: str) -> str:
    return " AND ".join(f'{left}."{name}" = {right}."{name}"' for name in key)


def _rows_of(file: Path) -> str:
    return f"read_parquet([{literal(str(file))}], hive_partitioning = false)"

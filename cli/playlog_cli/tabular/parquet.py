"""Write Parquet in bounded memory, with DuckDB. The same rows give the same bytes."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import duckdb

from playlog_cli.errors import CommandError
from playlog_cli.tabular.cells import Value, text_of
from playlog_cli.tabular.scratch import explained_scratch

MEMORY_LIMIT = "512MB"  # of DuckDB
_LONGEST_ROW = 1 << 22  # bytes
# DuckDB reads so much at once. Without a limit, it is 32 times the longest row: half a gigabyte.
_READ_AT_ONCE = 2 * _LONGEST_ROW
_ROWS_OF_A_GROUP = 61_440  # which DuckDB holds in memory until the group is written


def write_parquet(path: Path, columns: Mapping[str, str], rows: Iterable[Sequence[Value]]) -> None:
    """Writes a Parquet file, compressed with zstd.

    Args:
        path: the file.
        columns: type of DuckDB by the name of the column, in their order.
        rows: a value for each column.

    Raises:
        CommandError: a value does not fit into its column, or a temporary file cannot be written.
        OSError: the file cannot be written.
    """
    with TemporaryDirectory(prefix="playlog-") as folder:
        table, whole = Path(folder, "rows.csv"), Path(folder, "rows.parquet")
        with explained_scratch(), table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writerows([value if isinstance(value, str) else text_of(value) for value in row] for row in rows)
        types = ", ".join(f"{_quoted(name)}: {_quoted(type_)}" for name, type_ in columns.items())
        # One thread keeps the rows in their order, and the bytes the same.
        with duckdb.connect(config={"threads": "1"}) as connection:
            connection.execute(f"SET memory_limit = {_quoted(MEMORY_LIMIT)}")
            connection.execute(f"SET temp_directory = {_quoted(folder)}")
            connection.execute("SET TimeZone = 'UTC'")
            try:
                connection.execute(  # texts are quoted, and DuckDB binds no parameters here
                    f"COPY (SELECT * FROM read_csv({_quoted(str(table))}, header = false, auto_detect = false, "  # noqa: S608
                    "delim = ',', quote = '\"', escape = '\"', new_line = '\\n', nullstr = '', "
                    f"allow_quoted_nulls = true, max_line_size = {_LONGEST_ROW}, buffer_size = {_READ_AT_ONCE}, "
                    f"columns = {{{types}}})) TO {_quoted(str(whole))} "
                    f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_OF_A_GROUP})"
                )
            except duckdb.Error as error:
                raise CommandError(f"the Parquet file cannot be written: {str(error).splitlines()[0]}") from None
        copyfile(whole, path)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

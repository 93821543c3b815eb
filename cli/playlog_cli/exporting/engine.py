"""DuckDB with a limit on its memory: what does not fit goes to the disk."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb

from playlog_cli.errors import CommandError

MEMORY_LIMIT = "3GB"  # of DuckDB; Python and the files' buffers come on top
ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Query:
    """A statement that reads the rows of others.

    Attributes:
        steps: the other statements, by the name of the table that they make. Each may read those before it.
        last: the statement that answers.
    """

    steps: Mapping[str, str]
    last: str

    def __str__(self) -> str:
        """All of it as one statement."""
        steps = ", ".join(f"{name} AS ({step})" for name, step in self.steps.items())
        return f"WITH {steps} {self.last}"


class Statements(Protocol):
    """Answers SQL statements: DuckDB here, or Athena."""

    def brief(self, *texts: str) -> str:
        """SQL for a value that is the same if some texts are the same, and differs if they differ."""

    def rows(self, statement: str | Query) -> Iterator[tuple[Any, ...]]:
        """Runs a statement, and yields its rows."""


class Engine:
    """Answers SQL statements.

    Args:
        connection: to DuckDB.
        scratch: a folder for files that are needed only until the end of the command.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self.connection = connection
        self.scratch = scratch

    @staticmethod
    def brief(*texts: str) -> str:
        """SQL for a number of 64 bits that stands for some texts. Millions of numbers fit in memory, unlike the texts.

        Args:
            texts: SQL for each. Two that differ have the same number in one of 10^19 cases.
        """
        return f"hash({', '.join(texts)})"

    def rows(self, statement: str | Query) -> Iterator[tuple[Any, ...]]:
        """Runs a statement.

        Args:
            statement: SQL. Read the rows of one statement to the end before you run the next one. The steps of a query
                run one by one: so DuckDB knows how many rows each has before it plans the next.

        Yields:
            Rows.

        Raises:
            CommandError: the disk is full, or a file cannot be read.
        """
        with explained_errors():
            if isinstance(statement, Query):
                for name, step in statement.steps.items():
                    self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {step}")
                statement = statement.last
            cursor = self.connection.execute(statement)
        while True:
            with explained_errors():
                rows: Sequence[tuple[Any, ...]] = cursor.fetchmany(ROWS_AT_ONCE)
            if not rows:
                return
            yield from rows


@contextmanager
def open_engine() -> Iterator[Engine]:
    """Starts DuckDB in this process, with a folder of its own for what does not fit in memory.

    Raises:
        CommandError: there is no room for a folder.
    """
    with explained_errors():
        scratch = tempfile.TemporaryDirectory(prefix="playlog-", ignore_cleanup_errors=True)
    with scratch as folder:
        connection = duckdb.connect(
            ":memory:",
            config={"memory_limit": MEMORY_LIMIT, "temp_directory": f"{folder}/duckdb"},
        )
        try:
            # The order of rows means nothing here, and to keep it takes memory.
            connection.execute("SET preserve_insertion_order = false")
            connection.execute("SET TimeZone = 'UTC'")
            yield Engine(connection, Path(folder))
        finally:
            connection.close()


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turns an error of DuckDB, or of a file, that the user can put right into a message.

    Raises:
        CommandError: the disk or the memory is full, or a file cannot be read.
    """
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.InvalidInputException) as error:
        first_line = str(error).splitlines()[0]
        raise CommandError(
            f"DuckDB cannot go on: {first_line}. Make room on the disk or in memory (TMPDIR names another disk), "
            "and if a file is broken, export again"
        ) from None
    except OSError as error:
        raise CommandError(
            f"a file cannot be written: {error}. Make room on the disk (TMPDIR names another one)"
        ) from None


def literal(text: str) -> str:
    """A text in SQL, as DuckDB and Athena both read it."""
    return "'" + text.replace("'", "''") + "'"

"""What SQL must be, so that DuckDB and Athena both run it."""

import sqlglot
from playlog_cli.exporting.engine import Query

# Functions of one engine alone would pass the parsers, which do not know all functions.
COMMON = {"ABS", "CAST", "COALESCE", "COUNT", "LENGTH", "MAX", "MIN", "MOD", "SUM"}
_OPERATORS = {"AND", "OR", "CASE", "IF", "XOR"}


def check_is_common_sql(statement: str | Query) -> None:
    """Checks that a statement is SQL for both engines."""
    for dialect in ("duckdb", "athena"):
        used = functions_of(statement, dialect)
        assert used <= COMMON, f"{used - COMMON} in {statement}"


def functions_of(statement: str | Query, dialect: str) -> set[str]:
    """The names of the functions that a statement uses, also of those that the parser does not know."""
    (tree,) = sqlglot.parse(str(statement), dialect=dialect)
    assert tree is not None
    used = (
        each.name.upper() if isinstance(each, sqlglot.exp.Anonymous) else each.sql_name()
        for each in tree.find_all(sqlglot.exp.Func)
    )
    return set(used) - _OPERATORS

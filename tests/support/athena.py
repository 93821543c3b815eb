"""What SQL must be, so that DuckDB and Athena both run it."""

import sqlglot

# Functions of one engine alone would pass the parsers, which do not know all functions.
COMMON = {"ABS", "CAST", "COALESCE", "COUNT", "MAX", "MIN", "MOD", "SUM"}
_OPERATORS = {"AND", "OR", "CASE", "IF", "XOR"}


def check_is_common_sql(statement: str) -> None:
    """Checks that a statement is SQL for both engines."""
    for dialect in ("duckdb", "athena"):
        (tree,) = sqlglot.parse(statement, dialect=dialect)
        assert tree is not None
        used = {each.sql_name() for each in tree.find_all(sqlglot.exp.Func)} - _OPERATORS
        assert used <= COMMON, f"{used - COMMON} in {statement}"

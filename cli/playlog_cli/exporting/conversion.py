"""Turn items in DynamoDB's JSON into the columns of an export. DuckDB does the work; this module writes its SQL.

DynamoDB's own export to S3 has lines like ``{"Item": {"station_id": {"S": "fm-1"}, …}}``. Pages of a scan are written
to a file of the same form, so that there is one conversion.

Source of the form: Amazon DynamoDB Developer Guide, "DynamoDB table export output format"
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import duckdb
from playlog.domain import timestamps
from playlog.schema import Attribute, Type

from playlog_cli.exporting.columns import ExportTable, column_type, microseconds
from playlog_cli.exporting.engine import literal

# The forms of ISO 8601 that DuckDB and ``datetime.fromisoformat`` read alike. Others are read by Python.
_COMMON_TIME = r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# What ``datetime`` can hold: the years 1 to 9999.
_FIRST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

UNKNOWN_MONTH = "unknown"  # the partition of plays that have no valid played_at
_STAGED = "staged"


def stage(connection: duckdb.DuckDBPyConnection, table: ExportTable, files: Sequence[str], root: str = "Item") -> int:
    """Reads files of items into the table ``staged`` of a connection, with the columns of an export.

    Args:
        connection: where; an earlier table of this name is replaced.
        table: what the items are.
        files: JSON Lines, also compressed with gzip.
        root: the name that holds the item in each line. A line without it is left out.

    Returns:
        The number of items.

    Raises:
        duckdb.Error: a file cannot be read, or holds something else than items.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_STAGED} AS {_select(table, files, root)}")
    for name in table.times:
        _read_rare_times(connection, name)
    ((count,),) = connection.execute(f"SELECT COUNT(*) FROM {_STAGED}").fetchall()
    return int(count)


def staged_rows(table: ExportTable) -> str:
    """A query for the staged rows, with the column of the partition if the table has one."""
    if table.partition is None:
        return f"SELECT * FROM {_STAGED}"
    month = f"COALESCE(strftime(make_timestamp(played_at_us), '%Y-%m'), '{UNKNOWN_MONTH}')"
    return f"SELECT *, {month} AS {table.partition} FROM {_STAGED}"


def _select(table: ExportTable, files: Sequence[str], root: str) -> str:
    shape = json.dumps({each.name: _shape(each) for each in table.attributes})
    held = " + ".join(f"COALESCE(CAST({_fits(each)} AS INTEGER), 0)" for each in table.attributes)
    odd = ", ".join(
        f'CASE WHEN i.{_name(each)} IS NOT NULL AND i.{_name(each)}."NULL" IS NULL '
        f"AND NOT COALESCE({_fits(each)}, FALSE) THEN '{each.name}' END"
        for each in table.attributes
    )
    columns = [f"{_value(each)} AS {_name(each)}" for each in table.attributes]
    columns += [f"{_microseconds(name)} AS {microseconds(name)}" for name in table.times]
    columns.append(f"CASE WHEN names <> held THEN NULLIF(CONCAT_WS(',', {odd}), '') END AS malformed")
    columns.append("CASE WHEN names <> held THEN CAST(item AS VARCHAR) END AS item")
    paths = ", ".join(map(literal, files))
    return f"""
        WITH lines AS (
            SELECT "{root}" AS item
            FROM read_json([{paths}], format = 'newline_delimited', columns = {{'{root}': 'JSON'}},
                           maximum_object_size = 67108864)
            WHERE "{root}" IS NOT NULL
        ), parsed AS (
            SELECT item, json_transform(item, {literal(shape)}) AS i, LEN(json_keys(item)) AS names FROM lines
        ), counted AS (
            SELECT item, i, names, {held} AS held FROM parsed
        )
        SELECT {", ".join(columns)} FROM counted
    """


def _shape(attribute: Attribute) -> dict[str, str]:
    types = {Type.TEXT: "VARCHAR", Type.NUMBER: "VARCHAR", Type.FLAG: "BOOLEAN", Type.DOCUMENT: "JSON"}
    return {attribute.type.value: types[attribute.type], "NULL": "BOOLEAN"}


def _name(attribute: Attribute) -> str:
    return f'"{attribute.name}"'


def _content(attribute: Attribute) -> str:
    return f'i.{_name(attribute)}."{attribute.type.value}"'


def _value(attribute: Attribute) -> str:
    content, kind = _content(attribute), column_type(attribute)
    return f"TRY_CAST({content} AS {kind})" if attribute.type is not Type.TEXT else content


def _fits(attribute: Attribute) -> str:
    """Whether the column holds the attribute without loss."""
    content = _content(attribute)
    if attribute.type is not Type.NUMBER:
        return f"({content} IS NOT NULL)"
    decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", column_type(attribute))
    if decimal is None:
        return f"regexp_full_match({content}, '-?[0-9]{{1,18}}')"
    digits, places = map(int, decimal.groups())
    return f"regexp_full_match({content}, '-?[0-9]{{1,{digits - places}}}([.][0-9]{{1,{places}}})?')"


def _microseconds(name: str) -> str:
    text = f'i."{name}"."S"'
    instant = f"epoch_us(TRY_CAST({text} AS TIMESTAMPTZ))"
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(_COMMON_TIME)}) "
        f"AND {instant} BETWEEN {_FIRST_US} AND {_LAST_US} THEN {instant} END"
    )


def _read_rare_times(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Reads the times that have another form than most, as every other reader of the tables does."""
    column = microseconds(name)
    rare = connection.execute(
        f'SELECT DISTINCT "{name}" FROM {_STAGED} WHERE {column} IS NULL AND "{name}" IS NOT NULL'
    ).fetchall()
    read = [(text, us) for (text,) in rare if (us := microseconds_of(text)) is not None]
    for start in range(0, len(read), 1000):
        pairs = ", ".join(f"({literal(text)}, {us})" for text, us in read[start : start + 1000])
        connection.execute(
            f'UPDATE {_STAGED} SET {column} = us FROM (VALUES {pairs}) AS times (text, us) WHERE "{name}" = text'
        )


def microseconds_of(text: str) -> int | None:
    """A time of the tables as microseconds since 1970 in UTC; None if the text is no valid time.

    Args:
        text: ISO 8601 with any offset.
    """
    try:
        return (timestamps.from_text(text) - _EPOCH) // _MICROSECOND
    except ValueError:
        return None

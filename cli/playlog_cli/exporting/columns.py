"""The columns of an export's Parquet files, derived from the attributes of the tables (docs/export.md). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from playlog.schema import FAILED_PLAY_LOG, MATCH_CACHE, PLAY_LOG, Attribute, Type

# Of docs/export.md. Raise it with each change of the columns that a reader could notice.
SCHEMA_VERSION = 2

# A confidence is at most 100, and the mean of several has 28 digits: it is exact from 0.0000001 on.
_CONFIDENCE = "DECIMAL(38,35)"
_NUMBERS = {
    "duration_seconds": "DECIMAL(18,6)",
    "avg_confidence_score": _CONFIDENCE,
    "confidence_sum": "DECIMAL(38,28)",
}
_TYPES = {Type.TEXT: "VARCHAR", Type.FLAG: "BOOLEAN", Type.DOCUMENT: "VARCHAR", Type.NUMBER: "BIGINT"}
# Times that readers compare. Beside each stands a column with the same instant as a number.
_COMPARED_TIMES = ("played_at", "start_time", "stop_time", "matched_at", "failed_at")


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: in the files.
        type: as DuckDB and Athena both name it.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class ExportTable:
    """A table of an export.

    Attributes:
        name: of its folder, and in statements.
        attributes: of the items in DynamoDB.
        key: the names of the attributes that make the key.
        partition: the column by which its files are divided into folders; None if they are in one folder.
    """

    name: str
    attributes: Sequence[Attribute]
    key: tuple[str, ...]
    partition: str | None = None

    @property
    def times(self) -> tuple[str, ...]:
        """The attributes that have a column of microseconds beside them."""
        return tuple(each.name for each in self.attributes if each.name in _COMPARED_TIMES)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a file, in their order, without that of the partition."""
        of_attributes = [Column(each.name, column_type(each)) for each in self.attributes]
        of_times = [Column(microseconds(name), "BIGINT") for name in self.times]
        return (*of_attributes, *of_times, Column("malformed", "VARCHAR"), Column("item", "VARCHAR"))


PLAYS = ExportTable("plays", PLAY_LOG, ("station_id", "play_id"), partition="month")
MATCHES = ExportTable("matches", MATCH_CACHE, ("match_id",))
FAILURES = ExportTable("failures", FAILED_PLAY_LOG, ("match_id", "attempt"))
# In the order in which an audit reads them (docs/decisions/0007-the-audits-order-of-reading.md).
TABLES = (PLAYS, MATCHES, FAILURES)
BY_NAME = {table.name: table for table in TABLES}


def column_type(attribute: Attribute) -> str:
    """The type of the column that holds an attribute."""
    return _NUMBERS.get(attribute.name, _TYPES[attribute.type])


def microseconds(name: str) -> str:
    """The column that has a time as microseconds since 1970 in UTC. It is NULL if the text is no valid time."""
    return f"{name}_us"

"""Athena: the same statements over an export in S3, for what no single machine can read.

Prices: https://aws.amazon.com/athena/pricing/ (per TB scanned, with 10 MB at least for each statement).
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from playlog_cli.errors import CommandError
from playlog_cli.exporting.columns import TABLES, Column, ExportTable
from playlog_cli.exporting.manifest import Manifest
from playlog_cli.exporting.places import Bucket, Place

WORKGROUP = "playlog"
# A statement that would scan more is cancelled: 1 TB costs 5 dollars.
BYTES_LIMIT = 10**12
DOLLARS_PER_BYTE = Decimal(5) / 10**12
LEAST_BYTES = 10_000_000
_POLL_SECONDS = 0.5
_TYPES = {"VARCHAR": "string"}
_PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


@dataclass
class Athena:
    """Answers SQL statements on an export in S3.

    Attributes:
        place: of the export.
        manifest: of the export.
        scanned: bytes that the statements so far have scanned, as Athena bills them.
    """

    place: Bucket
    manifest: Manifest
    scanned: int = field(default=0, init=False)

    @property
    def database(self) -> str:
        """The database of the tables: one for each place, so that two exports do not get in each other's way."""
        return f"playlog_{hashlib.sha256(self.place.name.encode()).hexdigest()[:12]}"

    def prepare(self) -> None:
        """Makes the workgroup with its limit, and the tables of this export.

        Raises:
            ClientError: AWS refuses a call.
        """
        athena, glue = (self.place.session.client(name) for name in ("athena", "glue"))
        _unless_it_exists(
            lambda: athena.create_work_group(
                Name=WORKGROUP,
                Configuration={
                    "ResultConfiguration": {"OutputLocation": self._results},
                    "EnforceWorkGroupConfiguration": False,
                    "BytesScannedCutoffPerQuery": BYTES_LIMIT,
                },
            )
        )
        _unless_it_exists(lambda: glue.create_database(DatabaseInput={"Name": self.database}))
        for table in TABLES:
            description = self._description(table)
            try:
                glue.create_table(DatabaseName=self.database, TableInput=description)
            except ClientError as error:
                if error.response["Error"].get("Code") != "AlreadyExistsException":
                    raise
                glue.update_table(DatabaseName=self.database, TableInput=description)

    def rows(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Runs a statement.

        Args:
            statement: SQL that both engines understand.

        Yields:
            Rows.

        Raises:
            CommandError: Athena cannot run it, or it would scan more than the workgroup allows.
        """
        client = self.place.session.client("athena")
        query = client.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": self.database},
            WorkGroup=WORKGROUP,
            ResultConfiguration={"OutputLocation": self._results},
        )["QueryExecutionId"]
        execution = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        while execution["Status"]["State"] in ("QUEUED", "RUNNING"):
            time.sleep(_POLL_SECONDS)
            execution = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        self.scanned += max(LEAST_BYTES, execution.get("Statistics", {}).get("DataScannedInBytes", 0))
        if execution["Status"]["State"] != "SUCCEEDED":
            why = execution["Status"].get("StateChangeReason", "it does not say why")
            raise CommandError(f"Athena could not answer: {why}")
        is_first = True
        for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=query):
            types = [column["Type"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
            rows = page["ResultSet"]["Rows"][1:] if is_first else page["ResultSet"]["Rows"]  # the first is the header
            is_first = False
            for row in rows:
                cells = (cell.get("VarCharValue") for cell in row["Data"])
                yield tuple(_value(text, kind) for text, kind in zip(cells, types, strict=True))

    def dollars(self, scanned: int) -> Decimal:
        """What Athena bills for bytes scanned, in US dollars."""
        return (DOLLARS_PER_BYTE * scanned).quantize(Decimal("0.0001"))

    @property
    def _results(self) -> str:
        return f"s3://{self.place.bucket}/{self.place.key('athena/')}"

    def _description(self, table: ExportTable) -> dict[str, Any]:
        location = f"s3://{self.place.bucket}/{self.place.key(f'{self.manifest.generation}/{table.name}')}/"
        described: dict[str, Any] = {
            "Name": table.name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
            "StorageDescriptor": {"Columns": list(map(_column, table.columns)), "Location": location, **_PARQUET},
        }
        if table.partition:
            months = sorted({file.month or "" for file in self.manifest.files_of(table.name)}) or ["none"]
            described["PartitionKeys"] = [{"Name": table.partition, "Type": "string"}]
            described["Parameters"] |= {
                "projection.enabled": "true",
                f"projection.{table.partition}.type": "enum",
                f"projection.{table.partition}.values": ",".join(months),
                "storage.location.template": f"{location}{table.partition}=${{{table.partition}}}/",
            }
        return described


def find_athena(place: Place, manifest: Manifest) -> Athena:
    """Athena for an export.

    Raises:
        CommandError: the export is not in S3.
    """
    if not isinstance(place, Bucket):
        raise CommandError(f"Athena reads exports in S3, and {place.name} is a folder: leave --athena out")
    return Athena(place, manifest)


def _column(column: Column) -> dict[str, str]:
    return {"Name": column.name, "Type": _TYPES.get(column.type, column.type.lower())}


def _unless_it_exists(make: Any) -> None:
    try:
        make()
    except ClientError as error:
        code, message = error.response["Error"].get("Code"), error.response["Error"].get("Message", "")
        if code != "AlreadyExistsException" and "already" not in message:
            raise


def _value(text: str | None, kind: str) -> Any:
    """A cell of a result in the type that DuckDB gives it."""
    if text is None:
        return None
    match kind.partition("(")[0].lower():
        case "bigint" | "integer" | "int" | "smallint" | "tinyint" | "hugeint":
            return int(text)
        case "decimal":
            return Decimal(text)
        case "double" | "float" | "real":
            return float(text)
        case "boolean":
            return text.lower() == "true"
        case _:
            return text

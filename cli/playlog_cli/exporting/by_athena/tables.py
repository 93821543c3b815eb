"""The tables of an export in the Glue Data Catalog, which Athena reads.

Each export has a database of its own. So a command never reads the files of another export, also if a new one is
finished while it works.
"""

import re
from typing import Any

from botocore.exceptions import ClientError

from playlog_cli.exporting.columns import TABLES, Column, ExportTable
from playlog_cli.exporting.manifest import Manifest
from playlog_cli.exporting.places import Bucket

_TYPES = {"VARCHAR": "string"}
_PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


def database_name(place: Bucket, manifest: Manifest) -> str:
    """The database of an export. Later exports to the same place sort later."""
    return f"{_beginning(place, manifest)}{_plain(manifest.generation)}"


def make_tables(glue: Any, place: Bucket, manifest: Manifest) -> None:
    """Makes the database of an export and its tables, and drops those of earlier exports to the same place.

    Args:
        glue: client.
        place: of the export.
        manifest: of the export.

    Raises:
        ClientError: AWS refuses a call.
    """
    database = database_name(place, manifest)
    _unless_it_exists(lambda: glue.create_database(DatabaseInput={"Name": database}))
    for table in TABLES:
        described = description(table, place, manifest)
        _unless_it_exists(lambda: glue.create_table(DatabaseName=database, TableInput=described))  # noqa: B023
    for page in glue.get_paginator("get_databases").paginate():
        for each in page["DatabaseList"]:
            # Their files are gone: the new export has replaced them.
            if each["Name"].startswith(_beginning(place, manifest)) and each["Name"] < database:
                glue.delete_database(Name=each["Name"])


def description(table: ExportTable, place: Bucket, manifest: Manifest) -> dict[str, Any]:
    """What the Glue Data Catalog has to know of a table.

    Args:
        table: which.
        place: of the export.
        manifest: names the folder, and the months of plays. A month that it does not list has no plays.
    """
    location = f"s3://{place.bucket}/{place.key(f'{manifest.generation}/{table.name}')}/"
    described: dict[str, Any] = {
        "Name": table.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
        "StorageDescriptor": {"Columns": list(map(_column, table.columns)), "Location": location, **_PARQUET},
    }
    if table.partition:
        months = sorted({file.month or "" for file in manifest.files_of(table.name)}) or ["none"]
        described["PartitionKeys"] = [{"Name": table.partition, "Type": "string"}]
        described["Parameters"] |= {
            "projection.enabled": "true",
            f"projection.{table.partition}.type": "enum",
            f"projection.{table.partition}.values": ",".join(months),
            "storage.location.template": f"{location}{table.partition}=${{{table.partition}}}/",
        }
    return described


def _beginning(place: Bucket, manifest: Manifest) -> str:
    return f"playlog_{_plain(manifest.stack)}_{place.digest}_"


def _plain(text: str) -> str:
    """A text with what the name of a database may have."""
    return re.sub(r"[^a-z0-9]", "_", text.lower())


def _column(column: Column) -> dict[str, str]:
    return {"Name": column.name, "Type": _TYPES.get(column.type, column.type.lower())}


def _unless_it_exists(make: Any) -> None:
    try:
        make()
    except ClientError as error:
        if error.response["Error"].get("Code") != "AlreadyExistsException":
            raise

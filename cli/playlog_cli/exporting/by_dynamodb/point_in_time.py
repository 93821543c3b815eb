"""DynamoDB's own export to S3: full, or what changed in a period. It uses no read capacity of the tables.

Sources: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import base64
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from playlog_cli.errors import CommandError
from playlog_cli.exporting.engine import explained_errors
from playlog_cli.exporting.places import Bucket
from playlog_cli.stacks.stack import Stack

POLL_SECONDS = 10.0
# Of an incremental export (API_IncrementalExportSpecification).
SHORTEST, LONGEST = timedelta(minutes=15), timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Window:
    """A period of an incremental export.

    Attributes:
        since: its first instant, in whole seconds.
        until: the first instant after it, in whole seconds.
    """

    since: datetime
    until: datetime


def can_export(stack: Stack) -> bool:
    """Whether the stack is on AWS: an embedded AWS answers the call for an export, and writes no files."""
    host = urlsplit(stack.dynamodb.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def windows(since: datetime, until: datetime) -> list[Window]:
    """Cuts a period into periods that DynamoDB exports.

    Args:
        since: the instant of the earlier export.
        until: the instant of the new one, in whole seconds.

    Raises:
        CommandError: the period is too short.
    """
    if until - since < SHORTEST:
        raise CommandError(
            f"the export is as of {since:%Y-%m-%d %H:%M:%S} UTC, and DynamoDB exports the changes of "
            f"{SHORTEST // timedelta(minutes=1)} minutes or more: run the command again later"
        )
    count = -(-(until - since) // LONGEST)
    cuts = [since + timedelta(seconds=(until - since) // timedelta(seconds=count) * number) for number in range(count)]
    return [Window(start, end) for start, end in zip(cuts, [*cuts[1:], until], strict=True)]


def start(stack: Stack, table: str, through: Bucket, instant: datetime, window: Window | None) -> str:
    """Starts an export of a table.

    Args:
        stack: whose table.
        table: its name.
        through: where DynamoDB writes to.
        instant: what a full export is as of.
        window: of an incremental export; None for a full one.

    Returns:
        The ARN of the export.

    Raises:
        CommandError: the table has no point-in-time recovery.
        ClientError: AWS refuses the call.
    """
    arn = stack.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    what: dict[str, Any] = {"ExportTime": instant}
    if window:
        what = {
            "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": {
                "ExportFromTime": window.since,
                "ExportToTime": window.until,
                "ExportViewType": "NEW_IMAGE",
            },
        }
    try:
        answer = stack.dynamodb.export_table_to_point_in_time(
            TableArn=arn,
            S3Bucket=through.bucket,
            S3Prefix=through.key("dynamodb"),
            ExportFormat="DYNAMODB_JSON",
            **what,
        )
    except ClientError as error:
        if error.response["Error"].get("Code") != "PointInTimeRecoveryUnavailableException":
            raise
        raise CommandError(
            f"table {table} has no point-in-time recovery, which DynamoDB's export needs: deploy the template again"
        ) from None
    return answer["ExportDescription"]["ExportArn"]


def state(stack: Stack, arn: str) -> Mapping[str, Any]:
    """What DynamoDB says of an export. It is empty if DynamoDB does not know the export any more."""
    try:
        return stack.dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
    except ClientError as error:
        if error.response["Error"].get("Code") != "ExportNotFoundException":
            raise
        return {}


def wait(stack: Stack, arn: str) -> Mapping[str, Any]:
    """Waits until an export is complete.

    Raises:
        CommandError: it failed. The message says why.
    """
    while (description := state(stack, arn)).get("ExportStatus") == "IN_PROGRESS":
        time.sleep(POLL_SECONDS)
    if description.get("ExportStatus") != "COMPLETED":
        why = description.get("FailureMessage") or "it is not known any more"
        raise CommandError(f"DynamoDB could not export {arn.split('/')[1]}: {why}. Run the command again")
    return description


def data_files(through: Bucket, description: Mapping[str, Any], scratch: Path) -> Iterator[Path]:
    """Downloads the files of items of an export, one after the other.

    Args:
        through: where DynamoDB wrote to.
        description: of the complete export.
        scratch: a folder for the files. Each is removed when the next one is asked for.

    Raises:
        CommandError: a file is missing, or is not what DynamoDB wrote.
    """
    summary = json.loads(_text(through, description["ExportManifest"]))
    for line in _text(through, summary["manifestFilesS3Key"]).splitlines():
        entry = json.loads(line)
        if not entry["itemCount"]:
            continue
        path = scratch / "dynamodb.json.gz"
        body = _get(through, entry["dataFileS3Key"])
        with explained_errors():
            path.write_bytes(body)
        if base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode() != entry["md5Checksum"]:
            raise CommandError(f"{entry['dataFileS3Key']} in {through.bucket} is not what DynamoDB wrote: export again")
        yield path
        path.unlink()


def remove(through: Bucket, description: Mapping[str, Any]) -> None:
    """Removes what DynamoDB wrote for a complete export.

    Args:
        through: where DynamoDB wrote to.
        description: of the export.
    """
    if "ExportManifest" not in description:
        return
    summary = json.loads(_text(through, description["ExportManifest"]))
    files = _text(through, summary["manifestFilesS3Key"]).splitlines()
    folder = description["ExportManifest"].rpartition("/")[0]
    own = through.keys_below(f"{folder}/")
    for key in [*(json.loads(line)["dataFileS3Key"] for line in files), *own]:
        through.client.delete_object(Bucket=through.bucket, Key=key)


def _text(through: Bucket, key: str) -> str:
    return _get(through, key).decode()


def _get(through: Bucket, key: str) -> bytes:
    try:
        body: bytes = through.client.get_object(Bucket=through.bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"].get("Code") != "NoSuchKey":
            raise
        raise CommandError(f"{key} of DynamoDB's export is missing in {through.bucket}: export again") from None
    return body

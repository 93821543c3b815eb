"""The workgroup that statements run in. It limits what a statement may scan, and says where answers are kept.

The command makes a workgroup if there is none. It never changes one: an administrator may have made it, or have chosen
another limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from playlog_cli.errors import CommandError
from playlog_cli.exporting.manifest import Manifest
from playlog_cli.exporting.places import Bucket

# A statement that would scan more is cancelled: 1 TB costs 5 dollars.
BYTES_LIMIT = 10**12


@dataclass(frozen=True, slots=True)
class Workgroup:
    """A workgroup.

    Attributes:
        name: of the workgroup.
        bytes_limit: a statement that would scan more is cancelled.
    """

    name: str
    bytes_limit: int


def workgroup_name(place: Bucket, manifest: Manifest) -> str:
    """The workgroup of all exports of a stack to a place."""
    return f"playlog-{manifest.stack}-{place.digest}"


def find_workgroup(athena: Any, place: Bucket, manifest: Manifest) -> Workgroup:
    """The workgroup of an export. Makes it if there is none.

    Args:
        athena: client.
        place: of the export.
        manifest: of the export.

    Raises:
        CommandError: it is disabled, has no limit, or says nowhere where answers are kept.
        ClientError: AWS refuses a call.
    """
    name = workgroup_name(place, manifest)
    found = _get(athena, name) or _make(athena, name, place, manifest)
    configuration = found.get("Configuration", {})
    if found.get("State") == "DISABLED":
        raise CommandError(
            f"Athena's workgroup {name} is disabled: an administrator can enable it with "
            f"`aws athena update-work-group --work-group {name} --state ENABLED`"
        )
    limit = configuration.get("BytesScannedCutoffPerQuery")
    if limit is None:
        raise CommandError(
            f"Athena's workgroup {name} has no limit on the bytes that a query scans: set one with `aws athena "
            f"update-work-group --work-group {name} --configuration-updates BytesScannedCutoffPerQuery={BYTES_LIMIT}`, "
            "or delete the workgroup, and the next command makes it again"
        )
    return Workgroup(name, limit)


def _get(athena: Any, name: str) -> Mapping[str, Any] | None:
    try:
        return _read(athena, name)
    except ClientError as error:
        # Athena has no code of its own for this.
        if "not found" not in error.response["Error"].get("Message", ""):
            raise
        return None


def _make(athena: Any, name: str, place: Bucket, manifest: Manifest) -> Mapping[str, Any]:
    try:
        athena.create_work_group(
            Name=name,
            Description=f"Queries of playlog over exports of {manifest.stack} in {place.name}",
            # No encryption is named: that of the bucket holds, as for the files of the export.
            Configuration={
                "EnforceWorkGroupConfiguration": True,
                "BytesScannedCutoffPerQuery": BYTES_LIMIT,
                "ResultConfiguration": {"OutputLocation": f"s3://{place.bucket}/{place.key('athena/')}"},
            },
        )
    except ClientError as error:
        if "already" not in error.response["Error"].get("Message", ""):  # another command has made it just now
            raise
    return _read(athena, name)


def _read(athena: Any, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = athena.get_work_group(WorkGroup=name)["WorkGroup"]
    return found

"""Run a statement in Athena to its end, and say why one failed."""

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from playlog_cli.exporting.by_athena.workgroup import Workgroup

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0  # seconds between two questions whether a statement has ended


def run(client: Any, statement: str, database: str, workgroup: str) -> Mapping[str, Any]:
    """Runs a statement to its end. It is stopped if this cannot wait for it, for example after Ctrl-C.

    Args:
        client: of Athena.
        statement: SQL.
        database: that has its tables.
        workgroup: that it runs in.

    Returns:
        What ``GetQueryExecution`` says of it: it has succeeded, failed, or was cancelled.

    Raises:
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    query = client.start_query_execution(
        QueryString=statement,
        # If the answer is lost, the same request again starts no second query.
        ClientRequestToken=str(uuid.uuid4()),
        QueryExecutionContext={"Database": database},
        WorkGroup=workgroup,
    )["QueryExecutionId"]
    try:
        return _wait(client, query)
    except BaseException:
        with suppress(BotoCoreError, ClientError):
            client.stop_query_execution(QueryExecutionId=query)
        raise


def failure(execution: Mapping[str, Any], workgroup: Workgroup) -> str:
    """Says why a statement has no answer, and what would be right.

    Args:
        execution: of the statement, which failed or was cancelled.
        workgroup: that it ran in.
    """
    status = execution["Status"]
    reason = status.get("StateChangeReason") or "it does not say why"
    if status["State"] == "FAILED":
        return f"Athena could not answer: {reason}"
    if "bytes scanned limit" not in reason.lower():
        return f"Athena's query was cancelled: {reason}"
    name, limit = workgroup.name, workgroup.bytes_limit
    return (
        f"Athena cancelled a query that scans more than {limit:,} bytes, the limit of workgroup {name}: take a "
        f"shorter period, or set a higher limit with `aws athena update-work-group --work-group {name} "
        f"--configuration-updates BytesScannedCutoffPerQuery={10 * limit}`"
    )


def _wait(client: Any, query: str) -> Mapping[str, Any]:
    pause = FIRST_PAUSE
    while True:
        execution: Mapping[str, Any] = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return execution
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.5)

"""How long a fresh process takes until it can work: to import, and to get its first answer.

Standard input: JSON with ``paths``, ``what`` (``handler`` or ``botocore``), ``table`` and ``event``. The last line of
standard output: JSON. It is started with no packages but those of the layers.
"""

import importlib
import json
import sys
import time

from bench.one_run import Context, cpu_seconds


def main() -> None:
    """Imports, asks one page of the index, and says what that took."""
    task = json.loads(sys.stdin.readline())
    sys.path[:1] = task["paths"]  # in place of the checkout, which Lambda does not have
    began, cpu = time.perf_counter(), cpu_seconds()
    if task["what"] == "handler":
        app = importlib.import_module("app")
    else:
        botocore_session = importlib.import_module("botocore.session")
        client = botocore_session.get_session().create_client("dynamodb")
    imported, cpu = time.perf_counter(), cpu_seconds() - cpu
    if task["what"] == "handler":
        app.handler(task["event"], Context)
    else:
        client.query(
            TableName=task["table"],
            IndexName="unprocessed-index",
            KeyConditionExpression="unprocessed_shard = :shard",
            ExpressionAttributeValues={":shard": {"S": "0"}},
            Limit=100,
        )
    answered = time.perf_counter()
    took = {"import_seconds": imported - began, "import_cpu_seconds": cpu, "request_seconds": answered - imported}
    print(json.dumps(took))


if __name__ == "__main__":
    main()

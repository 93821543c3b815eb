"""Calls a function as Lambda would: what it sees is what was built and what the template sets, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from playlog_cli.wiring import probe
from playlog_cli.wiring.built_code import CodeFolder
from playlog_cli.wiring.built_template import ACCOUNT, REGION, Resource
from playlog_cli.wiring.probe import Report, Task

PROBE_SECONDS = 90

# What a variable is set to that the template lacks, to see what else is wrong: it may be a name as well as a number.
STAND_IN = "1"


class Source(StrEnum):
    """What invokes a function."""

    SCHEDULE = "schedule"
    RULE = "rule"
    QUEUE = "queue mapping"


# As EventBridge and SQS send them. They ask for what is harmless in any AWS, and go to one that the check brings.
EVENTS: Mapping[Source, dict[str, Any]] = {
    Source.SCHEDULE: {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": "2026-03-14T08:00:00Z",
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/playlog"],
        "detail": {},
    },
    Source.QUEUE: {
        "Records": [
            {
                "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
                "receiptHandle": "playlog-wiring",
                "body": json.dumps(
                    {
                        "version": 1,
                        "match_id": "playlog-wiring",
                        "attempt": 1,
                        "reason_code": "MISSING_TRACK",
                        "reason": "track_id is absent: it must name one",
                        "will_retry": False,
                        "failed_at": "2026-03-14T08:00:00.000000+0000",
                        "match": {"match_id": "playlog-wiring"},
                    }
                ),
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1773475200000",
                    "SenderId": ACCOUNT,
                    "ApproximateFirstReceiveTimestamp": "1773475200000",
                },
                "messageAttributes": {},
                "md5OfBody": "00000000000000000000000000000000",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:playlog",
                "awsRegion": REGION,
            }
        ]
    },
}


@dataclass(frozen=True)
class Function:
    """A function as it is called.

    Attributes:
        resource: in the template.
        code: its own folder.
        layers: the folders of its layers, in the order in which it names them.
        variables: what the template sets in its environment.
        sources: what invokes it.
    """

    resource: Resource
    code: CodeFolder
    layers: tuple[CodeFolder, ...]
    variables: Mapping[str, str]
    sources: frozenset[Source]

    @property
    def logical_id(self) -> str:
        """Its name in the template."""
        return self.resource.logical_id

    @property
    def folders(self) -> list[CodeFolder]:
        """Where it imports from. Layers are unpacked over one another: what comes later wins."""
        return [self.code, *reversed(self.layers)]


def call(function: Function, unset: Iterable[str], endpoint: str) -> Report:
    """Calls a function in a process of its own, once for each kind of event that invokes it.

    Args:
        function: which one.
        unset: variables to set that the template does not.
        endpoint: URL of what stands for AWS.

    Returns:
        What came of it.
    """
    task = Task(
        handler=str(function.resource.properties.get("Handler")),
        code=str(function.code.path),
        paths=[str(folder.path) for folder in function.folders],
        third_party=sorted(name for folder in function.folders for name in folder.third_party),
        modules=[module for folder in function.folders for module in folder.own_modules],
        events=[EVENTS[source] for source in Source if source in function.sources and source in EVENTS],
    )
    environment = {
        **reserved_variables(function),
        **function.variables,
        **dict.fromkeys(unset, STAND_IN),
        "AWS_ENDPOINT_URL": endpoint,
        # The machine's own settings, which are found even with no HOME.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        process = subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-S", "-B", probe.__file__],
            input=json.dumps(task),
            env=environment,
            cwd=function.code.path,
            capture_output=True,
            text=True,
            check=False,
            timeout=PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return _no_report(f"its handler {task['handler']} did not answer within {PROBE_SECONDS} s")
    if process.returncode or not process.stdout:
        last_line = (process.stderr.strip().splitlines() or ["nothing"])[-1]
        return _no_report(
            f"its handler {task['handler']} ended Python (status {process.returncode}), saying {last_line}"
        )
    report: Report = json.loads(process.stdout)
    return report


def _no_report(wrong: str) -> Report:
    return {"problems": [(wrong, "it must answer")], "answered": False, "read": [], "missing": {}}


def reserved_variables(function: Function) -> dict[str, str]:
    """What Lambda itself sets (AWS Lambda Developer Guide, "Defined runtime environment variables")."""
    return {
        "_HANDLER": str(function.resource.properties.get("Handler")),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.resource.properties.get("MemorySize", 128)),
        "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.logical_id}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "wiring",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(function.code.path),
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "TZ": ":UTC",
    }


class _NothingWaits(BaseHTTPRequestHandler):
    """Answers every request of DynamoDB and SQS with that there is nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = b'{"Items": [], "Count": 0, "ScannedCount": 0}'
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def idle_aws() -> Iterator[str]:
    """An AWS on loopback in which nothing waits and every write is taken: gives its endpoint's URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _NothingWaits) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()

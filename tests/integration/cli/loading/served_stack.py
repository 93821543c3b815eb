"""A stack for commands that run in processes of their own: an HTTP server before a DynamoDB in memory."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from playlog.domain.match import Item
from playlog_cli.wiring import built_template

from tests.stateful.memory import Memory, RefusalError
from tests.support.aws import TEMPLATE

_TABLES = ("MatchCacheTable", "PlayLogTable", "FailedPlayLogTable")
_OTHER_OUTPUTS = ("DeadLetterQueueUrl", "ParkingLotQueueUrl", "ConvertMatchesFunction", "StoreFailuresFunction")
_PARAMETERS = ("UnprocessedShards", "DefaultDurationSeconds", "FlagBelowConfidence", "AiringGapSeconds")
_SCRIPT = "from playlog_cli.app import main; main()"


def _ignore(_: int) -> None:
    """Does nothing before a transaction."""


@dataclass
class ServedStack:
    """A stack, and commands that work on it as processes of their own.

    Attributes:
        temporary: the folder for temporary files of the commands.
        before_transaction: receives the number of each transaction, from 1, before it is done. May raise
            ``RefusalError``.
        transactions: how many were sent.
    """

    temporary: Path
    before_transaction: Callable[[int], object] = _ignore
    transactions: int = 0
    endpoint: str = ""
    _memory: Memory = field(default_factory=Memory)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        for name in _TABLES:
            properties = TEMPLATE.value(TEMPLATE.resources[name].properties)
            self._memory.answer("CreateTable", {**properties, "TableName": name})

    def matches(self) -> list[Item]:
        """All matches."""
        return list(self._memory.tables["MatchCacheTable"].items.values())

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answers a request to DynamoDB.

        Raises:
            RefusalError: AWS would refuse it.
        """
        if operation == "TransactWriteItems":
            with self._lock:
                self.transactions += 1
                number = self.transactions
            self.before_transaction(number)
        with self._lock:
            return self._memory.answer(operation, request)

    def start(
        self, *arguments: str | Path, stdout: int = subprocess.PIPE, largest_file: int | None = None
    ) -> "subprocess.Popen[str]":
        """Starts a command.

        Args:
            arguments: of the command line.
            stdout: where its standard output goes.
            largest_file: bytes beyond which no file can be written, as on a full disk.
        """
        limit = f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({largest_file},) * 2); " if largest_file else ""
        return subprocess.Popen(
            [sys.executable, "-c", limit + _SCRIPT, *map(str, arguments)],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_REGION": built_template.REGION,
                "TMPDIR": str(self.temporary),
                "SQLITE_TMPDIR": str(self.temporary),
            },
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit status, standard output and standard error of a command."""
        with self.start(*arguments) as process:
            out, err = process.communicate()
        return process.returncode, out, err


class _Requests(BaseHTTPRequestHandler):
    """Answers what `playlog load` asks: CloudFormation about the stack, and DynamoDB."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answers a request."""
        stack: ServedStack = self.server.stack  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        target = self.headers.get("X-Amz-Target")
        if target is None:
            self._answer(200, _DESCRIPTION.encode())
            return
        try:
            status, answer = 200, stack.answer(target.rpartition(".")[2], json.loads(body))
        except RefusalError as refusal:
            status, answer = refusal.status, refusal.answer
        self._answer(status, json.dumps(answer).encode())

    def _answer(self, status: int, content: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # the process was killed

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@contextmanager
def served_stack(temporary: Path) -> Iterator[ServedStack]:
    """An empty stack.

    Args:
        temporary: folder for temporary files of the commands.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), _Requests) as server:
        stack = ServedStack(temporary, endpoint=f"http://127.0.0.1:{server.server_port}")
        server.stack = stack  # type: ignore[attr-defined]
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield stack
        server.shutdown()


def _members(kind: str, values: dict[str, str]) -> str:
    members = (
        f"<member><{kind}Key>{name}</{kind}Key><{kind}Value>{value}</{kind}Value></member>"
        for name, value in values.items()
    )
    return f"<{kind}s>{''.join(members)}</{kind}s>"


_STACK = "<StackName>playlog</StackName><StackStatus>CREATE_COMPLETE</StackStatus>" + "".join(
    [
        _members("Output", {name: name for name in (*_TABLES, *_OTHER_OUTPUTS)}),
        _members("Parameter", {name: str(TEMPLATE.parameters[name]["Default"]) for name in _PARAMETERS}),
    ]
)
_DESCRIPTION = (
    f"<DescribeStacksResponse><DescribeStacksResult><Stacks><member>{_STACK}</member></Stacks></DescribeStacksResult>"
    "</DescribeStacksResponse>"
)

"""A proxy between the code that is measured and the embedded AWS: it counts, and changes nothing that the code sees.

It asks DynamoDB for the capacity that a request consumed, which the code does not, and keeps that from the code.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

from playlog_cli.embedded.session import HOST

from bench.capacity import Meter

ANSWER_SECONDS = 120


class CountingProxy:
    """A proxy on a port of its own.

    Args:
        upstream_port: of the embedded AWS.

    Attributes:
        port: where it listens.
        defects: what went wrong in the proxy itself, which makes its counts worth nothing.
    """

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._local = threading.local()
        self._lock = threading.Lock()
        self._meter: Meter | None = None
        self._recording: BinaryIO | None = None
        self.defects: list[str] = []
        self._server = _Server((HOST, 0), type("Handler", (_Handler,), {"proxy": self}))
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self.port}"

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def counting(self, meter: Meter, transactions: Path) -> Iterator[None]:
        """Counts what passes while the block lasts.

        Args:
            meter: counts it.
            transactions: file that each body of a TransactWriteItems goes to, one a line.
        """
        with transactions.open("wb") as recording:
            self._meter, self._recording = meter, recording
            try:
                yield
            finally:
                self._meter = self._recording = None

    def pass_on(self, headers: dict[str, str], raw: bytes) -> tuple[int, bytes, str]:
        """Passes a request on.

        Returns:
            Status, body and content type of the answer.
        """
        service, _, operation = headers.get("X-Amz-Target", "").partition(".")
        meter = self._meter
        if meter is None:
            return self._ask(headers, raw)
        request = json.loads(raw)
        of_dynamodb = service.startswith("DynamoDB")
        body = json.dumps({**request, "ReturnConsumedCapacity": "INDEXES"}).encode() if of_dynamodb else raw
        status, said, content_type = self._ask(headers, body)
        answer: dict[str, Any] = json.loads(said)
        with self._lock:
            meter.count(operation, request, answer, status)
            if operation == "TransactWriteItems" and self._recording:
                self._recording.write(raw + b"\n")
        if answer.pop("ConsumedCapacity", None) is not None:
            said = json.dumps(answer, separators=(",", ":")).encode()
        return status, said, content_type

    def _ask(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes, str]:
        if not hasattr(self._local, "upstream"):
            self._local.upstream = HTTPConnection(HOST, self._upstream_port, timeout=ANSWER_SECONDS)
        upstream: HTTPConnection = self._local.upstream
        upstream.request("POST", "/", body, {**headers, "Content-Length": str(len(body))})
        answer = upstream.getresponse()
        return answer.status, answer.read(), answer.headers.get("Content-Type", "application/x-amz-json-1.0")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of connections that broke: the process at their other end was stopped."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    proxy: CountingProxy

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, body, content_type = self.proxy.pass_on(dict(self.headers.items()), raw)
        except Exception as error:  # noqa: BLE001 - in this thread nobody would hear of it
            self.proxy.defects.append(f"{type(error).__name__}: {error}")
            status, body, content_type = 500, b"{}", "application/x-amz-json-1.0"
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the meter counts."""

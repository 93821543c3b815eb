"""An HTTP proxy between playlog's code and the embedded AWS, which lets go wrong what a schedule says.

Requests reach the embedded AWS one at a time. So the tables can be looked at between any two of them, at instants that
no code sees.
"""

import json
import random
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.chaos.faults import OF_THE_INDEX, Fault, Request, Schedule

if TYPE_CHECKING:
    from tests.support.invariants import Item

HOST = "127.0.0.1"
# Past the end of a short run (tests.chaos.round), and past what the code waits for an answer.
SLOW_SECONDS = (0.3, 0.7)
UNREACHABLE_SECONDS = 0.03

# As AWS sends them: Amazon DynamoDB API Reference, "TransactWriteItems", and Amazon SQS API Reference, "Common errors".
_THROTTLES = {
    "dynamodb": (
        (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
        (400, "com.amazon.coral.availability#ThrottlingException"),
        (400, "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded"),
    ),
    "sqs": ((403, "com.amazonaws.sqs#RequestThrottled"), (400, "com.amazon.coral.availability#ThrottlingException")),
}
_CANCELLED = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
_REASONS = {
    "TransactionConflict": "Transaction is ongoing for the item",
    "ThrottlingError": "Throughput exceeds the current throughput limit for your table or index.",
    "ProvisionedThroughputExceeded": "The level of configured provisioned throughput was exceeded.",
}


class Answer:
    """What goes back to the code.

    Args:
        status: of HTTP.
        body: all of it.
        headers: that are sent along.
    """

    def __init__(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = headers or {"Content-Type": "application/x-amz-json-1.0"}

    @classmethod
    def of(cls, status: int, content: dict[str, Any]) -> "Answer":
        """An answer in JSON."""
        return cls(status, json.dumps(content).encode())


class Proxy:
    """A proxy on a port of its own.

    Args:
        upstream_port: of the embedded AWS.

    Attributes:
        port: where it listens.
        schedule: the faults of the round; None passes all through.
        watch: is called at instants between two writes, with no write under way.
        expire: deletes matches as DynamoDB does once they have expired; is called with no write under way.
        sent: letters that the queue took, by match and attempt.
        clouded: matches of which the index did not show the state they are in.
        defects: what went wrong in the proxy itself.
    """

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._local = threading.local()
        self._gate = threading.Lock()
        self._idle = threading.Condition()
        self._under_way = 0
        self._away = threading.Lock()
        # Transactions by all they say, tokens included: MiniStack takes one that is sent again for another once an item
        # that it put was updated since. AWS, and this, answer as the first time.
        self._applied: dict[bytes, Answer] = {}
        # Not answered yet by the embedded AWS: on a busy machine, for longer than the sender waits.
        self._on_its_way: Counter[bytes] = Counter()
        self._pages: defaultdict[str, list[Item]] = defaultdict(list)
        self.schedule: Schedule | None = None
        self.watch: Callable[[], None] = lambda: None
        self.expire: Callable[[random.Random], None] = lambda _: None
        self.sent: set[tuple[str, int]] = set()
        self.clouded: set[str] = set()
        self.defects: list[str] = []
        self._server = self._listen(0)
        self.port: int = self._server.server_address[1]

    def close(self) -> None:
        """Stops listening."""
        self.settle()
        with self._away:
            self._stop_listening()

    def reset(self, schedule: Schedule) -> None:
        """Forgets the round before, and begins another."""
        self._applied.clear()
        self._on_its_way.clear()
        self._pages.clear()
        self.sent.clear()
        self.clouded.clear()
        self.defects.clear()
        self.schedule = schedule

    def settle(self) -> None:
        """Returns once no request is under way, those included whose sender has long given up."""
        with self._idle:
            self._idle.wait_for(lambda: self._under_way == 0, timeout=10 * max(SLOW_SECONDS))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lets no request through while the block lasts: all tables stand still."""
        with self._gate:
            yield

    @contextmanager
    def request_under_way(self) -> Iterator[None]:
        """Counts a request, for ``settle``."""
        with self._idle:
            self._under_way += 1
        try:
            yield
        finally:
            with self._idle:
                self._under_way -= 1
                self._idle.notify_all()

    @property
    def unreachable(self) -> bool:
        """Whether connections are refused right now."""
        return self._away.locked()

    def answer(self, handler: "_Handler", headers: dict[str, str], raw: bytes) -> None:
        """Answers a request, or lets go wrong what the schedule says."""
        operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
        request = Request(operation, json.loads(raw))
        fault, chance = self.schedule.draw(request) if self.schedule else (None, random.Random())
        if fault is Fault.CANCELLED and (raw in self._applied or self._on_its_way[raw]):
            fault = None  # what AWS did for a token, or is about to do, it does not cancel afterwards

        def forward(body: bytes = raw) -> Answer:
            return self._forward(request, headers, body, watched=bool(self.schedule) and chance.random() < 0.25)

        match fault:
            case None:
                handler.send(forward())
                return
            case Fault.THROTTLED | Fault.CANCELLED | Fault.ERROR_BEFORE:
                handler.send(_refusal(fault, request, chance))
            case Fault.RESET_BEFORE:
                handler.reset()
            case Fault.UNREACHABLE:
                handler.reset()
                self._go_away()
            case Fault.SLOW_REQUEST:
                time.sleep(chance.choice(SLOW_SECONDS))
                handler.send(forward())
            case Fault.EXPIRED:
                with self._gate:
                    self.expire(chance)
                answer = forward()
                # The index may still show what is gone.
                is_page = request.reads_index
                handler.send(self._another_page(request, Fault.STALE_PAGE, chance, answer) if is_page else answer)
            case Fault.PARTIAL_BATCH:
                handler.send(self._partial(request, headers, chance))
            case _ if fault in OF_THE_INDEX:
                handler.send(self._another_page(request, fault, chance, forward()))
            case _:
                _lose(fault, handler, forward(), chance)
        assert self.schedule
        self.schedule.count(fault)

    def _go_away(self) -> None:
        """Refuses connections for a while. Those that stand are reset at their next request."""
        if self._away.acquire(blocking=False):
            try:
                self._stop_listening()
                time.sleep(UNREACHABLE_SECONDS)
                self._server = self._listen(self.port)
            finally:
                self._away.release()

    def _listen(self, port: int) -> "_Server":
        server = _Server((HOST, port), _handler(self))
        threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
        return server

    def _stop_listening(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _forward(self, request: Request, headers: dict[str, str], body: bytes, *, watched: bool) -> Answer:
        with self._idle:
            self._on_its_way[body] += 1
        with self._gate:
            answer = self._applied.get(body) or self._ask(headers, body)
            if answer.status == 200 and request.writes:
                self._applied[body] = answer
            if watched and request.writes:
                self.watch()
        with self._idle:
            self._on_its_way[body] -= 1
        if answer.status == 200 and request.operation == "SendMessageBatch":
            letters = (json.loads(entry["MessageBody"]) for entry in json.loads(body)["Entries"])
            self.sent |= {(letter["match_id"], letter["attempt"]) for letter in letters}
        if answer.status == 200 and request.reads_index:
            self._pages[_shard(request)] += json.loads(answer.body)["Items"]
        return answer

    def _ask(self, headers: dict[str, str], body: bytes) -> Answer:
        if not hasattr(self._local, "upstream"):
            self._local.upstream = HTTPConnection(HOST, self._upstream_port, timeout=30)
        upstream: HTTPConnection = self._local.upstream
        upstream.request("POST", "/", body, {**headers, "Content-Length": str(len(body))})
        answer = upstream.getresponse()
        kept = {name: answer.headers[name] for name in ("Content-Type", "x-amz-crc32") if name in answer.headers}
        return Answer(answer.status, answer.read(), kept)

    def _partial(self, request: Request, headers: dict[str, str], chance: random.Random) -> Answer:
        """Sends some entries of a batch on, and says of the others that they were not taken, which is true."""
        entries = request.body["Entries"]
        taken = [entry for entry in entries if chance.random() < 0.5]
        failed = [
            {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError", "Message": "try again"}
            for entry in entries
            if entry not in taken
        ]
        if not taken:
            return Answer.of(200, {"Failed": failed})
        part = json.dumps({**request.body, "Entries": taken}).encode()
        answer = self._forward(request, headers, part, watched=False)
        return Answer.of(200, {**json.loads(answer.body), "Failed": failed})

    def _another_page(self, request: Request, fault: Fault, chance: random.Random, answer: Answer) -> Answer:
        """The page as an index that lags would show it."""
        page = json.loads(answer.body)
        now, before = page["Items"], self._pages[_shard(request)]
        earlier = [chance.choice(before) for _ in range(min(len(before), 10))]
        match fault:
            case Fault.STALE_PAGE:
                # What earlier answers held, in place of what the index holds: matches long played, or as they were.
                images = {item["match_id"]["S"]: item for item in earlier}
                page["Items"] = [images.pop(item["match_id"]["S"], item) for item in now] + list(images.values())
                self.clouded |= {item["match_id"]["S"] for item in earlier}
            case Fault.REPEATED_PAGE:
                page["Items"] = now + chance.sample(now, len(now) // 2)
            case _:
                kept = chance.randrange(len(now) + 1)
                self.clouded |= {item["match_id"]["S"] for item in now[kept:]}
                page["Items"] = now[:kept]
        return Answer.of(200, {**page, "Count": len(page["Items"]), "ScannedCount": len(page["Items"])})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of connections that broke: that is what the proxy is there for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    proxy: Proxy

    def do_POST(self) -> None:
        if self.proxy.unreachable:
            self.reset()
            return
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        with self.proxy.request_under_way():
            try:
                self.proxy.answer(self, dict(self.headers.items()), raw)
            except OSError:
                self.close_connection = True  # the client gave up, or was killed
            except Exception as error:  # noqa: BLE001 - in this thread nobody would hear of it
                self.proxy.defects.append(repr(error))

    def send(self, answer: Answer, *, truncated: bool = False) -> None:
        """Sends an answer, or half of it and an end of the connection."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if truncated else answer.body)
        self.wfile.flush()
        self.close_connection = self.close_connection or truncated

    def reset(self) -> None:
        """Ends the connection as a peer does that has crashed."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the round counts the faults."""


def _handler(proxy: Proxy) -> type[_Handler]:
    return type("Handler", (_Handler,), {"proxy": proxy})


def _refusal(fault: Fault, request: Request, chance: random.Random) -> Answer:
    """What AWS says when it does not apply a request."""
    match fault:
        case Fault.THROTTLED:
            status, error = chance.choice(_THROTTLES["sqs" if "QueueUrl" in request.body else "dynamodb"])
            return Answer.of(status, {"__type": error, "message": "Rate exceeded"})
        case Fault.CANCELLED:
            return _cancelled(request, chance)
        case _:
            return _error(chance)


def _lose(fault: Fault, handler: _Handler, answer: Answer, chance: random.Random) -> None:
    """Keeps the answer to a request that was applied from its sender."""
    match fault:
        case Fault.ERROR_AFTER:
            handler.send(_error(chance))
        case Fault.RESET_AFTER:
            handler.reset()
        case Fault.TRUNCATED:
            handler.send(answer, truncated=True)
        case _:
            time.sleep(chance.choice(SLOW_SECONDS))
            handler.send(answer)


def _cancelled(request: Request, chance: random.Random) -> Answer:
    """A transaction that was cancelled on account of some of its actions: one reason for each, in their order."""
    actions = len(request.body["TransactItems"])
    at_fault = set(chance.sample(range(actions), chance.randint(1, max(1, actions // 4))))
    reasons = []
    for number in range(actions):
        code = chance.choice(list(_REASONS)) if number in at_fault else "None"
        reasons.append({"Code": code, "Message": _REASONS[code]} if number in at_fault else {"Code": code})
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return Answer.of(400, {"__type": _CANCELLED, "Message": message, "CancellationReasons": reasons})


def _error(chance: random.Random) -> Answer:
    """AWS's own trouble, or that of a load balancer in front of it, which speaks no JSON."""
    if chance.random() < 0.5:
        return Answer.of(500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "oops"})
    return Answer(503, b"<html>Service Unavailable</html>", {"Content-Type": "text/html"})


def _shard(request: Request) -> str:
    shard: str = request.body["ExpressionAttributeValues"][":shard"]["S"]
    return shard

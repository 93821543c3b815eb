"""How fast one run is if AWS answers as late as it does: against a server that only waits, and answers.

The embedded AWS answers one request at a time, so it says nothing about the speed of a run on AWS. This server answers
each request after a fixed time, any number of them at once. The run is the converter's own, with its client; the server
is another process.

    python -m bench.late_aws [MATCHES]
"""

import json
import multiprocessing
import os
import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, ClassVar

import boto3
from botocore.credentials import Credentials
from playlog.converting.run import convert
from playlog.dynamodb.client import Client
from playlog.runtime.retry import CLIENT_CONFIG, Retry
from playlog.runtime.settings import ConvertSettings
from playlog_cli.terminal import out, table

SHARDS = 8
PAGE = 100
MATCHES = 24_000
HOST = "127.0.0.1"
# Milliseconds that AWS takes for a query and for a transaction: none, usual within a region, and slow.
LATENCIES = ((0, 0), (4, 12), (10, 40))
# The same work in Celery, Django and PostgreSQL on a machine of this kind, at 0 and at 1 ms a round trip (matches/s).
CELERY = {0: 557, 1: 130}


@dataclass(frozen=True)
class Speed:
    """What one run did.

    Attributes:
        query_ms: that the server took for a query.
        transaction_ms: that the server took for a transaction.
        matches_per_second: of the run.
        cpu_microseconds: CPU time of the run for each match.
    """

    query_ms: int
    transaction_ms: int
    matches_per_second: float
    cpu_microseconds: float


def _match(shard: int, number: int) -> dict[str, Any]:
    instant = datetime(2026, 3, 14, tzinfo=UTC) + timedelta(seconds=number)
    return {
        "match_id": {"S": f"m-{shard}-{number:06}"},
        "unprocessed_shard": {"S": str(shard)},
        "matched_at": {"S": instant.isoformat()},
        "track_id": {"S": f"XX-PLY-26-{number % 900:05}"},
        "station_id": {"S": f"station-{shard}"},
        "station_program_id": {"S": f"station-{shard}/drive"},
        "source": {"S": "Radio"},
        "duration_seconds": {"N": "201"},
        "avg_confidence_score": {"N": "93.5"},
        "processed": {"BOOL": False},
        "artist": {"S": "Vantonge & the Cartographers"},
        "title": {"S": "Lonely Snow"},
    }


class _LateDynamoDB(StreamRequestHandler):
    """Answers Query with the next page of a shard, and TransactWriteItems with success. Does as little as it can.

    Answers leave at once: a small segment would wait 40 ms for the client's acknowledgement of the one before.
    """

    disable_nagle_algorithm = True
    pages: ClassVar[dict[tuple[str, int], bytes]]
    query_seconds: ClassVar[float]
    transaction_seconds: ClassVar[float]

    def handle(self) -> None:
        """Answers the requests of a connection."""
        while self.rfile.readline():
            headers = {}
            while (line := self.rfile.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                headers[name.lower()] = value.strip()
            request = self.rfile.read(int(headers[b"content-length"]))
            if headers[b"x-amz-target"].endswith(b"Query"):
                time.sleep(self.query_seconds)
                body = self._page(json.loads(request))
            else:
                time.sleep(self.transaction_seconds)
                body = b"{}"
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def _page(self, request: dict[str, Any]) -> bytes:
        first = int(request.get("ExclusiveStartKey", {}).get("n", {}).get("N", 0))
        return self.pages[request["ExpressionAttributeValues"][":shard"]["S"], first]


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _pages(shard: int, matches: int) -> Iterator[tuple[tuple[str, int], bytes]]:
    for first in range(0, matches, PAGE):
        last = min(first + PAGE, matches)
        items = [_match(shard, number) for number in range(first, last)]
        page: dict[str, Any] = {"Items": items, "Count": len(items)}
        if last < matches:
            page["LastEvaluatedKey"] = {"n": {"N": str(last)}}
        yield (str(shard), first), json.dumps(page).encode()


def _serve(port: int, per_shard: int, query_ms: int, transaction_ms: int) -> None:
    _LateDynamoDB.pages = dict(page for shard in range(SHARDS) for page in _pages(shard, per_shard))
    _LateDynamoDB.query_seconds = query_ms / 1000
    _LateDynamoDB.transaction_seconds = transaction_ms / 1000
    _Server((HOST, port), _LateDynamoDB).serve_forever()


@contextmanager
def _served(per_shard: int, query_ms: int, transaction_ms: int) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = multiprocessing.Process(target=_serve, args=(port, per_shard, query_ms, transaction_ms), daemon=True)
    process.start()
    try:
        while True:
            with socket.socket() as probe:
                if not probe.connect_ex((HOST, port)):
                    break
            time.sleep(0.01)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.join()


def measure(matches: int, query_ms: int, transaction_ms: int) -> Speed:
    """Converts matches once.

    Args:
        matches: how many, over all shards.
        query_ms: milliseconds that a query takes.
        transaction_ms: milliseconds that a transaction takes.
    """
    settings = ConvertSettings(
        match_cache_table="MatchCache",
        play_log_table="PlayLog",
        station_guard_table="StationGuard",
        dead_letter_queue_url="",
        batch_size=PAGE,
        unprocessed_shards=SHARDS,
        airing_gap=timedelta(0),
        default_duration=timedelta(minutes=3),
        flag_below_confidence=Decimal(0),
        max_attempts=3,
        retain_played=timedelta(0),
    )
    with _served(matches // SHARDS, query_ms, transaction_ms) as endpoint:
        session = boto3.Session("test", "test", region_name="us-east-1")
        boto = session.client("dynamodb", endpoint_url=endpoint, config=CLIENT_CONFIG)
        sqs: Any = None  # no match of these fails
        shards = [str(shard) for shard in range(SHARDS)]
        began, cpu = time.monotonic(), _cpu()
        run = convert(shards, settings, Client(boto, Credentials("test", "test")), sqs, Retry(began + 600))
        seconds, cpu = time.monotonic() - began, _cpu() - cpu
    assert run.processed == matches, run
    return Speed(query_ms, transaction_ms, matches / seconds, cpu / matches * 1e6)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(arguments: list[str]) -> None:
    """Prints the speeds, beside the peer's."""
    matches = int(arguments[0]) if arguments else MATCHES
    os.environ["POWERTOOLS_LOG_LEVEL"] = "ERROR"
    shown = table("a query, a transaction", numbers=("matches/s", "CPU a match"))
    for query_ms, transaction_ms in LATENCIES:
        speed = measure(matches, query_ms, transaction_ms)
        name = f"{query_ms} ms, {transaction_ms} ms"
        shown.add_row(name, f"{speed.matches_per_second:,.0f}", f"{speed.cpu_microseconds:.0f} µs")
    for trip_ms, per_second in CELERY.items():
        shown.add_row(f"Celery, Django and PostgreSQL, {trip_ms} ms a round trip", f"{per_second:,}", "")
    out.print(f"One run over {matches:,} matches in {SHARDS} shards, against a server that answers after")
    out.print(shown)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Watches what a request of a page asks of AWS: calls, the time in which at least one is under way, and items read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from botocore.httpsession import URLLib3Session
from playlog_cli.stacks.stack import Stack


@dataclass
class Watched:
    """What one request did.

    Attributes:
        spans: of each call, when it was sent and when its answer was there.
        items: that DynamoDB read for it.
        seconds: from the request to its answer.
        cpu_seconds: of this process, in which no part of AWS runs.
    """

    spans: list[tuple[float, float]] = field(default_factory=list)
    items: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def aws_seconds(self) -> float:
        """The time in which at least one call was under way."""
        total, reached = 0.0, 0.0
        for began, ended in sorted(self.spans):
            total += max(0.0, ended - max(began, reached))
            reached = max(reached, ended)
        return total

    @property
    def own_seconds(self) -> float:
        """The time in which no call was under way."""
        return self.seconds - self.aws_seconds


class Watch:
    """Sees all calls of this process.

    Args:
        stack: whose clients are not made yet.
    """

    def __init__(self, stack: Stack) -> None:
        self._current = Watched()
        self._lock = Lock()
        self._send = URLLib3Session.send
        events: Any = stack.session.events
        events.register("after-call.dynamodb", self._read)

    @contextmanager
    def request(self) -> Iterator[Watched]:
        """Watches the block."""
        self._current = watched = Watched()
        URLLib3Session.send = self._sent()  # type: ignore[method-assign]
        began, cpu = time.perf_counter(), time.process_time()
        try:
            yield watched
        finally:
            watched.seconds, watched.cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
            URLLib3Session.send = self._send  # type: ignore[method-assign]

    def _sent(self) -> Any:
        def send(session: URLLib3Session, request: Any) -> Any:
            began = time.perf_counter()
            try:
                return self._send(session, request)
            finally:
                with self._lock:
                    self._current.spans.append((began, time.perf_counter()))

        return send

    def _read(self, parsed: dict[str, Any], **_: Any) -> None:
        found = sum(map(len, parsed.get("Responses", {}).values())) + len(parsed.get("Item", ()) and [1])
        with self._lock:
            self._current.items += parsed.get("ScannedCount", found)

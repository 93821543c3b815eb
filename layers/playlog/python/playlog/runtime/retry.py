"""The retry budget: how often and how long a request is sent again.

All requests of a run share one deadline. botocore's own retries know no deadline, so they are off. The pauses have full
jitter (AWS Builders' Library, "Timeouts, retries, and backoff with jitter").
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError

Answer = TypeVar("Answer")

TRIES = 10
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0

# A request takes at most 12 s.
CLIENT_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"total_max_attempts": 1},
    max_pool_connections=64,
    parameter_validation=False,
)

# Codes of a request, or of an action in a cancelled transaction, that may succeed a moment later.
TRANSIENT_CODES = frozenset(
    {
        "InternalServerError",
        "InternalFailure",
        "InternalError",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class UnavailableError(Exception):
    """The retry budget or the deadline is exhausted. The matches wait for the next run."""


class RequestError(Exception):
    """AWS rejected a request, and would reject it again.

    Attributes:
        code: AWS's error code.
        answer: AWS's answer as botocore parsed it.
    """

    def __init__(self, target: str, error: ClientError) -> None:
        super().__init__(f"{target}: {error}")
        self.answer: dict[str, Any] = dict(error.response)
        self.code: str = self.answer["Error"]["Code"]


@dataclass(frozen=True, slots=True)
class Retry:
    """The retry budget of a run.

    Attributes:
        deadline: ``time.monotonic()`` in seconds after which no request begins.
    """

    deadline: float

    @classmethod
    def within(cls, milliseconds_left: int, *, seconds_kept: float) -> Self:
        """The retry budget of a Lambda invocation.

        Args:
            milliseconds_left: from the context's ``get_remaining_time_in_millis``.
            seconds_kept: seconds before the end in which no request begins, so that the last request can end in time.
        """
        return cls(time.monotonic() + milliseconds_left / 1000 - seconds_kept)

    def rounds(self) -> Iterator[int]:
        """Counts tries, from 0, with a pause between two of them, until the budget is exhausted."""
        for attempt in range(TRIES):
            # S311: jitter need not be secure.
            pause = random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)) if attempt else 0.0  # noqa: S311
            if time.monotonic() + pause >= self.deadline:
                return
            time.sleep(pause)
            yield attempt

    def call(self, request: Callable[..., Answer], target: str, **arguments: Any) -> Answer:
        """Sends a request until AWS answers.

        Args:
            request: a method of a boto3 client.
            target: the table, index or queue, for the message of an error.
            arguments: the request. It is sent again unchanged, so that a ``ClientRequestToken`` makes it idempotent.

        Returns:
            The answer.

        Raises:
            UnavailableError: the retry budget is exhausted.
            RequestError: AWS rejected the request for good.
        """
        last: Exception | None = None
        for _ in self.rounds():
            try:
                answer = request(**arguments)
                if not _is_incomplete(answer):
                    return answer
                last = UnavailableError("the answer is incomplete")
            except ClientError as error:
                if not _is_transient(error):
                    raise RequestError(target, error) from error
                last = error
            except (ConnectionError, HTTPClientError, ResponseParserError) as error:
                last = error  # the connection failed, or the answer was lost or broken
        raise UnavailableError(f"{target}: {last or 'no time is left'}") from last


def _is_incomplete(answer: Any) -> bool:
    """Whether the connection ended in the middle of an answer. botocore then returns an empty answer."""
    if not isinstance(answer, dict) or answer.keys() != {"ResponseMetadata"}:
        return False
    return int(answer["ResponseMetadata"].get("HTTPHeaders", {}).get("content-length", 0)) > len("{}")


def _is_transient(error: ClientError) -> bool:
    answer = error.response
    code = answer["Error"]["Code"]
    # If an error answer was cut, botocore knows only the HTTP status and uses it as the code.
    if code in TRANSIENT_CODES or code.isdigit():
        return True
    return bool(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500)

"""How often and how long a request is sent again.

One way for all of a run's requests, within the time of the run: botocore's own retries know no deadline, so they are
off. Full jitter as in the AWS Builders' Library, "Timeouts, retries, and backoff with jitter".
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

# Of a whole request, or of an action in a cancelled transaction: the same may succeed a moment later.
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
    """AWS did not do what was asked within the tries and the time there are. The matches wait for the next run."""


class RequestError(Exception):
    """AWS refused a request for good.

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
    """The patience of a run.

    Attributes:
        deadline: ``time.monotonic()`` in seconds after which no request begins.
    """

    deadline: float

    @classmethod
    def within(cls, milliseconds_left: int, *, seconds_kept: float) -> Self:
        """The patience of a function.

        Args:
            milliseconds_left: of its time, as ``get_remaining_time_in_millis`` says.
            seconds_kept: in which no request begins, so that one that began before ends within the function's time.
        """
        return cls(time.monotonic() + milliseconds_left / 1000 - seconds_kept)

    def rounds(self) -> Iterator[int]:
        """Counts tries, from 0, with a pause before each but the first, until the tries or the time are used up."""
        for attempt in range(TRIES):
            # S311: jitter is no secret.
            pause = random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)) if attempt else 0.0  # noqa: S311
            if time.monotonic() + pause >= self.deadline:
                return
            time.sleep(pause)
            yield attempt

    def call(self, request: Callable[..., Answer], target: str, **arguments: Any) -> Answer:
        """Sends a request until it is answered.

        Args:
            request: a method of a boto3 client.
            target: the table, index or queue, for the message of an error.
            arguments: the request. It is sent again unchanged, so a ``ClientRequestToken`` in it makes it idempotent.

        Returns:
            The answer.

        Raises:
            UnavailableError: no answer but transient errors within the tries and the time.
            RequestError: AWS refused the request for good.
        """
        last: Exception | None = None
        for _ in self.rounds():
            try:
                answer = request(**arguments)
                if not _was_cut(answer):
                    return answer
                last = UnavailableError("the answer ended before its end")
            except ClientError as error:
                if not _is_transient(error):
                    raise RequestError(target, error) from error
                last = error
            except (ConnectionError, HTTPClientError, ResponseParserError) as error:
                last = error  # the connection failed, or the answer was lost or broken
        raise UnavailableError(f"{target}: {last or 'no time is left'}") from last


def _was_cut(answer: Any) -> bool:
    """Whether the connection ended in the middle of an answer, which botocore then takes for one that says nothing."""
    if not isinstance(answer, dict) or answer.keys() != {"ResponseMetadata"}:
        return False
    return int(answer["ResponseMetadata"].get("HTTPHeaders", {}).get("content-length", 0)) > len("{}")


def _is_transient(error: ClientError) -> bool:
    answer = error.response
    code = answer["Error"]["Code"]
    # Of an error whose answer was cut, botocore knows the HTTP status alone and takes it for AWS's code.
    if code in TRANSIENT_CODES or code.isdigit():
        return True
    return bool(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500)

"""The retry budget of a run: too little fails for a hiccup of AWS, too much outlives the function."""

import random
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from playlog.runtime import retry
from playlog.runtime.retry import RequestError, Retry, UnavailableError

URL = "https://dynamodb.us-east-1.amazonaws.com/"


class Clock:
    """Stands in for the module ``time``: it passes only where somebody sleeps or a request takes it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Service:
    """A method of a boto3 client that gives the outcomes one after the other, the last again and again."""

    def __init__(self, clock: Clock, *outcomes: Exception | str, seconds: float = 0.0) -> None:
        self._clock = clock
        self._outcomes = list(outcomes)
        self._seconds = seconds
        self.began: list[float] = []
        self.arguments: list[dict[str, Any]] = []

    def __call__(self, **arguments: Any) -> str:
        self.began.append(self._clock.now)
        self.arguments.append(arguments)
        self._clock.now += self._seconds
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(retry, "time", clock)
    return clock


def refused(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "TransactWriteItems",
    )


@pytest.mark.parametrize(
    "error",
    [
        refused("InternalServerError", 500),
        refused("ProvisionedThroughputExceededException"),
        refused("RequestLimitExceeded"),
        refused("RequestThrottled", 403),
        refused("ServiceUnavailable", 503),
        refused("ThrottlingException"),
        refused("TransactionConflictException"),
        refused("TransactionInProgressException"),
        refused("SomethingNew", 503),
        ConnectTimeoutError(endpoint_url=URL),
        EndpointConnectionError(endpoint_url=URL),
        ConnectionClosedError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        SSLError(endpoint_url=URL, error=ConnectionResetError()),
        ResponseParserError("unable to parse response"),
    ],
    ids=repr,
)
def test_a_hiccup_of_aws_costs_a_pause_and_no_run(clock: Clock, error: Exception) -> None:
    service = Service(clock, error, error, "done")

    assert Retry(clock.now + 60).call(service, "table T") == "done"
    assert len(service.began) == 3


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "IdempotentParameterMismatchException",
        "ResourceNotFoundException",
        "TransactionCanceledException",
        "ValidationException",
    ],
)
def test_what_aws_refuses_for_good_is_not_asked_again(clock: Clock, code: str) -> None:
    service = Service(clock, refused(code))

    with pytest.raises(RequestError, match=f"^table T: .*{code}") as raised:
        Retry(clock.now + 60).call(service, "table T")

    assert len(service.began) == 1
    assert raised.value.code == code
    assert raised.value.answer["Error"] == {"Code": code, "Message": "no"}


def test_an_error_of_our_own_is_not_hidden_behind_tries(clock: Clock) -> None:
    service = Service(clock, TypeError("wrong argument"))

    with pytest.raises(TypeError, match="wrong argument"):
        Retry(clock.now + 60).call(service, "table T")

    assert len(service.began) == 1


def test_a_lasting_outage_ends_the_tries_and_says_what_was_out(clock: Clock) -> None:
    service = Service(clock, refused("ThrottlingException"))

    with pytest.raises(UnavailableError, match=r"^table T: .*ThrottlingException"):
        Retry(clock.now + 3_600).call(service, "table T")

    assert len(service.began) == retry.TRIES


@pytest.mark.parametrize(
    ("allowed", "request_seconds", "began"),
    [
        (4.0, 1.5, [0.0, 1.6, 3.3]),  # the third request outlives the deadline
        (0.25, 0.0, [0.0, 0.1]),  # the second pause would
        (0.3, 0.0, [0.0, 0.1]),  # the second pause would end with it
    ],
)
def test_no_request_begins_after_the_deadline(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, allowed: float, request_seconds: float, began: list[float]
) -> None:
    monkeypatch.setattr(random, "uniform", max)
    service = Service(clock, refused("ThrottlingException"), seconds=request_seconds)
    start = clock.now

    with pytest.raises(UnavailableError, match="ThrottlingException"):
        Retry(start + allowed).call(service, "table T")

    assert [time - start for time in service.began] == pytest.approx(began)


def test_a_run_that_is_out_of_time_asks_nothing_at_all(clock: Clock) -> None:
    service = Service(clock, "done")
    retry_budget = Retry(clock.now)

    assert list(retry_budget.rounds()) == []
    with pytest.raises(UnavailableError, match=r"^table T: no time is left$"):
        retry_budget.call(service, "table T")
    assert service.began == []


def test_a_request_is_sent_again_with_its_token_so_that_it_takes_effect_once(clock: Clock) -> None:
    service = Service(clock, ReadTimeoutError(endpoint_url=URL), "done")

    Retry(clock.now + 60).call(service, "table T", TransactItems=["put"], ClientRequestToken="token")

    assert service.arguments == [{"TransactItems": ["put"], "ClientRequestToken": "token"}] * 2


def test_pauses_grow_to_a_limit_so_that_a_throttled_table_recovers(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "uniform", max)

    assert list(Retry(clock.now + 3_600).rounds()) == list(range(retry.TRIES))

    at_once, *pauses = clock.pauses
    assert at_once == 0
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def test_shards_that_were_throttled_together_do_not_come_back_together(clock: Clock) -> None:
    for _ in range(20):
        list(Retry(clock.now + 3_600).rounds())

    second_pauses = clock.pauses[1 :: retry.TRIES]
    assert len(set(second_pauses)) == 20
    assert min(second_pauses) < 0.05 < max(second_pauses)


def test_a_function_keeps_the_time_that_its_longest_request_takes(clock: Clock) -> None:
    retry_budget = Retry.within(110_000, seconds_kept=15.0)

    assert retry_budget == Retry(clock.now + 95)
    clock.now += 95
    assert list(retry_budget.rounds()) == []

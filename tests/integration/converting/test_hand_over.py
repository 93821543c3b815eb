"""Handing over: what a scheduled run does not get through is left to others, whole, and nothing is asked for twice."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from playlog.converting import hand_over
from playlog.converting.run import Run
from playlog.domain import timestamps

from tests.support.aws import Aws, cancelled, on, slow
from tests.support.builders import MATCHED_AT, make_item

pytest_plugins = ["tests.support.aws_fixture"]

SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
SHARDS = ["0", "3"]
A_SHARD = 12  # matches, in pages of 2
A_WRITE = 4  # matches: what a page leaves of a transaction is written with the next


@pytest.fixture
def functions() -> Iterator[Stubber]:
    """Lambda, which takes on what a test says and nothing else."""
    client = boto3.client("lambda", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stubber:
        yield stubber


@pytest.fixture
def asked(functions: Stubber) -> list[Any]:
    """What Lambda is asked for, whether a test says anything of it or not."""
    requests: list[Any] = []
    functions.client.meta.events.register(
        "provide-client-params.lambda.Invoke", lambda params, **_: requests.append(params)
    )
    return requests


@pytest.fixture(autouse=True)
def clock(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that waits waits by the clock of the tests."""
    for module in ("run", "hand_over"):
        monkeypatch.setattr(f"playlog.converting.{module}.time", aws.clock)


def run(aws: Aws, functions: Stubber, event: dict[str, Any], *, milliseconds_left: int = 110_000) -> Run:
    settings = replace(aws.convert_settings, batch_size=2)
    invocation = hand_over.Invocation("the-converter", milliseconds_left)
    client: Any = functions.client
    return hand_over.run(event, settings, aws.client, aws.sqs, lambda: client, invocation)


def fill(aws: Aws, *shards: str) -> None:
    """Puts matches into each of these shards."""
    aws.put(
        *(
            make_item(
                f"m-{shard}-{number}",
                unprocessed_shard={"S": shard},
                station_id={"S": shard},
                matched_at={"S": timestamps.to_text(MATCHED_AT + timedelta(minutes=number))},
            )
            for shard in shards
            for number in range(A_SHARD)
        )
    )


def takes(functions: Stubber, shard: str, until: Any) -> None:
    """Lambda takes on a run of this shard, for which nobody waits."""
    functions.add_response(
        "invoke",
        {"StatusCode": 202},
        {"FunctionName": "the-converter:live", "InvocationType": "Event", "Payload": Asks(shard, until)},
    )


class Asks:
    """Equals the event that asks for a run of a shard until about a time."""

    def __init__(self, shard: str, until: datetime) -> None:
        self.shard = shard
        self.until = until

    def __eq__(self, payload: object) -> bool:
        event = json.loads(str(payload))
        late = timestamps.from_text(event.pop("until")) - self.until
        return event == {"shards": [self.shard]} and abs(late) < timedelta(seconds=10)

    __hash__ = None  # type: ignore[assignment]


def waiting(aws: Aws) -> int:
    return sum("unprocessed_shard" in match for match in aws.matches())


def in_two_minutes() -> datetime:
    """When the function's 110 s are over."""
    return datetime.now(UTC) + timedelta(seconds=110)


def test_the_shards_that_are_left_are_handed_over_each_by_itself(aws: Aws, functions: Stubber) -> None:
    fill(aws, *SHARDS)
    aws.put(make_item("alone", unprocessed_shard={"S": "5"}, station_id={"S": "5"}))
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 9)))
    for shard in SHARDS:
        takes(functions, shard, in_two_minutes())

    done = run(aws, functions, SCHEDULED)

    functions.assert_no_pending_responses()
    assert done.as_answer()["handed_over"] == 2
    assert done.waiting
    assert 0 < done.processed == 2 * A_SHARD + 1 - waiting(aws)
    assert aws.violations() == []


def test_what_is_begun_is_finished_and_no_page_is_begun_after_it(aws: Aws, functions: Stubber) -> None:
    fill(aws, "0")
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 25)))
    takes(functions, "0", in_two_minutes())

    done = run(aws, functions, SCHEDULED)

    assert (done.processed, waiting(aws)) == (A_WRITE, A_SHARD - A_WRITE)
    assert len(aws.sent("TransactWriteItems")) == 1


def test_a_run_that_gets_through_hands_over_nothing(aws: Aws, functions: Stubber, asked: list[Any]) -> None:
    fill(aws, *SHARDS)

    done = run(aws, functions, SCHEDULED)

    assert (done.handed_over, done.waiting, waiting(aws), asked) == (0, False, 0, [])
    assert "handed_over" not in done.as_answer()


def test_a_shard_whose_last_page_took_long_is_not_handed_over(aws: Aws, functions: Stubber, asked: list[Any]) -> None:
    fill(aws, "0")
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 10)))  # the last of three begins in time

    done = run(aws, functions, SCHEDULED)

    assert (done.handed_over, done.waiting, waiting(aws), asked) == (0, False, 0, [])


@pytest.mark.parametrize("event", [{}, {"shards": ["0"]}], ids=["a person's", "a drain's"])
def test_a_run_that_somebody_waits_for_does_all_that_it_can_itself(
    aws: Aws, functions: Stubber, asked: list[Any], event: dict[str, Any]
) -> None:
    fill(aws, "0")
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 25)))

    done = run(aws, functions, event)

    assert (done.processed, done.handed_over, asked) == (A_SHARD, 0, [])


def test_a_run_that_was_handed_over_hands_over_nothing_and_ends_in_time(
    aws: Aws, functions: Stubber, asked: list[Any]
) -> None:
    fill(aws, "0")
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 25)))
    began = aws.clock.now
    until = timestamps.to_text(datetime.now(UTC) + timedelta(seconds=60))
    aws.door.requests.clear()

    done = run(aws, functions, {"shards": ["0"], "until": until})

    assert (done.processed, done.waiting, done.handed_over, asked) == (2 * A_WRITE, True, 0, [])
    assert max(request.at for request in aws.door.requests) < began + 60 - 15


@pytest.mark.parametrize("seconds", [-3_600, 0, 19])
def test_a_run_that_comes_too_late_does_nothing_and_is_no_error(aws: Aws, functions: Stubber, seconds: int) -> None:
    fill(aws, "0")
    aws.door.requests.clear()
    until = timestamps.to_text(datetime.now(UTC) + timedelta(seconds=seconds))

    done = run(aws, functions, {"shards": ["0"], "until": until})

    assert (done.processed, done.failed, done.waiting, aws.door.requests) == (0, 0, True, [])


def test_a_function_with_little_time_hands_over_nothing_that_would_come_too_late(
    aws: Aws, functions: Stubber, asked: list[Any]
) -> None:
    fill(aws, "0")
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 4.5)))

    done = run(aws, functions, SCHEDULED, milliseconds_left=19_900)

    assert (done.processed, done.waiting, done.handed_over, asked) == (A_WRITE, True, 0, [])


@pytest.mark.parametrize(
    "code", ["TooManyRequestsException", "AccessDeniedException", "ResourceNotFoundException", "ServiceException"]
)
def test_where_lambda_takes_on_nothing_the_matches_wait_and_the_run_is_no_error(
    aws: Aws, functions: Stubber, asked: list[Any], caplog: pytest.LogCaptureFixture, code: str
) -> None:
    fill(aws, *SHARDS)
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 25)))
    functions.add_client_error("invoke", code, "it is so")

    done = run(aws, functions, SCHEDULED)

    assert (done.waiting, done.handed_over, len(asked)) == (True, 0, 1)
    assert done.processed == 2 * A_SHARD - waiting(aws) > 0
    (warning,) = [vars(record) for record in caplog.records if record.levelname == "WARNING"]
    assert list(warning["shards"]) == SHARDS
    assert code in warning["error"]


def test_it_says_how_many_lambda_took_on_before_it_refused(aws: Aws, functions: Stubber) -> None:
    fill(aws, *SHARDS)
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 25)))
    takes(functions, "0", in_two_minutes())
    functions.add_client_error("invoke", "TooManyRequestsException")

    assert run(aws, functions, SCHEDULED).handed_over == 1


def test_lambda_out_of_reach_is_no_error_either(aws: Aws, functions: Stubber) -> None:
    fill(aws, "0")
    aws.door.faults.append(on("TransactWriteItems", slow(aws.clock, 25)))

    def unreachable(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://lambda")

    functions.client.meta.events.register_first("before-call.lambda.Invoke", unreachable)

    assert run(aws, functions, SCHEDULED).handed_over == 0


def test_a_shard_that_dynamodb_throttles_is_not_handed_over(aws: Aws, functions: Stubber) -> None:
    """A run more would only add to what is too much already."""
    fill(aws, *SHARDS)
    aws.door.faults += [cancelled({"m-0-0": "ThrottlingError"}), on("TransactWriteItems", slow(aws.clock, 9))]
    takes(functions, "3", in_two_minutes())

    done = run(aws, functions, SCHEDULED)

    functions.assert_no_pending_responses()
    assert (done.handed_over, done.waiting) == (1, True)

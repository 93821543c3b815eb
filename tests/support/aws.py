"""AWS for the tests of the effects: moto behind a door, where requests are counted and answers are forged or lost.

The code under test is the real one down to botocore. A fault is what comes, or fails to come, over the wire.
"""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from botocore.handlers import BUILTIN_HANDLERS
from moto import mock_aws
from moto.core.models import botocore_stubber
from playlog.domain.match import Item
from playlog.dynamodb.client import Client
from playlog.runtime.retry import CLIENT_CONFIG, Retry
from playlog.runtime.settings import ConvertSettings, StoreSettings
from playlog_cli.wiring import built_template

from tests.support import invariants
from tests.support.clients import client_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).parents[2]
TEMPLATE = built_template.load(ROOT / "template.yaml")
TABLE_PARTS = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


class Clock:
    """Stands in for the module ``time``: sleeping takes no time, but moves the clock."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        """Seconds of the clock."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Moves the clock."""
        self.now += seconds


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it went over the wire.

    Attributes:
        operation: like ``TransactWriteItems``.
        arguments: its JSON.
        at: ``Clock.monotonic()`` in seconds when it began.
    """

    operation: str
    arguments: dict[str, Any]
    at: float

    @property
    def token(self) -> str | None:
        """What makes sending it again harmless, if it has that."""
        token: str | None = self.arguments.get("ClientRequestToken")
        return token

    @property
    def actions(self) -> list[dict[str, Any]]:
        """The actions of a transaction; none of another request."""
        return [write for action in self.arguments.get("TransactItems", []) for write in action.values()]

    @property
    def matches(self) -> set[str]:
        """The ids of the matches whose state a transaction changes."""
        return {action["Key"]["match_id"]["S"] for action in self.actions if "match_id" in action.get("Key", {})}


Send: TypeAlias = Callable[[], AWSResponse]
# Answers a request, by ``send`` or without; None leaves it to the next fault.
Fault: TypeAlias = Callable[[Request, Send], AWSResponse | None]


class Door:
    """What all requests of the process go through, one at a time: moto cannot do two at once.

    Like DynamoDB and unlike moto, it answers a transaction whose token it knows without doing it again.

    Attributes:
        clock: by which the code waits.
        requests: all that were sent, in order.
        faults: asked in order; the first that answers is believed.
        remembers_tokens: false where the tokens' ten minutes are over.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.remembers_tokens = True
        self._done: dict[str, AWSResponse] = {}
        self._lock = threading.RLock()  # a fault may send requests of its own

    def pass_through(self, event_name: str, prepared: AWSPreparedRequest) -> AWSResponse:
        """Answers a request.

        Raises:
            HTTPClientError: a fault lets nothing come back.
        """
        with self._lock:
            body: Any = prepared.body
            operation = event_name.rpartition(".")[2]
            request = Request(operation, json.loads(body or "{}"), self.clock.monotonic())
            self.requests.append(request)
            answers = (fault(request, lambda: self._send(prepared, request)) for fault in self.faults)
            forged = next((answer for answer in answers if answer is not None), None)
            return forged or self._send(prepared, request)

    def _send(self, prepared: AWSPreparedRequest, request: Request) -> AWSResponse:
        if self.remembers_tokens and request.token in self._done:
            return self._done[request.token]
        answered = botocore_stubber.process_request(prepared)
        assert answered, f"moto does not know {request.operation}"
        status, headers, body = answered
        answer = AWSResponse(prepared.url, status, headers, _Body(body.encode() if isinstance(body, str) else body))  # type: ignore[arg-type]
        if request.token and status == 200:
            self._done[request.token] = answer
        return answer


_doors: list[Door] = []


def _at_the_door(event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    return _doors[-1].pass_through(event_name, request) if _doors else None


# botocore gives these to every client, as it does moto's own.
BUILTIN_HANDLERS.extend((f"before-send.{service}", _at_the_door) for service in ("dynamodb", "lambda", "sqs"))


@dataclass(frozen=True)
class Aws:
    """The stack's tables and queue, and what a test asks of them.

    Attributes:
        dynamodb: client, as the functions make it.
        sqs: client, as the functions make it.
        door: what all requests go through.
    """

    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    door: Door

    @property
    def client(self) -> Client:
        """The client of the path of every match, as the functions make it."""
        return client_of(self.dynamodb)

    @property
    def clock(self) -> Clock:
        """That by which the code waits."""
        return self.door.clock

    @property
    def convert_settings(self) -> ConvertSettings:
        """What template.yaml sets by default."""
        return ConvertSettings.from_environment(environment("ConvertMatchesFunction"))

    @property
    def store_settings(self) -> StoreSettings:
        """What template.yaml sets."""
        return StoreSettings.from_environment(environment("StoreFailuresFunction"))

    def retry_budget(self, seconds: float = 90) -> Retry:
        """That of a run with so many seconds left."""
        return Retry(self.clock.now + seconds)

    def put(self, *matches: Item) -> None:
        """Writes matches, as the detection system does."""
        for match in matches:
            self.dynamodb.put_item(TableName=self.convert_settings.match_cache_table, Item=match)

    def delete(self, match_id: str) -> None:
        """Takes a match away."""
        self.dynamodb.delete_item(TableName=self.convert_settings.match_cache_table, Key={"match_id": {"S": match_id}})

    def match(self, match_id: str) -> Item:
        """A match as it is now."""
        return next(match for match in self.matches() if match["match_id"]["S"] == match_id)

    def matches(self) -> list[Item]:
        """All matches."""
        return self._scan(self.convert_settings.match_cache_table)

    def plays(self) -> list[Item]:
        """All plays."""
        return self._scan(self.convert_settings.play_log_table)

    def failures(self) -> list[Item]:
        """All records of failures, a match's in the order of its attempts."""
        return sorted(
            self._scan(self.store_settings.failed_play_log_table),
            key=lambda failure: (failure["match_id"]["S"], int(failure["attempt"]["N"])),
        )

    def take_letters(self) -> list[str]:
        """Takes all that is in the dead-letter queue."""
        url = self.convert_settings.dead_letter_queue_url
        batches = iter(lambda: self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []), [])
        return [message["Body"] for batch in batches for message in batch]

    def violations(self) -> list[str]:
        """The violations of the invariants now."""
        tables = invariants.Tables(matches=self.matches(), plays=self.plays(), failures=self.failures())
        return invariants.violations(tables, self.convert_settings.unprocessed_shards)

    def sent(self, operation: str) -> list[Request]:
        """The requests of a kind so far, those that were sent again among them."""
        return [request for request in self.door.requests if request.operation == operation]

    def _scan(self, table: str) -> list[Item]:
        pages: Any = self.dynamodb.get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]


@contextmanager
def aws_in_memory() -> Iterator[Aws]:
    """The stack of template.yaml, empty, for all AWS clients of the process."""
    door = Door(Clock())
    with mock_aws():
        botocore_stubber.enabled = False  # the door asks moto itself
        _doors.append(door)
        try:
            dynamodb, sqs = _clients()
            _make_tables(dynamodb)
            sqs.create_queue(QueueName="DeadLetterQueue")
            door.requests.clear()
            yield Aws(dynamodb, sqs, door)
        finally:
            _doors.pop()


@cache
def _clients() -> "tuple[DynamoDBClient, SQSClient]":
    """As the functions make theirs: once, since that takes longer than a test."""
    session = boto3.Session("test", "test", region_name=built_template.REGION)
    return session.client("dynamodb", config=CLIENT_CONFIG), session.client("sqs", config=CLIENT_CONFIG)


def environment(function: str) -> dict[str, str]:
    """The environment that template.yaml gives a function, with the parameters' defaults."""
    variables = TEMPLATE.value(TEMPLATE.resources[function].properties["Environment"]["Variables"])
    return {name: built_template.as_text(value) for name, value in variables.items()}


def _make_tables(dynamodb: "DynamoDBClient") -> None:
    for table in TEMPLATE.of_type("AWS::DynamoDB::Table"):
        properties = TEMPLATE.value(table.properties)
        parts = {part: properties[part] for part in TABLE_PARTS if part in properties}
        dynamodb.create_table(TableName=table.logical_id, **parts)


# --- Faults ---


def on(operation: str, fault: Fault, *, times: float = math.inf) -> Fault:
    """The fault, but only of this operation, and only so many times."""
    left = times

    def limited(request: Request, send: Send) -> AWSResponse | None:
        nonlocal left
        if request.operation != operation or left <= 0:
            return None
        left -= 1
        answer = fault(request, send)
        if answer is None:  # it was not for this request
            left += 1
        return answer

    return limited


def refused(code: str, message: str = "", *, status: int = 400, where: str = "") -> Fault:
    """AWS answers with an error: of a request that names a certain match or table, if one is given."""

    def refuse(request: Request, _send: Send) -> AWSResponse | None:
        if where not in json.dumps(request.arguments):
            return None
        return _answer(status, {"__type": f"com.amazonaws#{code}", "message": message})

    return refuse


def cancelled(codes: Mapping[str, str]) -> Fault:
    """A transaction that holds one of these matches is cancelled, with these codes, and ``None`` for the others."""

    def cancel(request: Request, _send: Send) -> AWSResponse | None:
        if not request.matches & codes.keys():
            return None
        found = [codes.get(action.get("Key", {}).get("match_id", {}).get("S"), "None") for action in request.actions]
        return _cancellation([{"Code": code, "Message": f"{code} it is"} for code in found])

    return cancel


def all_cancelled(code: str) -> Fault:
    """Every transaction is cancelled, with this code for each action."""
    return lambda request, _send: _cancellation([{"Code": code} for _ in request.actions])


def lost_answer(request: Request, send: Send) -> AWSResponse | None:
    """What was asked is done, and the answer does not come back."""
    send()
    raise ConnectionClosedError(endpoint_url=request.operation)


def unreachable(request: Request, _send: Send) -> AWSResponse | None:
    """Nothing is done."""
    raise EndpointConnectionError(endpoint_url=request.operation)


def slow(clock: Clock, seconds: float) -> Fault:
    """The answer takes its time."""

    def answer_late(_request: Request, _send: Send) -> None:
        clock.sleep(seconds)

    return answer_late


def answered(change: Callable[[dict[str, Any]], object]) -> Fault:
    """The answer comes back changed: ``change`` may alter its JSON."""

    def alter(_request: Request, send: Send) -> AWSResponse:
        body = json.loads(send().content)
        change(body)
        return _answer(200, body)

    return alter


def taken_but_for(refuse: Callable[[str], bool]) -> Fault:
    """The queue takes a batch but for the messages that ``refuse`` picks."""

    def take(request: Request, _send: Send) -> AWSResponse:
        entries = request.arguments["Entries"]
        bad = [entry for entry in entries if refuse(entry["MessageBody"])]
        good = [entry for entry in entries if entry not in bad]
        return _answer(
            200,
            {
                "Successful": [{"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": ""} for entry in good],
                "Failed": [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in bad],
            },
        )

    return take


def taken_on(_request: Request, _send: Send) -> AWSResponse:
    """Lambda takes a run on for which nobody waits. Moto's own would run it in Docker."""
    return _answer(202, {})


class _Body(BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _cancellation(reasons: list[dict[str, str]]) -> AWSResponse:
    code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    return _answer(400, {"__type": code, "Message": "Transaction cancelled", "CancellationReasons": reasons})


def _answer(status: int, body: dict[str, Any]) -> AWSResponse:
    return AWSResponse("https://aws.test", status, {}, _Body(json.dumps(body).encode()))  # type: ignore[arg-type]

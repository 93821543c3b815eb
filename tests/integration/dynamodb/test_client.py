"""The hot path's own client: all that it brings back, and all that goes wrong, must be as it is with boto3's."""

import json
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from hypothesis import given, settings
from hypothesis import strategies as st
from playlog.domain.match import Item
from playlog.dynamodb.client import Client
from playlog.runtime.retry import CLIENT_CONFIG, RequestError, Retry

from tests.support.builders import items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

QUERY: dict[str, Any] = {
    "TableName": "MatchCache",
    "KeyConditionExpression": "unprocessed_shard = :shard",
    "ExpressionAttributeValues": {":shard": {"S": "é"}},
}
ACTION: Any = {"Delete": {"TableName": "MatchCache", "Key": {"match_id": {"S": "é"}}}}
BYTES: Item = {
    "bytes": {"B": b"\x00\xff"},
    "set": {"BS": [b"a", b"bc"]},
    "list": {"L": [{"B": b"B"}, {"M": {"B": {"S": "a name, not a type"}, "BS": {"L": []}}}]},
}


class Raw(BytesIO):
    """The body of an answer."""

    def stream(self) -> Iterator[bytes]:
        """All of it."""
        yield self.read()


@pytest.fixture(scope="module")
def boto() -> "DynamoDBClient":
    return connect("https://dynamodb.test")


def client_of(boto: "DynamoDBClient") -> Client:
    """With the credentials of its session."""
    return Client(boto, Credentials("key", "secret", "token"))


def connect(url: str, config: Config = CLIENT_CONFIG) -> "DynamoDBClient":
    """As the functions make theirs."""
    session = boto3.Session("key", "secret", "token", region_name="us-east-1")
    return session.client("dynamodb", endpoint_url=url, config=config)


@contextmanager
def answering(boto: Any, status: int, body: bytes) -> Iterator[list[AWSPreparedRequest]]:
    """All requests are kept, and answered with this."""
    sent: list[AWSPreparedRequest] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, status, {"x-amzn-requestid": "r-1"}, Raw(body))  # type: ignore[arg-type]

    boto.meta.events.register("before-send.dynamodb", answer)
    try:
        yield sent
    finally:
        boto.meta.events.unregister("before-send.dynamodb", answer)


def on_the_wire(value: Any) -> bytes:
    return json.dumps(value, default=lambda content: b64encode(content).decode()).encode()


def without_metadata(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


# --- What is sent, and what comes back. ---


@settings(max_examples=50, deadline=None)
@given(st.lists(items(), max_size=3))
def test_a_page_is_read_as_boto3_reads_it(boto: "DynamoDBClient", found: list[Item]) -> None:
    page = {"Items": [*found, BYTES], "Count": len(found) + 1, "LastEvaluatedKey": None}

    with answering(boto, 200, on_the_wire(page)):
        answer = client_of(boto).query(**QUERY)
        read_by_boto3 = boto.query(**QUERY)

    assert answer == without_metadata(read_by_boto3)
    assert answer["Items"] == [*found, BYTES]


def test_the_same_is_sent_to_the_same_place(boto: "DynamoDBClient") -> None:
    with answering(boto, 200, b"{}") as sent:
        client_of(boto).query(**QUERY)
        boto.query(**QUERY)
        client_of(boto).transact_write_items(actions=[json.dumps(ACTION)] * 2, token="t-1")
        boto.transact_write_items(TransactItems=[ACTION] * 2, ClientRequestToken="t-1")

    for ours, of_boto3 in (sent[0], sent[1]), (sent[2], sent[3]):
        assert (ours.method, ours.url) == (of_boto3.method, of_boto3.url)
        assert json.loads(cast("bytes", ours.body)) == json.loads(cast("bytes", of_boto3.body))
        assert ours.headers["User-Agent"].startswith("Boto3/")
        for header in "Content-Type", "X-Amz-Security-Token", "X-Amz-Target":
            theirs = of_boto3.headers[header]
            assert ours.headers[header] == (theirs.decode() if isinstance(theirs, bytes) else theirs)


def test_credentials_that_were_renewed_sign_the_next_request() -> None:
    mine: Any = connect("https://dynamodb.test")
    credentials = Credentials("key", "secret", "token")
    client = Client(mine, credentials)
    with answering(mine, 200, b"{}") as sent:
        client.query(**QUERY)
        credentials.access_key = "renewed"
        client.query(**QUERY)

    assert ["Credential=renewed/" in request.headers["Authorization"] for request in sent] == [False, True]


def test_without_credentials_it_says_so() -> None:
    mine: Any = connect("https://dynamodb.test")

    with pytest.raises(NoCredentialsError):
        Client(mine, None).query(**QUERY)


# --- What goes wrong. ---

CANCELLED = {
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
    "CancellationReasons": [
        {"Code": "None", "Item": None, "Message": None},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": BYTES},
    ],
}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, on_the_wire(CANCELLED)),
        (400, b'{"__type": "com.amazon.coral.validate#ValidationException", "message": "one is too long"}'),
        (400, b'{"__type": "ThrottlingException:http://internal.amazon.com/", "message": "slowly"}'),
        (500, b'{"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": null}'),
        (400, b'{"__type": "com.amazonaws.dynamodb.v20120810#Valida'),
        (503, b"<html><body><h1>503 Service Unavailable</h1></body></html>"),
        (502, b""),
        (413, b"[]"),
    ],
    ids=["cancelled", "refused", "throttled", "nothing to say", "cut", "of a load balancer", "empty", "no object"],
)
def test_a_refusal_is_told_as_boto3_tells_it(boto: "DynamoDBClient", status: int, body: bytes) -> None:
    with answering(boto, status, body):
        with pytest.raises(ClientError) as ours:
            client_of(boto).query(**QUERY)
        if body == b"[]":  # botocore fails of it
            assert ours.value.response["Error"]["Code"] == "413"
            return
        with pytest.raises(ClientError) as of_boto3:
            boto.transact_write_items(TransactItems=[ACTION])

    found, wanted = ours.value.response, of_boto3.value.response
    assert found["Error"]["Code"] == wanted["Error"]["Code"]
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status
    assert found["ResponseMetadata"]["RequestId"] == "r-1"
    assert found.get("CancellationReasons") == wanted.get("CancellationReasons")
    if b"__type" in body and body.endswith(b"}"):
        assert found["Error"]["Message"] == (wanted["Error"]["Message"] or "")


@pytest.mark.parametrize("body", [b"", b'{"Items": [{"match_id"', b"[]", b"null"])
def test_an_answer_that_is_not_whole_is_none(boto: "DynamoDBClient", body: bytes) -> None:
    with answering(boto, 200, body), pytest.raises(ResponseParserError):
        client_of(boto).query(**QUERY)


def test_what_listens_to_boto3_hears_of_every_answer(boto: "DynamoDBClient") -> None:
    heard: list[dict[str, Any]] = []

    def listen(**event: Any) -> None:
        heard.append(event)

    boto.meta.events.register("response-received.dynamodb", listen)
    try:
        with answering(boto, 200, b'{"Count": 0}'):
            client_of(boto).query(**QUERY)
            boto.query(**QUERY)
        with answering(boto, 400, on_the_wire(CANCELLED)):
            with pytest.raises(ClientError):
                client_of(boto).transact_write_items(actions=[], token="t-1")
            with pytest.raises(ClientError):
                boto.transact_write_items(TransactItems=[])
    finally:
        boto.meta.events.unregister("response-received.dynamodb", listen)

    for ours, of_boto3 in (heard[0], heard[1]), (heard[2], heard[3]):
        assert ours.keys() == of_boto3.keys()
        assert ours["event_name"] == of_boto3["event_name"]
        for part in "status_code", "body":
            assert ours["response_dict"][part] == of_boto3["response_dict"][part]
    assert without_metadata(heard[0]["parsed_response"]) == without_metadata(heard[1]["parsed_response"])


# --- Over a real connection. ---


@contextmanager
def server(*answers: bytes) -> Iterator[tuple[str, list[int]]]:
    """A server that gives these answers, one a request, and closes the connection after one that says so.

    Yields:
        Its URL, and for each connection that was made how many requests came over it.
    """
    left = list(answers)
    connections: list[int] = []

    def serve() -> None:
        while left:
            connection, _ = listening.accept()
            connections.append(0)
            with connection, connection.makefile("rb") as lines:
                while left:
                    headers = dict(
                        line.lower().split(b": ", 1) for line in iter(lines.readline, b"\r\n") if b": " in line
                    )
                    if not headers:
                        break
                    lines.read(int(headers[b"content-length"]))
                    connections[-1] += 1
                    answer = left.pop(0)
                    connection.sendall(answer)
                    if b"Connection: close" in answer:
                        break

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", connections
        thread.join(timeout=10)
    assert not left


def http(status: str, body: bytes, *, length: int | None = None, headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n{headers}\r\n"
    return head.encode() + body


def test_requests_share_a_connection() -> None:
    with server(*[http("200 OK", b"{}")] * 4) as (url, connections):
        client = client_of(connect(url))
        for _ in range(4):
            client.query(**QUERY)

    assert connections == [4]


def test_an_answer_that_breaks_off_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playlog.runtime.retry.FIRST_PAUSE", 0)
    whole = b'{"Items": [], "Count": 0}'
    cut = http("200 OK", whole[:9], length=len(whole), headers="Connection: close\r\n")
    with server(cut, http("200 OK", whole)) as (url, _):
        answer = Retry.within(60_000, seconds_kept=0).call(client_of(connect(url)).query, "index", **QUERY)

    assert answer == {"Items": [], "Count": 0}


def test_a_refusal_that_breaks_off_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playlog.runtime.retry.FIRST_PAUSE", 0)
    refusal = on_the_wire(CANCELLED)
    cut = http("400 Bad Request", refusal[:99], length=len(refusal), headers="Connection: close\r\n")
    with server(cut, http("400 Bad Request", refusal)) as (url, _), pytest.raises(RequestError) as refused:
        Retry.within(60_000, seconds_kept=0).call(client_of(connect(url)).query, "index", **QUERY)

    assert refused.value.code == "TransactionCanceledException"
    assert refused.value.answer["CancellationReasons"][1]["Item"] == BYTES


def test_a_connection_that_closes_brings_no_answer() -> None:
    with server(b"Connection: close") as (url, _), pytest.raises((ConnectionClosedError, HTTPClientError)):
        client_of(connect(url)).query(**QUERY)


def test_a_server_that_is_away_brings_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    with pytest.raises(EndpointConnectionError):
        client_of(connect(url)).query(**QUERY)


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_the_clients_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        mine = connect(url, CLIENT_CONFIG.merge(Config(read_timeout=0.05)))

        with pytest.raises(ReadTimeoutError):
            client_of(mine).query(**QUERY)

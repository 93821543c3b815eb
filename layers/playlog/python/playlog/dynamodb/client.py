"""A DynamoDB client for the path of every match: requests go out as JSON, and answers come in as JSON has them.

boto3's client goes through each attribute of each item, by its description of the service, and that cost two thirds
of a match's CPU time. This one sends the same with what boto3's was made with: its credentials, endpoint, timeouts,
connections, proxies and certificates. It emits the same events before and after (``before-send``,
``response-received``) and raises the same errors.
"""

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.hooks import first_non_none_response
from botocore.parsers import ResponseParserError

from playlog.dynamodb.signing import Endpoint

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The version of DynamoDB's API.
API = "DynamoDB_20120810"


class Client:
    """Sends requests as a client of boto3's does.

    Each method raises what that does: ``ClientError`` where DynamoDB refuses, ``ConnectionError`` or
    ``HTTPClientError`` where no answer comes, and ``ResponseParserError`` where it ended before its end.

    Args:
        of_boto3: whose credentials, endpoint, connections and events it uses.
    """

    def __init__(self, of_boto3: "DynamoDBClient") -> None:
        # botocore has no public name for two of these; its version is locked.
        botocore: Any = of_boto3
        self._credentials = botocore._request_signer._credentials
        self._connections = botocore._endpoint.http_session
        self._meta = botocore.meta
        url = self._meta.endpoint_url
        self._url = url if url.endswith("/") else f"{url}/"
        self._endpoint = Endpoint.of(self._url, self._meta.region_name)

    def query(self, **request: Any) -> dict[str, Any]:
        """Sends a Query."""
        return self._send("Query", json.dumps(request))

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """Sends a BatchGetItem."""
        return self._send("BatchGetItem", json.dumps(request))

    def transact_write_items(self, *, actions: list[str], token: str) -> dict[str, Any]:
        """Sends a TransactWriteItems.

        Args:
            actions: its ``TransactItems``, each in JSON.
            token: its ``ClientRequestToken``.
        """
        items = ",".join(actions)
        return self._send("TransactWriteItems", f'{{"ClientRequestToken":"{token}","TransactItems":[{items}]}}')

    def _send(self, operation: str, text: str) -> dict[str, Any]:
        if self._credentials is None:
            raise NoCredentialsError
        body = text.encode()
        credentials = self._credentials.get_frozen_credentials()
        headers = self._endpoint.headers(f"{API}.{operation}", body, credentials, datetime.now(UTC))
        headers["User-Agent"] = self._meta.config.user_agent
        request = AWSPreparedRequest("POST", self._url, HeadersDict(headers), body, stream_output=False)  # type: ignore[arg-type]
        try:
            answers = self._meta.events.emit(f"before-send.dynamodb.{operation}", request=request)
            answer = first_non_none_response(answers) or self._connections.send(request)
        except Exception as error:
            self._has_received(operation, None, None, error)
            raise
        parsed: Any = _parsed(answer)
        self._has_received(operation, answer, parsed, None)
        if answer.status_code >= 300:
            raise ClientError(parsed, operation)
        return parsed  # type: ignore[no-any-return]

    def _has_received(
        self, operation: str, answer: AWSResponse | None, parsed: dict[str, Any] | None, error: Exception | None
    ) -> None:
        said = answer and {"headers": answer.headers, "status_code": answer.status_code, "body": answer.content}
        self._meta.events.emit(
            f"response-received.dynamodb.{operation}",
            response_dict=said,
            parsed_response=parsed,
            context={"client_region": self._meta.region_name, "client_config": self._meta.config},
            exception=error,
        )


def _parsed(answer: AWSResponse) -> Any:
    """What DynamoDB says, as botocore parses it.

    Raises:
        ResponseParserError: it should have done what was asked, and its answer is not whole.
    """
    try:
        said = _loads(answer.content)
    except ValueError as error:
        if answer.status_code < 300:
            raise ResponseParserError(f"the answer is no JSON object: {error}") from error
        said = {}  # of a load balancer, or cut: its status tells enough
    if answer.status_code < 300:
        return said
    # "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
    code = str(said.get("__type", answer.status_code)).partition(":")[0].rpartition("#")[2]
    return {
        **said,
        "Error": {"Code": code, "Message": said.get("message", said.get("Message", ""))},
        "ResponseMetadata": {
            "HTTPStatusCode": answer.status_code,
            "RequestId": answer.headers.get("x-amzn-requestid"),
        },
    }


def _loads(body: bytes) -> dict[str, Any]:
    # JSON has what botocore has, but for what is null and for bytes: most answers hold neither.
    differs = b"null" in body or b'"B"' in body or b'"BS"' in body
    said = json.loads(body, object_hook=_as_botocore_has_it if differs else None)
    if not isinstance(said, dict):
        raise ValueError(f"it is a {type(said).__name__}")
    return said


def _as_botocore_has_it(value: dict[str, Any]) -> dict[str, Any]:
    """A JSON object with bytes in place of their base64, and without what is null."""
    match value:
        case {"B": str(text)}:
            return {"B": b64decode(text)}
        case {"BS": [*texts]}:
            return {"BS": [b64decode(text) for text in texts]}
        case _:
            return {name: member for name, member in value.items() if member is not None}

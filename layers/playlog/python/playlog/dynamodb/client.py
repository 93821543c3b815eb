"""A DynamoDB client for the path of every match: requests go out as JSON, and answers come back as JSON.

boto3's client converts each attribute of each item by its description of the service. That took two thirds of a match's
CPU time (docs/decisions/0004-json-on-the-path-of-a-match.md). This client sends the same requests with botocore's
public parts: the session's credentials, the client's endpoint and configuration, and ``URLLib3Session``. It emits the
same events before and after a request (``before-send``, ``response-received``) and raises the same errors.
"""

import json
import os
from base64 import b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.hooks import first_non_none_response
from botocore.httpsession import URLLib3Session
from botocore.parsers import ResponseParserError
from botocore.utils import get_environ_proxies

from playlog.dynamodb.signing import Endpoint

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The version of DynamoDB's API.
API = "DynamoDB_20120810"


class Client:
    """Sends requests as boto3's client does.

    Each method raises what boto3 raises: ``ClientError`` if DynamoDB rejects the request, ``ConnectionError`` or
    ``HTTPClientError`` if no answer comes, and ``ResponseParserError`` if the answer is incomplete.

    Args:
        boto: a client whose endpoint, configuration and events are used.
        credentials: of the session that made it; None if it found none.
        ca_bundle: path of a file with certificates, from the session's configuration; None reads the environment.
    """

    def __init__(self, boto: "DynamoDBClient", credentials: Credentials | None, ca_bundle: str | None = None) -> None:
        self._credentials = credentials
        self._meta = boto.meta
        # botocore builds the options of Config at run time, so that types do not know them.
        self._config = cast("Any", boto.meta.config)
        url = self._meta.endpoint_url
        self._url = url if url.endswith("/") else f"{url}/"
        self._endpoint = Endpoint.of(self._url, self._meta.region_name)
        # The stubs of types know fewer values than the class takes.
        session: Any = URLLib3Session
        self._connections = session(
            verify=ca_bundle or os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True,
            proxies=self._config.proxies or get_environ_proxies(self._url),
            proxies_config=self._config.proxies_config,
            timeout=(self._config.connect_timeout, self._config.read_timeout),
            max_pool_connections=self._config.max_pool_connections,
            client_cert=self._config.client_cert,
        )

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
        headers["User-Agent"] = self._config.user_agent
        request = AWSPreparedRequest("POST", self._url, HeadersDict(headers), body, stream_output=False)  # type: ignore[arg-type]
        try:
            answers = self._meta.events.emit(f"before-send.dynamodb.{operation}", request=request)
            response = first_non_none_response(answers) or self._connections.send(request)
        except Exception as error:
            self._emit_received(operation, None, None, error)
            raise
        answer: Any = _parse(response)
        self._emit_received(operation, response, answer, None)
        if response.status_code >= 300:
            raise ClientError(answer, operation)
        return answer  # type: ignore[no-any-return]

    def _emit_received(
        self, operation: str, response: AWSResponse | None, answer: dict[str, Any] | None, error: Exception | None
    ) -> None:
        raw = response and {
            "headers": response.headers,
            "status_code": response.status_code,
            "body": response.content,
        }
        self._meta.events.emit(
            f"response-received.dynamodb.{operation}",
            response_dict=raw,
            parsed_response=answer,
            context={"client_region": self._meta.region_name, "client_config": self._meta.config},
            exception=error,
        )


def _parse(response: AWSResponse) -> Any:
    """The answer as botocore parses it.

    Raises:
        ResponseParserError: the request succeeded, but its answer is incomplete.
    """
    try:
        answer = _loads(response.content)
    except ValueError as error:
        if response.status_code < 300:
            raise ResponseParserError(f"the answer is not a JSON object: {error}") from error
        answer = {}  # from a load balancer, or incomplete: the status is enough
    if response.status_code < 300:
        return answer
    # "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
    code = str(answer.get("__type", response.status_code)).partition(":")[0].rpartition("#")[2]
    return {
        **answer,
        "Error": {"Code": code, "Message": answer.get("message", answer.get("Message", ""))},
        "ResponseMetadata": {
            "HTTPStatusCode": response.status_code,
            "RequestId": response.headers.get("x-amzn-requestid"),
        },
    }


def _loads(body: bytes) -> dict[str, Any]:
    # JSON and botocore agree except for null and for bytes. Most answers hold neither.
    differs = b"null" in body or b'"B"' in body or b'"BS"' in body
    answer = json.loads(body, object_hook=_to_botocore if differs else None)
    if not isinstance(answer, dict):
        raise ValueError(f"it is a {type(answer).__name__}")
    return answer


def _to_botocore(value: dict[str, Any]) -> dict[str, Any]:
    """A JSON object with bytes in place of base64, and without null."""
    match value:
        case {"B": str(text)}:
            return {"B": b64decode(text)}
        case {"BS": [*texts]}:
            return {"BS": [b64decode(text) for text in texts]}
        case _:
            return {name: member for name, member in value.items() if member is not None}

"""S3 in memory, and DynamoDB's export to it, which moto does not write as DynamoDB does."""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.models import botocore_stubber
from playlog.domain.match import Item

from tests.support.aws import Aws, Request, Send

BUCKET = "bucket"


class Trouble(StrEnum):
    """How S3 fails."""

    UNREACHABLE = "nothing answers"
    ANSWER_LOST = "the request is done, and its answer is lost"
    SLOW_DOWN = "503 SlowDown"
    INTERNAL_ERROR = "500 InternalError"
    ACCESS_DENIED = "403 AccessDenied"


class Door:
    """What all requests to S3 go through.

    Attributes:
        left: how many writes succeed before S3 fails; None for all.
        fails_each_once: whether each request fails when it is sent for the first time.
        trouble: how S3 fails.
        requests: method and path of each.
    """

    def __init__(self) -> None:
        self.left: int | None = None
        self.fails_each_once = False
        self.trouble = Trouble.UNREACHABLE
        self._failed: set[str] = set()
        self.requests: list[tuple[str, str]] = []
        self.is_open = False

    def pass_through(self, request: AWSPreparedRequest, **_: Any) -> Any:
        """Answers a request."""
        if not self.is_open:
            return None
        self.requests.append((request.method, urlsplit(request.url).path))
        if self._fails(request):
            match self.trouble:
                case Trouble.UNREACHABLE:
                    raise EndpointConnectionError(endpoint_url=request.url)
                case Trouble.ANSWER_LOST:
                    self._send(request)
                    raise ConnectionClosedError(endpoint_url=request.url)
                case _:
                    status, code = self.trouble.split()
                    body = f"<Error><Code>{code}</Code><Message>so it is</Message></Error>"
                    return _response(request.url, int(status), {}, body.encode())
        return self._send(request)

    def _fails(self, request: AWSPreparedRequest) -> bool:
        if request.method == "PUT" and self.left is not None:
            self.left -= 1
            return self.left < 0
        identity = f"{request.method} {request.url}"
        fails = self.fails_each_once and identity not in self._failed
        self._failed.add(identity)
        return fails

    def _send(self, request: AWSPreparedRequest) -> AWSResponse:
        answer = botocore_stubber.process_request(request)
        assert answer
        status, headers, body = answer
        return _response(request.url, status, headers, body.encode() if isinstance(body, str) else body)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, size: int = -1, **_: Any) -> Iterator[bytes]:
        yield self.read(size)

    def read(self, amt: int | None = None, **_: Any) -> bytes:
        size = len(self._content) if amt is None or amt < 0 else amt
        taken, self._content = self._content[:size], self._content[size:]
        return taken


DOOR = Door()
BUILTIN_HANDLERS.append(("before-send.s3", DOOR.pass_through))


@dataclass
class Exporter:
    """DynamoDB's export: it writes what a test says has happened.

    Attributes:
        s3: client.
        changes: for incremental exports, by table: the lines of the next export.
        started: the arguments of each export.
        status: of all exports.
    """

    aws: Aws
    s3: Any
    changes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    started: list[dict[str, Any]] = field(default_factory=list)
    status: str = "COMPLETED"

    def __call__(self, request: Request, _send: Send) -> AWSResponse | None:
        """Answers the two calls of exports; leaves others to moto."""
        if request.operation == "ExportTableToPointInTime":
            return _answer({"ExportDescription": {"ExportArn": self._export(request.arguments)}})
        if request.operation == "DescribeExport":
            number = int(request.arguments["ExportArn"].rpartition("-")[2])
            key = f"{self.started[number]['S3Prefix']}/AWSDynamoDB/{number}/manifest-summary.json"
            answer = {"ExportStatus": self.status, "ExportManifest": key, "FailureMessage": "the bucket is not there"}
            return _answer({"ExportDescription": answer})
        return None

    def _export(self, arguments: dict[str, Any]) -> str:
        number = len(self.started)
        self.started.append(arguments)
        table = arguments["TableArn"].rpartition("/")[2]
        if arguments.get("ExportType") == "INCREMENTAL_EXPORT":
            lines = self.changes.pop(table, [])
        else:
            pages = self.aws.dynamodb.get_paginator("scan").paginate(TableName=table)
            lines = [{"Item": item} for page in pages for item in page["Items"]]
        folder = f"{arguments['S3Prefix']}/AWSDynamoDB/{number}"
        files = [lines[::2], lines[1::2], []]
        entries = []
        for part, some in enumerate(files):
            key, body = f"{folder}/data/{part}.json.gz", gzip.compress("".join(map(_line, some)).encode())
            digest = base64.b64encode(hashlib.md5(body).digest()).decode()
            entries.append({"itemCount": len(some), "md5Checksum": digest, "etag": "", "dataFileS3Key": key})
            self.put(key, body)
        self.put(f"{folder}/manifest-files.json", "".join(map(_line, entries)).encode())
        summary = {"manifestFilesS3Key": f"{folder}/manifest-files.json"}
        self.put(f"{folder}/manifest-summary.json", json.dumps(summary).encode())
        return f"{arguments['TableArn']}/export/0-{number}"

    def put(self, key: str, body: bytes) -> None:
        """Writes an object, whatever fails for others."""
        left, fails = DOOR.left, DOOR.fails_each_once
        DOOR.left, DOOR.fails_each_once = None, False
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        DOOR.left, DOOR.fails_each_once = left, fails

    def objects(self) -> list[str]:
        """The keys of all objects."""
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def exporter(aws: Aws) -> Iterator[Exporter]:
    """A bucket, and DynamoDB's export to it."""
    DOOR.is_open, DOOR.left, DOOR.fails_each_once, DOOR.trouble = True, None, False, Trouble.UNREACHABLE
    DOOR.requests.clear()
    try:
        s3 = boto3.Session("test", "test", region_name="us-east-1").client("s3")
        s3.create_bucket(Bucket=BUCKET)
        made = Exporter(aws, s3)
        aws.door.faults.append(made)
        yield made
    finally:
        DOOR.is_open = False


def changed(item: Item, *key: str, is_deleted: bool = False) -> dict[str, Any]:
    """A line of an incremental export."""
    at = str(int(datetime(2026, 3, 14, tzinfo=UTC).timestamp() * 1_000_000))
    line: dict[str, Any] = {"Metadata": {"WriteTimestampMicros": {"N": at}}, "Keys": {name: item[name] for name in key}}
    return line if is_deleted else {**line, "NewImage": item}


def _answer(body: dict[str, Any]) -> AWSResponse:
    return _response("", 200, {}, json.dumps(body).encode())


def _response(url: str, status: int, headers: dict[str, Any], body: bytes) -> AWSResponse:
    return AWSResponse(url, status, headers, _Body(body))  # type: ignore[arg-type]


def _line(value: Any) -> str:
    return json.dumps(value) + "\n"

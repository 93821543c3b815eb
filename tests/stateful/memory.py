"""DynamoDB and SQS in memory, as far as playlog uses them, given to its code where it meets HTTP.

So the code runs as it is, with its clients of boto3 and of PynamoDB. What DynamoDB does is not made up here: the tests
in ``tests/dynamodb``, which AWS's own engine passes, are passed by this as well.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.handlers import BUILTIN_HANDLERS
from playlog.domain.match import Item
from playlog.dynamodb import limits

from tests.stateful.expressions import Placeholders, applied, comparable, holds

Answer = dict[str, Any]
Request = dict[str, Any]
Key = tuple[Any, ...]
Names = tuple[str, ...]


class RefusalError(Exception):
    """An error of AWS's, as it answers it.

    Attributes:
        answer: the body, with the error's code as ``__type``.
        status: of HTTP.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, **more: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.answer = {"__type": code, "message": message, **more}
        self.status = status


@contextmanager
def answering(answer: Callable[[str, Request], Answer]) -> Iterator[None]:
    """AWS clients made within the block are answered by a function instead of AWS.

    Args:
        answer: takes an operation's name and its request; raises ``RefusalError`` for an error of AWS's. What else it
            raises, the client raises.
    """

    def before_send(event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked: Any = request.body
        try:
            status, body = 200, answer(event_name.rpartition(".")[2], json.loads(asked))
        except RefusalError as refusal:
            status, body = refusal.status, refusal.answer
        return AWSResponse(request.url, status, {}, _Raw(json.dumps(body).encode()))  # type: ignore[arg-type]  # any mapping will do

    handler = ("before-send", before_send)
    BUILTIN_HANDLERS.append(handler)
    try:
        yield
    finally:
        BUILTIN_HANDLERS.remove(handler)


@dataclass(slots=True)
class Table:
    """A table with its indexes, whose view of it may lag behind.

    Attributes:
        key: names of the key's attributes.
        indexes: names of their keys' attributes, by index.
        items: by key.
    """

    key: Names
    indexes: dict[str, Names]
    items: dict[Key, Item] = field(default_factory=dict)
    _indexed: dict[Key, Item] = field(default_factory=dict)
    _to_index: deque[tuple[Key, Item]] = field(default_factory=deque)

    def write(self, item: Item) -> None:
        """Puts an item in the place of the one that there may be."""
        key = _place(item, self.key)
        self.items[key] = item
        self._to_index.append((key, item))

    def indexed(self, lag: int) -> dict[Key, Item]:
        """The items as the indexes show them: all but the latest ``lag`` writes, if not more were shown before."""
        while len(self._to_index) > lag:
            key, item = self._to_index.popleft()
            self._indexed[key] = item
        return self._indexed


@dataclass(slots=True)
class Memory:
    """The tables and the queue.

    Attributes:
        tables: by name.
        letters: bodies of the messages that the queue holds.
        lag: how many writes the indexes of a table are behind.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    letters: list[str] = field(default_factory=list)
    lag: int = 0
    _tokens: dict[str, Request] = field(default_factory=dict)

    def answer(self, operation: str, request: Request) -> Answer:
        """Does what a request asks.

        Raises:
            RefusalError: AWS would refuse it.
        """
        answers: dict[str, Callable[[Request], Answer]] = {
            "CreateTable": self._create_table,
            "DescribeTable": lambda _: {"Table": {"TableStatus": "ACTIVE"}},
            "DeleteTable": lambda _: {},
            "GetItem": self._get_item,
            "BatchGetItem": self._batch_get_item,
            "PutItem": lambda request: self._write_one("Put", request),
            "UpdateItem": lambda request: self._write_one("Update", request),
            "Query": self._query,
            "TransactWriteItems": self._transact,
            "SendMessageBatch": self._send,
        }
        return answers[operation](request)

    def _create_table(self, request: Request) -> Answer:
        def names(schema: list[dict[str, str]]) -> Names:
            return tuple(part["AttributeName"] for part in schema)

        indexes = {index["IndexName"]: names(index["KeySchema"]) for index in request.get("GlobalSecondaryIndexes", [])}
        self.tables[request["TableName"]] = Table(names(request["KeySchema"]), indexes)
        return {}

    def _get_item(self, request: Request) -> Answer:
        table = self.tables[request["TableName"]]
        item = table.items.get(_place(request["Key"], table.key))
        return {} if item is None else {"Item": item}

    def _batch_get_item(self, request: Request) -> Answer:
        if sum(len(asked["Keys"]) for asked in request["RequestItems"].values()) > 100:
            raise RefusalError("ValidationException", "Too many items requested for the BatchGetItem call")
        answers = {
            name: [found["Item"] for key in asked["Keys"] if (found := self._get_item({"TableName": name, "Key": key}))]
            for name, asked in request["RequestItems"].items()
        }
        return {"Responses": answers, "UnprocessedKeys": {}}

    def _write_one(self, kind: str, request: Request) -> Answer:
        try:
            self._transact({"TransactItems": [{kind: request}]})
        except RefusalError as refusal:
            (reason,) = refusal.answer["CancellationReasons"]
            raise RefusalError(f"{reason['Code']}Exception", reason["Message"]) from None
        return {}

    def _query(self, request: Request) -> Answer:
        table = self.tables[request["TableName"]]
        index = request.get("IndexName")
        items = table.indexed(self.lag) if index else table.items
        # An index holds the items that have both of its attributes, in the order of the second, and then somehow.
        key = (*table.indexes[index], *table.key) if index else table.key
        found = [item for item in items.values() if item.keys() >= set(key)]
        found = [item for item in found if holds(request["KeyConditionExpression"], _placeholders(request), item)]
        found.sort(key=lambda item: _place(item, key), reverse=not request.get("ScanIndexForward", True))
        if start := request.get("ExclusiveStartKey"):
            found = [item for item in found if _place(item, key) > _place(start, key)]
        page = found[: request.get("Limit", len(found))]
        answer: Answer = {
            "Items": [_projected(item, request) for item in page],
            "Count": len(page),
            "ScannedCount": len(page),
        }
        if page and len(page) == request.get("Limit"):
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in key}
        return answer

    def _transact(self, request: Request) -> Answer:
        token = request.get("ClientRequestToken")
        if token in self._tokens:
            if self._tokens[token] != request:
                raise RefusalError("IdempotentParameterMismatchException", "another request had this token")
            return {}
        actions = [_Action.of(action, self.tables) for action in request["TransactItems"]]
        if len(actions) > limits.TRANSACTION_ACTIONS:
            raise RefusalError("ValidationException", "more than 100 actions")
        if len({(id(action.table), action.key) for action in actions}) < len(actions):
            raise RefusalError("ValidationException", "an item twice")
        reasons = [action.reason() for action in actions]
        if any(reason["Code"] != "None" for reason in reasons):
            codes = ", ".join(reason["Code"] for reason in reasons)
            raise RefusalError("TransactionCanceledException", f"[{codes}]", CancellationReasons=reasons)
        for action in actions:
            action.table.write(action.result)
        if token:
            self._tokens[token] = request
        return {}

    def _send(self, request: Request) -> Answer:
        self.letters += [entry["MessageBody"] for entry in request["Entries"]]
        taken = [{"Id": entry["Id"], "MessageId": "-", "MD5OfMessageBody": "-"} for entry in request["Entries"]]
        return {"Successful": taken, "Failed": []}


@dataclass(frozen=True, slots=True)
class _Action:
    """A Put or an Update of a transaction."""

    kind: str
    request: Request
    table: Table
    key: Key

    @classmethod
    def of(cls, action: dict[str, Request], tables: dict[str, Table]) -> "_Action":
        ((kind, request),) = action.items()
        table = tables[request["TableName"]]
        return cls(kind, request, table, _place(request["Item" if kind == "Put" else "Key"], table.key))

    @property
    def result(self) -> Item:
        """The item as the action leaves it."""
        if self.kind == "Put":
            item: Item = self.request["Item"]
            return item
        before = self.table.items.get(self.key) or self.request["Key"]
        return applied(self.request["UpdateExpression"], _placeholders(self.request), before)

    def reason(self) -> dict[str, Any]:
        """Why the action cancels its transaction; code ``None`` where it does not."""
        most = (limits.PARTITION_KEY_BYTES, limits.SORT_KEY_BYTES)
        if any(limits.text_bytes(str(value)) > limit for value, limit in zip(self.key, most, strict=False)):
            return {"Code": "ValidationError", "Message": "a key is too long"}
        condition = self.request.get("ConditionExpression")
        before = self.table.items.get(self.key)
        if condition is None or holds(condition, _placeholders(self.request), before or {}):
            return {"Code": "None"}
        refusal = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
        wanted = self.request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return {**refusal, "Item": before} if wanted and before is not None else refusal


class _Raw(BytesIO):
    """What botocore takes for the body of an answer."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _placeholders(request: Request) -> Placeholders:
    return Placeholders(request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {}))


def _projected(item: Item, request: Request) -> Item:
    """The attributes of an item that a request asks for: all, if it names none."""
    if "ProjectionExpression" not in request:
        return item
    placeholders = _placeholders(request)
    wanted = {placeholders.name(token) for token in request["ProjectionExpression"].split(", ")}
    return {name: value for name, value in item.items() if name in wanted}


def _place(item: Item, names: Names) -> Key:
    """Where an item stands in a table or an index that has these attributes for its key."""
    return tuple(comparable(item[name]) for name in names)

"""The parts of a check: each sends one request that changes nothing, and says what AWS denies or does not find."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

# No item has this key, and no item is written under it.
KEY = "playlog-check"
# It contradicts itself, so that DynamoDB cancels the write once it has found the permission, the table and its keys.
NEVER = "attribute_exists(#key) AND attribute_not_exists(#key)"
# U+0000 is not in the set of characters that SQS accepts (Amazon SQS API Reference, SendMessage).
NO_MESSAGE = "\0"
# Amazon SQS API Reference, ReceiveMessage: at most 10.
TOO_MANY_MESSAGES = 11

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}


class CheckError(Exception):
    """A real invocation could not do its work. The text names each missing resource and action."""


@dataclass(frozen=True)
class Part:
    """One part of a check.

    Attributes:
        action: the IAM action that it proves, like ``dynamodb:Query``.
        resource: the table, index, queue or function.
        request: sends a request that changes nothing.
        expected: error codes by which AWS says that it would have allowed the request.
    """

    action: str
    resource: str
    request: Callable[[], Any]
    expected: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The part in the answer's ``checked``."""
        return f"{self.action} on {self.resource}"

    def problem(self) -> str | None:
        """What is missing; None if AWS allows the action on the resource."""
        try:
            self.request()
        except ClientError as error:
            code = error.response["Error"]["Code"].rpartition("#")[2]
            if code in self.expected:
                return None
            if code in DENIED:
                return f"{self.name} is denied: allow it in the function's role"
            return f"{self.name} failed: {code}: {error.response['Error'].get('Message', '')}"
        except BotoCoreError as error:
            return f"{self.name} failed: {type(error).__name__}: {error}"
        return None


def problems(parts: Iterable[Part]) -> list[str]:
    """What is missing, over all parts."""
    return [problem for part in parts if (problem := part.problem())]


def write(dynamodb: Any, kind: str, table: str, key: dict[str, str]) -> Part:
    """Proves that an item may be written, by a transaction whose condition cannot hold.

    Args:
        dynamodb: client.
        kind: ``Put`` or ``Update``.
        table: name of the table.
        key: the key's attributes with their types, like ``{"match_id": "S"}``.
    """
    item = {name: {kind_of: "0" if kind_of == "N" else KEY} for name, kind_of in key.items()}
    action = {
        "TableName": table,
        "ConditionExpression": NEVER,
        "ExpressionAttributeNames": {"#key": next(iter(key))},
        **({"Item": item} if kind == "Put" else {"Key": item, "UpdateExpression": "SET #checked = :checked"}),
    }
    if kind == "Update":
        action["ExpressionAttributeNames"] = {"#key": next(iter(key)), "#checked": "playlog_check"}
        action["ExpressionAttributeValues"] = {":checked": {"BOOL": True}}
    return Part(
        f"dynamodb:{kind}Item",
        f"table {table}",
        lambda: _cancelled(lambda: dynamodb.transact_write_items(TransactItems=[{kind: action}])),
    )


def _cancelled(send: Callable[[], Any]) -> None:
    """Sends a transaction that must be cancelled by its condition, and by nothing else."""
    try:
        send()
    except ClientError as error:
        reasons: Any = error.response.get("CancellationReasons", [])
        if [reason.get("Code") for reason in reasons] != ["ConditionalCheckFailed"]:
            raise
        return
    raise AssertionError("a condition that cannot hold held")


def query(dynamodb: Any, table: str, key: tuple[str, str], value: str, index: str | None = None) -> Part:
    """Proves that a table or an index may be queried by its keys.

    Args:
        dynamodb: client.
        table: name of the table.
        key: names of the partition key and the sort key.
        value: of the partition key.
        index: name of the index; None queries the table, strongly consistent.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "Limit": 1,
        "KeyConditionExpression": "#partition = :value",
        "ExpressionAttributeNames": {"#partition": key[0]},
        "ExpressionAttributeValues": {":value": {"S": value}},
        **({"IndexName": index} if index else {"ConsistentRead": True}),
    }
    where = f"index {index} of table {table}" if index else f"table {table}"
    return Part("dynamodb:Query", where, lambda: dynamodb.query(**request))


def get(dynamodb: Any, table: str, key: str) -> Part:
    """Proves that items of a table may be read by their key."""
    keys = {table: {"Keys": [{key: {"S": KEY}}], "ConsistentRead": True}}
    return Part("dynamodb:BatchGetItem", f"table {table}", lambda: dynamodb.batch_get_item(RequestItems=keys))


def send(sqs: Any, url: str) -> Part:
    """Proves that messages may be sent to a queue, by one that SQS cannot accept."""
    entries = [{"Id": "0", "MessageBody": NO_MESSAGE}]

    def request() -> None:
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        if answer.get("Successful"):
            raise AssertionError("the queue accepted a message that it cannot accept")

    return Part("sqs:SendMessage", f"queue {url}", request, frozenset({"InvalidMessageContents"}))


def receive(sqs: Any, url: str) -> list[Part]:
    """Proves that messages of a queue may be received and deleted, and its attributes read."""
    where = f"queue {url}"
    bad_handle = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue"})
    bad_number = frozenset({"InvalidParameterValue", "ReadCountOutOfRange"})
    return [
        Part(
            "sqs:ReceiveMessage",
            where,
            lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=TOO_MANY_MESSAGES),
            bad_number,
        ),
        Part("sqs:DeleteMessage", where, lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle=KEY), bad_handle),
        Part(
            "sqs:GetQueueAttributes", where, lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        ),
    ]


def invoke(functions: Any, name: str, alias: str) -> Part:
    """Proves that a function may be invoked through an alias, which the first deployment makes only after the check."""
    return Part(
        "lambda:InvokeFunction",
        f"function {name}:{alias}",
        lambda: functions.invoke(FunctionName=f"{name}:{alias}", InvocationType="DryRun"),
        frozenset({"ResourceNotFoundException"}),
    )

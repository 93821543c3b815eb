"""The parking lot: dead letters that could not be stored in 3 tries, and sending them back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from playlog.domain import timestamps
from playlog.failures.dead_letter import BrokenLetterError, DeadLetter

from playlog_cli.errors import CommandError
from playlog_cli.stacks.queues import queue_depth
from playlog_cli.stacks.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MESSAGES_PER_RECEIVE = 10  # quota of ReceiveMessage
HIDDEN_SECONDS = 30  # long enough to look at the letters, short enough if they cannot be put back
# Short polling asks only some of SQS's servers, and may miss messages: a receive waits at least this long.
RECEIVE_WAIT_SECONDS = 1
POLL_SECONDS = 1.0
# Answers of an endpoint that has no message move tasks.
_UNKNOWN_ACTION_CODES = {"InvalidAction", "UnknownOperation", "UnknownOperationException", "NotImplemented"}


@dataclass(frozen=True)
class ParkedLetter:
    """A letter in the parking lot.

    Attributes:
        message_id: SQS's.
        sent_at: when it was sent first, in UTC.
        match_id: the failed match; None if the message is not a valid dead letter.
        attempt: the number of the failed conversion; None if the message is not a valid dead letter.
        problem: why it is not a valid dead letter; None if it is valid and could not be stored for another reason.
        body: the message itself.
    """

    message_id: str
    sent_at: str
    match_id: str | None
    attempt: int | None
    problem: str | None
    body: str


@dataclass(frozen=True)
class ParkedLetters:
    """The content of the parking lot.

    Attributes:
        total: how many letters, by SQS's approximate count.
        letters: those that were read.
    """

    total: int
    letters: tuple[ParkedLetter, ...]


@dataclass(frozen=True)
class Redriven:
    """The result of a redrive.

    Attributes:
        moved: letters that are in the dead-letter queue again, by SQS's approximate count.
        left: letters that are still parked, by SQS's approximate count.
        by: ``move task`` if SQS itself moved them, ``hand`` if this command did.
    """

    moved: int
    left: int
    by: str


def list_parked(stack: Stack, limit: int) -> ParkedLetters:
    """Looks at letters without removing any.

    Args:
        stack: whose parking lot.
        limit: how many letters at most.
    """
    total = count_parked(stack)
    with _peeked(stack, limit) as messages:
        return ParkedLetters(total, tuple(_letter(message) for message in messages))


def redrive(stack: Stack) -> Redriven:
    """Sends every parked letter back to the dead-letter queue.

    Raises:
        CommandError: SQS's task to move them failed. No letter is lost.
    """
    moved, by = _redrive_by_task(stack), "move task"
    if moved is None:
        moved, by = _redrive_by_hand(stack, count_parked(stack)), "hand"
    return Redriven(moved, count_parked(stack), by)


def _redrive_by_task(stack: Stack) -> int | None:
    """Lets SQS move the letters, and waits until it has done so.

    Returns:
        The number of letters moved; None if the endpoint has no such tasks.
    """
    source = _arn(stack, stack.parking_lot_queue_url)
    try:
        stack.sqs.start_message_move_task(SourceArn=source, DestinationArn=_arn(stack, stack.dead_letter_queue_url))
    except ClientError as error:
        if error.response["Error"]["Code"] in _UNKNOWN_ACTION_CODES:
            return None
        raise
    while True:
        (task,) = stack.sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"]
        if task["Status"] == "COMPLETED":
            return task.get("ApproximateNumberOfMessagesMoved", 0)
        if task["Status"] not in ("RUNNING", "CANCELLING"):
            reason = task.get("FailureReason", "it gives no reason")
            raise CommandError(
                f"SQS's task to move the letters is {task['Status']} ({reason}) after about "
                f"{task.get('ApproximateNumberOfMessagesMoved', 0):,} letters; the others are still parked"
            )
        time.sleep(POLL_SECONDS)


def _redrive_by_hand(stack: Stack, most: int) -> int:
    """Moves letters one by one. A letter is deleted only once the dead-letter queue has it, so that none is lost.

    After a crash between the two calls a letter is in both queues. That is harmless: storing it again changes nothing.

    Args:
        stack: whose letters.
        most: how many letters there were at the start, so that letters which come back meanwhile are not sent again.

    Returns:
        The number of letters moved.
    """
    moved = 0
    while moved < most and (messages := _receive(stack, min(MESSAGES_PER_RECEIVE, most - moved))):
        for message in messages:
            stack.sqs.send_message(QueueUrl=stack.dead_letter_queue_url, MessageBody=message["Body"])
            stack.sqs.delete_message(QueueUrl=stack.parking_lot_queue_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


@contextmanager
def _peeked(stack: Stack, limit: int) -> Iterator[list["MessageTypeDef"]]:
    """Receives letters, and puts them back when the block ends."""
    messages: dict[str, MessageTypeDef] = {}
    try:
        while len(messages) < limit and (batch := _receive(stack, min(MESSAGES_PER_RECEIVE, limit - len(messages)))):
            messages |= {message["MessageId"]: message for message in batch}
        yield list(messages.values())
    finally:
        for message in messages.values():
            stack.sqs.change_message_visibility(
                QueueUrl=stack.parking_lot_queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )


def _receive(stack: Stack, most: int) -> list["MessageTypeDef"]:
    answer = stack.sqs.receive_message(
        QueueUrl=stack.parking_lot_queue_url,
        MaxNumberOfMessages=most,
        VisibilityTimeout=HIDDEN_SECONDS,
        WaitTimeSeconds=RECEIVE_WAIT_SECONDS,
        MessageSystemAttributeNames=["SentTimestamp"],
    )
    return answer.get("Messages", [])


def _letter(message: "MessageTypeDef") -> ParkedLetter:
    match_id = attempt = problem = None
    try:
        letter = DeadLetter.from_json(message["Body"])
        match_id, attempt = letter.match_id, letter.attempt
    except BrokenLetterError as error:
        problem = str(error)
    return ParkedLetter(
        message_id=message["MessageId"],
        sent_at=timestamps.to_text(datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)),
        match_id=match_id,
        attempt=attempt,
        problem=problem,
        body=message["Body"],
    )


def count_parked(stack: Stack) -> int:
    return queue_depth(stack, stack.parking_lot_queue_url).waiting


def _arn(stack: Stack, queue_url: str) -> str:
    return stack.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

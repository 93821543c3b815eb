"""`playlog parking-lot`: dead letters that could not be stored after 3 tries, and their way back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from botocore.exceptions import ClientError
from playlog.domain import timestamps
from playlog.failures.dead_letter import BrokenLetterError, DeadLetter

from playlog_cli.commands.options import AsJson, Profile, Region, StackName, Yes, consented
from playlog_cli.errors import CommandError, shown
from playlog_cli.stacks.stack import DEFAULT_STACK, Stack, find_stack
from playlog_cli.terminal import err, out, print_json

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MESSAGES_PER_RECEIVE = 10  # quota of ReceiveMessage
HIDDEN_SECONDS = 30  # long enough to look at the letters, short enough if they cannot be put back
# Short polling asks some of SQS's servers only, and may find nothing where there is something.
RECEIVE_WAIT_SECONDS = 1
POLL_SECONDS = 1.0
# What an endpoint answers that has no message move tasks.
_UNKNOWN_ACTION_CODES = {"InvalidAction", "UnknownOperation", "UnknownOperationException", "NotImplemented"}

parking_lot_app = typer.Typer(no_args_is_help=True, help="Dead letters that could not be stored after 3 tries.")


@dataclass(frozen=True)
class QueueDepth:
    """Messages of a queue, as SQS counts them: approximately.

    Attributes:
        waiting: that can be received.
        in_flight: that were received and not deleted yet.
        delayed: that cannot be received yet.
    """

    waiting: int
    in_flight: int
    delayed: int


@dataclass(frozen=True)
class ParkedLetter:
    """A letter in the parking lot.

    Attributes:
        message_id: SQS's.
        sent_at: when it was pushed first, in UTC.
        match_id: the match that it tells of; None if it is no dead letter.
        attempt: which conversion of the match failed; None if it is no dead letter.
        problem: why it is no dead letter; None if it is one, and could not be stored for another reason.
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
    """What lies in the parking lot.

    Attributes:
        total: how many letters, by SQS's approximate count.
        letters: those that were looked at.
    """

    total: int
    letters: tuple[ParkedLetter, ...]


@dataclass(frozen=True)
class Redriven:
    """What a redrive did.

    Attributes:
        moved: letters that are in the dead-letter queue again, by SQS's approximate count.
        left: letters that are still parked, by SQS's approximate count.
        by: ``move task`` if SQS itself moved them, ``hand`` if this command did.
    """

    moved: int
    left: int
    by: str


@parking_lot_app.command("list")
def list_command(
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Look at so many letters.")] = 20,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show the letters that could not be stored, and what is wrong with them. None is removed.

    SQS shows letters only by handing them out: while this looks at them, for a second or two, nobody else sees them.
    """
    parked = list_parked(find_stack(stack, region=region, profile=profile), limit)
    if as_json:
        print_json(parked)
    else:
        _show(parked)


@parking_lot_app.command("redrive")
def redrive_command(
    yes: Yes = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Send all letters back to the dead-letter queue, to be stored again: once the cause was mended. Asks first.

    A letter that still cannot be stored comes back after 3 tries.
    """
    this = find_stack(stack, region=region, profile=profile)
    total = _parked(this)
    done = Redriven(0, total, "hand")
    if total and consented(f"Send about {total:,} letters back to the dead-letter queue?", yes=yes, as_json=as_json):
        with err.status(f"moving {total:,} letters ..."):
            done = redrive(this)
    if as_json:
        print_json(done)
    else:
        left = f", {done.left:,} are still parked" if done.left else ""
        out.print(f"{done.moved:,} letters sent back{left}." if total else "The parking lot is empty.")


def queue_depth(stack: Stack, queue_url: str) -> QueueDepth:
    """How many messages a queue holds."""
    attributes = stack.sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )["Attributes"]
    return QueueDepth(
        waiting=int(attributes["ApproximateNumberOfMessages"]),
        in_flight=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(attributes["ApproximateNumberOfMessagesDelayed"]),
    )


def list_parked(stack: Stack, limit: int) -> ParkedLetters:
    """Looks at letters without removing any.

    Args:
        stack: whose parking lot.
        limit: how many letters at most.
    """
    total = _parked(stack)
    with _peeked(stack, limit) as messages:
        return ParkedLetters(total, tuple(_letter(message) for message in messages))


def redrive(stack: Stack) -> Redriven:
    """Sends every parked letter back to the dead-letter queue.

    Raises:
        CommandError: SQS's task to move them did not end well. No letter is lost.
    """
    moved, by = _redrive_by_task(stack), "move task"
    if moved is None:
        moved, by = _redrive_by_hand(stack, _parked(stack)), "hand"
    return Redriven(moved, _parked(stack), by)


def _redrive_by_task(stack: Stack) -> int | None:
    """Has SQS move the letters, and waits until it has.

    Returns:
        How many it moved; None if the endpoint has no such tasks.
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

    One that is sent and, for a crash, not deleted is there twice. That does no harm: storing it again changes nothing.

    Args:
        stack: whose letters.
        most: how many were there at the start: those that come back meanwhile are not sent in circles.

    Returns:
        How many were moved.
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


def _parked(stack: Stack) -> int:
    return queue_depth(stack, stack.parking_lot_queue_url).waiting


def _arn(stack: Stack, queue_url: str) -> str:
    return stack.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _show(parked: ParkedLetters) -> None:
    if not parked.letters:
        out.print(
            "The parking lot is empty." if not parked.total else "All that is parked is being looked at elsewhere."
        )
        return
    out.print(f"{len(parked.letters):,} of about {parked.total:,} letters", style="bold")
    for each in parked.letters:
        what = (
            f"no dead letter: {each.problem}: {shown(each.body)}"
            if each.problem
            else f"match {each.match_id}, attempt {each.attempt}: StoreFailures could not store it; its log says why"
        )
        out.print(f"{each.sent_at} {each.message_id}: {what}", soft_wrap=True)
    out.print("They were hidden while they were looked at, and are back: none was removed.", soft_wrap=True)

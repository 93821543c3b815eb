"""`playlog parking-lot`: no letter is lost by looking at it, nor on its way back."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from playlog.failures.dead_letter import DeadLetter
from playlog_cli.commands.operating.parking_lot import parking_lot_app
from playlog_cli.errors import CommandError
from playlog_cli.failures.parking_lot import list_parked, redrive
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.support.aws import Aws, Request, Send, on, refused
from tests.support.builders import NOW

pytest_plugins = ["tests.support.aws_fixture"]

NO_TASKS = [
    on(operation, refused("InvalidAction", "The action is not valid for this endpoint."))
    for operation in ("StartMessageMoveTask", "ListMessageMoveTasks")
]


@pytest.fixture
def invoke(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("playlog_cli.commands.operating.parking_lot.find_stack", lambda *_, **__: stack)
    return lambda *arguments: CliRunner().invoke(parking_lot_app, list(arguments))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    """Nothing waits for letters to come."""
    monkeypatch.setattr("playlog_cli.failures.parking_lot.RECEIVE_WAIT_SECONDS", 0)
    monkeypatch.setattr("playlog_cli.failures.parking_lot.time", aws.clock)


def letter(match_id: str) -> str:
    return DeadLetter(match_id, 1, "MALFORMED", "it is odd", False, NOW, {}).to_json()


def park(aws: Aws, stack: Stack, *bodies: str) -> None:
    for body in bodies:
        aws.sqs.send_message(QueueUrl=stack.parking_lot_queue_url, MessageBody=body)


def take(aws: Aws, queue_url: str) -> list[str]:
    """Takes all that a queue has to give."""
    batches = iter(lambda: aws.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []), [])
    return sorted(message["Body"] for batch in batches for message in batch)


# --- list ---


def test_what_lies_there_is_shown_with_what_is_wrong_with_it(
    stack: Stack, aws: Aws, invoke: Callable[..., Result]
) -> None:
    park(aws, stack, "hello", letter("m-1"))
    result = json.loads(invoke("list", "--json").stdout)
    assert result["total"] == 2
    by_match = {each["match_id"]: each for each in result["letters"]}
    assert (by_match["m-1"]["attempt"], by_match["m-1"]["problem"]) == (1, None)
    assert by_match[None]["body"] == "hello"
    assert by_match[None]["problem"].startswith("the message is no JSON")
    shown = invoke("list").output
    assert "match m-1, attempt 1: StoreFailures could not store it" in shown
    assert "not a valid dead letter: the message is no JSON" in shown


def test_looking_at_letters_leaves_them_for_the_next(stack: Stack, aws: Aws) -> None:
    bodies = [letter(f"m-{number}") for number in range(25)]
    park(aws, stack, *bodies)
    assert len(list_parked(stack, 100).letters) == 25, "each once"
    assert take(aws, stack.parking_lot_queue_url) == sorted(bodies)


def test_letters_are_put_back_though_looking_at_them_fails(stack: Stack, aws: Aws) -> None:
    park(aws, stack, *(letter(f"m-{number}") for number in range(12)))
    received = 0

    def second_receive_fails(request: Request, send: Send) -> Any:
        nonlocal received
        if request.operation != "ReceiveMessage":
            return None
        received += 1
        return refused("AccessDenied")(request, send) if received == 2 else None

    aws.door.faults = [second_receive_fails]
    with pytest.raises(ClientError):
        list_parked(stack, 100)
    aws.door.faults = []
    assert len(take(aws, stack.parking_lot_queue_url)) == 12


def test_no_more_letters_are_looked_at_than_asked_for(stack: Stack, aws: Aws) -> None:
    park(aws, stack, *(letter(f"m-{number}") for number in range(12)))
    parked = list_parked(stack, 11)
    assert (parked.total, len(parked.letters)) == (12, 11)


def test_an_empty_parking_lot_says_so(invoke: Callable[..., Result]) -> None:
    assert invoke("list").output == "The parking lot is empty.\n"
    result = invoke("redrive")
    assert (result.exit_code, result.output) == (0, "The parking lot is empty.\n")


# --- redrive ---


@pytest.fixture
def by_hand(aws: Aws) -> None:
    """An endpoint that has no message move tasks, like the embedded AWS."""
    aws.door.faults = [*NO_TASKS]


@pytest.mark.usefixtures("by_hand")
def test_letters_go_back_to_the_dead_letter_queue(stack: Stack, aws: Aws, invoke: Callable[..., Result]) -> None:
    bodies = [letter(f"m-{number}") for number in range(25)]
    park(aws, stack, *bodies)
    assert json.loads(invoke("redrive", "--yes", "--json").stdout) == {"moved": 25, "left": 0, "by": "hand"}
    assert take(aws, stack.dead_letter_queue_url) == sorted(bodies)
    assert take(aws, stack.parking_lot_queue_url) == []


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("operation", ["SendMessage", "DeleteMessage"])
def test_a_redrive_that_breaks_off_loses_no_letter(stack: Stack, aws: Aws, operation: str) -> None:
    bodies = [letter(f"m-{number}") for number in range(5)]
    park(aws, stack, *bodies)
    left = 2

    def breaks_off(request: Request, send: Send) -> Any:
        nonlocal left
        left -= request.operation == operation
        return refused("AccessDenied")(request, send) if request.operation == operation and left < 0 else None

    aws.door.faults = [*NO_TASKS, breaks_off]
    with pytest.raises(ClientError):
        redrive(stack)
    aws.door.faults = []
    hidden = aws.sqs.receive_message(QueueUrl=stack.parking_lot_queue_url, MaxNumberOfMessages=10)
    assert "Messages" not in hidden
    attributes = aws.sqs.get_queue_attributes(
        QueueUrl=stack.parking_lot_queue_url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    still_there = int(attributes["ApproximateNumberOfMessagesNotVisible"])
    sent = take(aws, stack.dead_letter_queue_url)
    assert still_there + len(sent) >= len(bodies)
    assert still_there == 3


@pytest.mark.usefixtures("by_hand")
def test_letters_that_come_back_meanwhile_are_sent_once(stack: Stack, aws: Aws) -> None:
    park(aws, stack, "broken", "broken too")

    def comes_back(request: Request, _send: Send) -> None:
        if request.operation == "DeleteMessage":
            park(aws, stack, "broken again")

    aws.door.faults.append(comes_back)
    done = redrive(stack)
    assert (done.moved, done.left) == (2, 2)


@pytest.mark.usefixtures("by_hand")
def test_nothing_is_moved_unasked(stack: Stack, aws: Aws, invoke: Callable[..., Result]) -> None:
    park(aws, stack, letter("m-1"))
    result = invoke("redrive")
    assert isinstance(result.exception, CommandError)
    assert "--yes" in str(result.exception)
    assert take(aws, stack.parking_lot_queue_url) == [letter("m-1")]


@pytest.fixture
def tasks(stack: Stack) -> Iterator[Stubber]:
    """An endpoint that has message move tasks: moto has none that ends."""
    with Stubber(stack.sqs) as stubbed:
        for queue in ("ParkingLotQueue", "DeadLetterQueue"):
            stubbed.add_response("get_queue_attributes", {"Attributes": {"QueueArn": f"arn:{queue}"}})
        start = {"SourceArn": "arn:ParkingLotQueue", "DestinationArn": "arn:DeadLetterQueue"}
        stubbed.add_response("start_message_move_task", {"TaskHandle": "handle"}, start)
        yield stubbed


def add_status(tasks: Stubber, status: str, **more: object) -> None:
    tasks.add_response(
        "list_message_move_tasks", {"Results": [{"Status": status, **more}]}, {"SourceArn": ANY, "MaxResults": 1}
    )


def test_sqs_itself_moves_the_letters_where_it_can(stack: Stack, tasks: Stubber) -> None:
    add_status(tasks, "RUNNING")
    add_status(tasks, "COMPLETED", ApproximateNumberOfMessagesMoved=7)
    depth = ("", "NotVisible", "Delayed")
    left = {"Attributes": {f"ApproximateNumberOfMessages{which}": "0" for which in depth}}
    tasks.add_response("get_queue_attributes", left)
    done = redrive(stack)
    assert (done.moved, done.left, done.by) == (7, 0, "move task")
    tasks.assert_no_pending_responses()


def test_a_move_that_failed_is_an_error_that_says_how_far_it_came(stack: Stack, tasks: Stubber) -> None:
    add_status(tasks, "FAILED", ApproximateNumberOfMessagesMoved=3, FailureReason="AWS.SimpleQueueService.Whatever")
    with pytest.raises(CommandError, match=r"FAILED \(AWS.SimpleQueueService.Whatever\) after about 3 letters"):
        redrive(stack)

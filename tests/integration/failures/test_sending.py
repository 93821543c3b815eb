"""Dead letters on their way into the queue: one that is lost is a match that fails in silence."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.sending import DeadLetterQueue
from playlog.runtime.retry import RequestError, Retry, UnavailableError

from tests.support.aws import Aws, lost_answer, on, refused, taken_but_for, unreachable
from tests.support.builders import NOW

pytest_plugins = ["tests.support.aws_fixture"]


def make_letter(number: int, *, padding: int = 0) -> DeadLetter:
    """A letter about a match of its own; ``padding`` characters make it larger."""
    return DeadLetter(
        match_id=f"m-{number}",
        attempt=1,
        reason_code="INVALID_TIME" if number % 2 else "MISSING_TRACK",
        reason="track_id is absent",
        will_retry=False,
        failed_at=NOW + timedelta(seconds=number),
        match={f"padding-{part}": "x" * 3_000 for part in range(padding // 3_000)},
    )


def push(aws: Aws, *letters: DeadLetter, retry: Retry | None = None) -> DeadLetterQueue:
    """Pushes letters into the stack's queue."""
    queue = DeadLetterQueue(aws.sqs, aws.convert_settings.dead_letter_queue_url, retry or aws.retry_budget())
    for letter in letters:
        queue.add(letter)
    queue.flush()
    return queue


def batches(aws: Aws) -> list[list[str]]:
    """The matches that each batch told of, in the order sent."""
    return [
        [json.loads(entry["MessageBody"])["match_id"] for entry in request.arguments["Entries"]]
        for request in aws.sent("SendMessageBatch")
    ]


def test_every_failure_reaches_the_queue_ten_in_a_request(aws: Aws) -> None:
    letters = [make_letter(number) for number in range(23)]

    queue = push(aws, *letters)

    assert [len(batch) for batch in batches(aws)] == [10, 10, 3]
    taken = sorted((DeadLetter.from_json(text) for text in aws.take_letters()), key=lambda letter: letter.failed_at)
    assert taken == letters
    assert queue.sent == {"INVALID_TIME": 11, "MISSING_TRACK": 12}
    assert (queue.left, queue.error) == (0, None)


def test_nothing_to_push_costs_no_request(aws: Aws) -> None:
    push(aws)

    assert not aws.door.requests


def test_large_letters_go_in_batches_that_the_queue_takes(aws: Aws) -> None:
    letters = [make_letter(number, padding=90_000) for number in range(5)]

    push(aws, *letters)

    assert batches(aws) == [["m-0", "m-1"], ["m-2", "m-3"], ["m-4"]]
    assert len(aws.take_letters()) == 5


def test_of_a_batch_taken_in_part_only_the_rest_goes_again(aws: Aws) -> None:
    odd = taken_but_for(lambda message: int(json.loads(message)["match_id"][2:]) % 2 == 1)
    aws.door.faults.append(on("SendMessageBatch", odd, times=1))

    queue = push(aws, *(make_letter(number) for number in range(6)))

    assert batches(aws) == [["m-0", "m-1", "m-2", "m-3", "m-4", "m-5"], ["m-1", "m-3", "m-5"]]
    assert queue.sent.total() == 6
    assert queue.left == 0


def test_a_letter_that_the_queue_never_takes_is_said_to_be_left(aws: Aws) -> None:
    aws.door.faults.append(on("SendMessageBatch", taken_but_for(lambda message: '"m-3"' in message)))

    queue = push(aws, *(make_letter(number) for number in range(10)))

    assert queue.sent.total() == 9
    assert queue.left == 1


def test_a_batch_whose_answer_was_lost_goes_again(aws: Aws) -> None:
    """A letter may then come twice, which changes nothing; one that never comes would leave its match to wait."""
    aws.door.faults.append(on("SendMessageBatch", lost_answer, times=1))

    queue = push(aws, make_letter(1))

    assert len(aws.take_letters()) == 2
    assert queue.sent.total() == 1


def test_a_queue_that_is_down_is_not_asked_again_by_the_same_run(aws: Aws) -> None:
    aws.door.faults.append(unreachable)
    queue = push(aws, make_letter(0))
    asked = len(aws.sent("SendMessageBatch"))

    for number in range(1, 25):
        queue.add(make_letter(number))
    queue.flush()

    assert isinstance(queue.error, UnavailableError)
    assert "DeadLetterQueue" in str(queue.error)
    assert queue.left == 25
    assert len(aws.sent("SendMessageBatch")) == asked


def test_a_queue_that_refuses_for_good_is_named_and_not_asked_twice(aws: Aws) -> None:
    aws.door.faults.append(refused("AccessDenied", "not authorized to perform: sqs:SendMessage"))

    queue = push(aws, make_letter(1))

    assert isinstance(queue.error, RequestError)
    assert "DeadLetterQueue" in str(queue.error)
    assert "sqs:SendMessage" in str(queue.error)
    assert len(aws.sent("SendMessageBatch")) == 1


def test_no_letter_is_pushed_once_the_time_is_up(aws: Aws) -> None:
    queue = push(aws, make_letter(1), retry=aws.retry_budget(seconds=0))

    assert not aws.door.requests
    assert queue.left == 1


@pytest.mark.parametrize("text", ["Ünïcode ☃ 😀", "\x00\x0b\ufffe\uffff"], ids=["beyond ASCII", "not of XML"])
def test_no_text_of_a_match_is_one_that_the_queue_cannot_take(aws: Aws, text: str) -> None:
    letter = replace(make_letter(1), reason=text, match={"title": text})

    push(aws, letter)

    (message,) = aws.take_letters()
    assert DeadLetter.from_json(message) == letter
    assert message.isascii()

"""Dead letters through the deployed queue and function: a broken one is parked for a person and takes none with it."""

import json
from collections.abc import Iterator

import pytest
from playlog_cli.stacks.stack import Stack

from tests.e2e import tables
from tests.e2e.tables import wait_for
from tests.support.builders import make_item

BROKEN = ("broken: no JSON", json.dumps({"version": 1, "match_id": "broken-letter"}), '{"broken": true}')


@pytest.fixture
def impatient_queue(stack: Stack) -> Iterator[str]:
    """The dead-letter queue, which delivers again after ten seconds what was not stored."""
    url = stack.dead_letter_queue_url
    before = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    stack.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "10"})
    yield url
    stack.sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def test_broken_letters_are_parked_and_the_good_ones_of_their_batch_stored(stack: Stack, impatient_queue: str) -> None:
    these = tables.of(stack)
    ids = ["letter-1", "letter-2"]
    these.put(make_item(match_id, source={"S": "Cinema"}) for match_id in ids)
    good = [letter(match_id) for match_id in ids]
    bodies = [good[0], *BROKEN, good[1], good[0]]

    stack.sqs.send_message_batch(
        QueueUrl=impatient_queue,
        Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)],
    )

    def all_stored() -> bool:
        return all("failed_reason" in these.match(match_id) for match_id in ids)

    wait_for(all_stored, within=30, what="the good letters are stored")
    parked: list[str] = []

    def all_parked() -> bool:
        answer = stack.sqs.receive_message(QueueUrl=stack.parking_lot_queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            parked.append(message["Body"])
            stack.sqs.delete_message(QueueUrl=stack.parking_lot_queue_url, ReceiptHandle=message["ReceiptHandle"])
        return len(parked) >= len(BROKEN)

    wait_for(all_parked, within=120, what="the broken letters are parked")
    assert sorted(parked) == sorted(BROKEN)
    found = these.items()
    attempts = [(each["match_id"]["S"], each["attempt"]["N"]) for each in found.failures]
    assert sorted(each for each in attempts if each[0] in ids) == [(match_id, "1") for match_id in ids]


def test_a_match_whose_attempts_are_no_number_fails_for_that(stack: Stack) -> None:
    """If its letter could not be stored for the same reason, it would wait and fail for ever."""
    these = tables.of(stack)
    these.put([make_item("counts-oddly", attempts={"S": "many"})])

    def run_and_look() -> bool:
        stack.functions.invoke(FunctionName=stack.convert_matches_function, Payload=b"{}")
        return "failed_reason" in these.match("counts-oddly")

    wait_for(run_and_look, within=30, what="the match fails")
    assert these.match("counts-oddly")["attempts"] == {"N": "1"}


def letter(match_id: str) -> str:
    """A dead letter as a run writes it."""
    return json.dumps(
        {
            "version": 1,
            "match_id": match_id,
            "attempt": 1,
            "reason_code": "INVALID_SOURCE",
            "reason": "source is 'Cinema': it must be Radio or Streaming",
            "will_retry": False,
            "failed_at": "2026-03-14T12:00:00.000000+0000",
            "match": {"match_id": match_id, "source": "Cinema"},
        }
    )

"""The dead-letter queue's side of a round: what Lambda does between the queue and StoreFailures, and does badly."""

import importlib.util
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chaos.faults import Fault
from tests.chaos.stack import Stack

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

FUNCTION = Path(__file__).parents[2] / "functions/store_failures/app.py"
BATCH = 10
# A message that was received stays with the postman until it is stored or given back.
VISIBILITY_SECONDS = 600


@dataclass
class Context:
    """What Lambda tells a function of its invocation."""

    milliseconds: int
    function_name: str = "StoreFailures"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:StoreFailures"
    aws_request_id: str = "chaos"

    def get_remaining_time_in_millis(self) -> int:
        """Time that is left: as much as at the start, since an invocation asks once."""
        return self.milliseconds


def handler() -> Callable[[dict[str, Any], Context], Any]:
    """The handler of StoreFailures, from the file that is deployed."""
    specification = importlib.util.spec_from_file_location("store_failures_app", FUNCTION)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    found: Callable[[dict[str, Any], Context], Any] = module.handler
    return found


class Postman:
    """Delivers dead letters, as late, as often and in what order the faults have it.

    Args:
        stack: whose queue it is.
        store_failures: the handler.
        chance: of the round.
        rates: how likely each fault is to befall a letter, 0 to 1.
        count: is told of each that was injected.
    """

    def __init__(
        self,
        stack: Stack,
        store_failures: Callable[[dict[str, Any], Context], Any],
        chance: random.Random,
        rates: dict[Fault, float],
        count: Callable[[Fault], None],
    ) -> None:
        self._stack = stack
        self._store_failures = store_failures
        self._chance = chance
        self._rates = rates
        self._count = count
        self._held: list[MessageTypeDef] = []
        self._parked: list[str] = []

    def deliver(self, milliseconds: int) -> None:
        """Delivers what is in the queue and what was held back before.

        Args:
            milliseconds: the function's time for each batch.
        """
        letters = [*self._held, *self._received()]
        self._held = []
        if len(letters) > 1 and self._befalls(Fault.LETTERS_SHUFFLED):
            self._chance.shuffle(letters)
        on_time: list[MessageTypeDef] = []
        for letter in letters:
            (self._held if self._befalls(Fault.LETTER_LATE) else on_time).append(letter)
        for start in range(0, len(on_time), BATCH):
            self._deliver(on_time[start : start + BATCH], milliseconds)

    def deliver_all(self, milliseconds: int) -> None:
        """Delivers with no more faults until the queue is empty: what cannot be stored is parked by then."""
        self._rates = {}
        while letters := [*self._held, *self._received()]:
            self._held = []
            for start in range(0, len(letters), BATCH):
                self._deliver(letters[start : start + BATCH], milliseconds)

    def parked(self) -> list[str]:
        """The bodies of the letters that came to the parking lot."""
        self._parked += [letter["Body"] for letter in self._received(self._stack.parking_lot)]
        return self._parked

    def _received(self, queue: str = "") -> "Iterable[MessageTypeDef]":
        while letters := self._stack.sqs.receive_message(
            QueueUrl=queue or self._stack.dead_letters,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=VISIBILITY_SECONDS,
        ).get("Messages"):
            yield from letters

    def _deliver(self, letters: "list[MessageTypeDef]", milliseconds: int) -> None:
        records = [
            {
                "messageId": letter["MessageId"],
                "receiptHandle": letter["ReceiptHandle"],
                "body": letter["Body"],
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            for letter in letters
        ]
        answer = self._store_failures({"Records": records}, Context(milliseconds))
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        done: list[str] = []
        for letter in letters:
            if letter["MessageId"] in failed:
                self._stack.sqs.change_message_visibility(
                    QueueUrl=self._stack.dead_letters, ReceiptHandle=letter["ReceiptHandle"], VisibilityTimeout=0
                )
            elif self._befalls(Fault.LETTER_TWICE):
                self._held.append(letter)
            else:
                done.append(letter["ReceiptHandle"])
        if done:
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(done)
            ]
            self._stack.sqs.delete_message_batch(QueueUrl=self._stack.dead_letters, Entries=entries)

    def _befalls(self, fault: Fault) -> bool:
        befalls = self._chance.random() < self._rates.get(fault, 0.0)
        if befalls:
            self._count(fault)
        return befalls

"""push: dead letters into the dead-letter queue, ten at a time."""

from collections import Counter
from typing import TYPE_CHECKING

from playlog.failures.dead_letter import LETTER_BYTES, DeadLetter
from playlog.runtime.retry import RequestError, Retry, UnavailableError
from playlog.runtime.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# Quotas of Amazon SQS: a SendMessageBatch holds at most 10 messages, and as many bytes as a message may have.
BATCH_MESSAGES = 10
BATCH_BYTES = LETTER_BYTES


class DeadLetterQueue:
    """Collects the dead letters of a shard and pushes them in full batches.

    A letter that was not pushed is lost with the run. Its match is not: it waits, and the next run writes a new letter.

    Args:
        sqs: client.
        url: the dead-letter queue.
        retry: the run's patience.

    Attributes:
        pushed: how many letters the queue took, by reason code.
        left: how many it did not take.
        error: why it was asked no more, if so.
    """

    def __init__(self, sqs: "SQSClient", url: str, retry: Retry) -> None:
        self._sqs = sqs
        self._url = url
        self._retry = retry
        self._letters: list[tuple[DeadLetter, str]] = []
        self.pushed: Counter[str] = Counter()
        self.left = 0
        self.error: UnavailableError | RequestError | None = None

    def add(self, letter: DeadLetter) -> None:
        """Takes a letter, and pushes a batch once one is full."""
        message = letter.to_json()
        if sum(len(text) for _, text in self._letters) + len(message) > BATCH_BYTES:
            self.push()
        self._letters.append((letter, message))
        if len(self._letters) == BATCH_MESSAGES:
            self.push()

    def push(self) -> None:
        """Pushes what was taken. Where that fails, plays go on being written, and the error is kept."""
        waiting = dict(enumerate(self._letters))
        self._letters = []
        # After an error the queue is not asked again: each time would cost all of the patience.
        rounds = self._retry.rounds() if self.error is None else ()
        try:
            for _ in rounds:
                if not waiting:
                    break
                self._push(waiting)
        except (UnavailableError, RequestError) as error:
            self.error = error
        if waiting and self.error is None:
            self.error = UnavailableError(f"queue {self._url}: letters that it did not take: {len(waiting)}")
        self.left += len(waiting)

    def _push(self, waiting: dict[int, tuple[DeadLetter, str]]) -> None:
        """Sends a batch, and takes out of it what the queue took: a batch may be taken in part."""
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": message} for number, (_, message) in waiting.items()
        ]
        answer = self._retry.call(
            self._sqs.send_message_batch, f"queue {self._url}", QueueUrl=self._url, Entries=entries
        )
        for taken in answer.get("Successful", []):
            letter, _ = waiting.pop(int(taken["Id"]))
            self.pushed[letter.reason_code] += 1
            logger.warning(
                "failure",
                extra={
                    "match_id": letter.match_id,
                    "attempt": letter.attempt,
                    "reason_code": letter.reason_code,
                    "reason": letter.reason,
                    "will_retry": letter.will_retry,
                },
            )
        for refused in answer.get("Failed", []):
            logger.warning("dead letter not taken", extra={"code": refused["Code"], "error": refused.get("Message")})

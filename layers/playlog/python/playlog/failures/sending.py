"""Send: dead letters to the dead-letter queue, ten at a time."""

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
    """Collects the dead letters of a shard and sends them in full batches.

    A letter that was not sent is lost with the run, but its match still waits: the next run writes a new letter.

    Args:
        sqs: client.
        url: the dead-letter queue.
        retry: the run's retry budget.

    Attributes:
        sent: number of letters that the queue accepted, by reason code.
        left: number of letters that it did not accept.
        error: why no more is sent; None if the queue answers.
    """

    def __init__(self, sqs: "SQSClient", url: str, retry: Retry) -> None:
        self._sqs = sqs
        self._url = url
        self._retry = retry
        self._letters: list[tuple[DeadLetter, str]] = []
        self.sent: Counter[str] = Counter()
        self.left = 0
        self.error: UnavailableError | RequestError | None = None

    def add(self, letter: DeadLetter) -> None:
        """Adds a letter, and sends a batch once it is full."""
        message = letter.to_json()
        if sum(len(text) for _, text in self._letters) + len(message) > BATCH_BYTES:
            self.flush()
        self._letters.append((letter, message))
        if len(self._letters) == BATCH_MESSAGES:
            self.flush()

    def flush(self) -> None:
        """Sends the collected letters. Keeps an error, so that plays are still written."""
        waiting = dict(enumerate(self._letters))
        self._letters = []
        # After an error no more is sent: each try would use the whole retry budget.
        rounds = self._retry.rounds() if self.error is None else ()
        try:
            for _ in rounds:
                if not waiting:
                    break
                self._send(waiting)
        except (UnavailableError, RequestError) as error:
            self.error = error
        if waiting and self.error is None:
            self.error = UnavailableError(f"queue {self._url}: letters that it did not accept: {len(waiting)}")
        self.left += len(waiting)

    def _send(self, waiting: dict[int, tuple[DeadLetter, str]]) -> None:
        """Sends a batch, and removes the letters that the queue accepted: it may accept only some."""
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": message} for number, (_, message) in waiting.items()
        ]
        answer = self._retry.call(
            self._sqs.send_message_batch, f"queue {self._url}", QueueUrl=self._url, Entries=entries
        )
        for accepted in answer.get("Successful", []):
            letter, _ = waiting.pop(int(accepted["Id"]))
            self.sent[letter.reason_code] += 1
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
            logger.warning("dead letter not accepted", extra={"code": refused["Code"], "error": refused.get("Message")})

"""Send: one transaction to DynamoDB."""

import threading
from uuid import uuid4

from playlog.converting.writing import actions
from playlog.converting.writing.answers import Accepted, Answer, Cancelled, Refused
from playlog.converting.writing.planning import Transaction
from playlog.dynamodb.client import Client
from playlog.runtime.retry import RequestError, Retry


class Sender:
    """Sends transactions.

    Args:
        dynamodb: client.
        tables: where to write.
        retry: the run's retry budget.
        has_written: is set once DynamoDB accepted a write in this run.
    """

    def __init__(self, dynamodb: Client, tables: actions.Tables, retry: Retry, has_written: threading.Event) -> None:
        self._dynamodb = dynamodb
        self._tables = tables
        self._retry = retry
        self.has_written = has_written
        self.target = f"tables {tables.play_log} and {tables.match_cache}"

    def send(self, transaction: Transaction) -> Answer:
        """Sends a transaction until DynamoDB answers. The token makes sending it again safe.

        Raises:
            UnavailableError: DynamoDB did not answer within the retry budget.
            RequestError: DynamoDB denies access, or a table does not exist.
        """
        try:
            self._retry.call(
                self._dynamodb.transact_write_items,
                self.target,
                actions=transaction.actions(self._tables),
                token=str(uuid4()),
            )
        except RequestError as error:
            match error.code:
                case "TransactionCanceledException":
                    return Cancelled(error.answer["CancellationReasons"])
                case "ValidationException":
                    return Refused(error.answer["Error"]["Message"])
                case _:
                    raise
        self.has_written.set()
        return Accepted()

"""Idempotent tokens: with them, a request whose answer was lost may be sent again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ConnectionClosedError
from playlog.converting.writing.written import Written
from playlog.runtime.retry import Retry

from tests.dynamodb.conftest import Database
from tests.dynamodb.made import WAITING, Conversion, match, write


@dataclass
class FirstAnswerLost:
    """The first transaction is done, but not heard of."""

    sent: int = 0

    def __call__(self, **_: Any) -> None:
        self.sent += 1
        if self.sent == 1:
            raise ConnectionClosedError(endpoint_url="the answer was lost")


@contextmanager
def losing_first_answer(client: Any) -> Iterator[FirstAnswerLost]:
    """Loses it after it came over the wire."""
    loss = FirstAnswerLost()
    client.meta.events.register("response-received.dynamodb.TransactWriteItems", loss)
    try:
        yield loss
    finally:
        client.meta.events.unregister("response-received.dynamodb.TransactWriteItems", loss)


@pytest.mark.differs("moto", how="takes no notice of the token, and does the request again")
def test_play_whose_answer_was_lost_is_counted_once(database: Database, unique: str, retry: Retry) -> None:
    database.put_match(unique, **WAITING)
    written = Written()

    with losing_first_answer(database.client) as loss:
        write(database.client, database.tables, [match(unique)], written, retry)

    assert (written.matches, written.plays, written.left, written.failures) == (1, 1, 0, [])
    assert loss.sent == 2


@pytest.mark.differs("moto", how="takes no notice of the token, and does the request again")
def test_same_token_with_the_same_request_does_it_once(database: Database, unique: str) -> None:
    database.put_match(unique, **WAITING)
    actions, token = Conversion.of(database.tables, match(unique)).actions, str(uuid4())

    assert database.transact(*actions, token=token) == []
    assert database.transact(*actions, token=token) == []


@pytest.mark.differs("moto", how="takes no notice of the token")
def test_same_token_with_another_request_is_refused_and_writes_nothing(database: Database, unique: str) -> None:
    first, second = match(f"{unique}-1"), match(f"{unique}-2")
    for each in (first, second):
        database.put_match(each.match_id, **WAITING)
    token = str(uuid4())
    assert database.transact(*Conversion.of(database.tables, first).actions, token=token) == []

    refusal = database.refusal(*Conversion.of(database.tables, second).actions, token=token)

    assert refusal == "IdempotentParameterMismatchException"
    assert database.match(second.match_id) == {"match_id": {"S": second.match_id}, **WAITING}


def test_token_of_a_cancelled_request_is_no_answer_for_ever(database: Database, unique: str) -> None:
    actions, token = Conversion.of(database.tables, match(unique)).actions, str(uuid4())
    assert database.codes(*actions, token=token) == ["None", "ConditionalCheckFailed"]
    database.put_match(unique, **WAITING)

    assert database.transact(*actions, token=token) == []

    played = database.match(unique)
    assert played is not None
    assert played["processed"] == {"BOOL": True}

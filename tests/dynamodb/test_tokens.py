"""Idempotent tokens: with them, a request whose answer was lost may be sent again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ConnectionClosedError
from playlog.retry import Retry
from playlog.write import Written

from tests.dynamodb.conftest import Database
from tests.dynamodb.made import WAITING, Conversion, match, write


@dataclass
class LosesFirstAnswer:
    """A client of DynamoDB whose first transaction is done, but not heard of."""

    transact: Callable[..., Any]
    sent: int = 0

    def transact_write_items(self, **request: Any) -> Any:
        self.sent += 1
        answer = self.transact(**request)
        if self.sent == 1:
            raise ConnectionClosedError(endpoint_url="the answer was lost")
        return answer


@pytest.mark.differs("moto", how="takes no notice of the token, and does the request again")
def test_play_whose_answer_was_lost_is_counted_once(database: Database, unique: str, retry: Retry) -> None:
    database.put_match(unique, **WAITING)
    client: Any = LosesFirstAnswer(database.client.transact_write_items)
    written = Written()

    write(client, database.tables, [match(unique)], written, retry)

    assert (written.matches, written.plays, written.left, written.failures) == (1, 1, 0, [])
    assert client.sent == 2


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

"""The tables of template.yaml, made in the engine that the tests ask."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from playlog.converting.writing.actions import Tables
from playlog.domain.match import Item
from playlog.failures.recording import FailureTables, connect
from playlog.runtime.retry import CLIENT_CONFIG, Retry
from playlog_cli.errors import CommandError
from playlog_cli.wiring import built_template

from tests.dynamodb import engines
from tests.dynamodb.dynamodb_local import DynamoDBLocalError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"


def pytest_configure(config: pytest.Config) -> None:
    """Declares the mark of what an engine does otherwise than AWS's own."""
    config.addinivalue_line("markers", "differs(engine, ..., how): what these engines do otherwise than DynamoDB Local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A difference that is known must be there: where an engine has come to agree, its test goes red."""
    try:
        engine = engines.chosen(os.environ)
    except engines.EngineError as error:
        pytest.exit(str(error), returncode=1)
    for item in items:
        for mark in item.iter_markers("differs"):
            if engine in mark.args:
                item.add_marker(pytest.mark.xfail(reason=f"{engine}: {mark.kwargs['how']}", strict=True))


@dataclass(frozen=True)
class Database:
    """The three tables, and the few requests that tests make of them themselves."""

    client: "DynamoDBClient"
    tables: Tables
    failed_play_log: str

    def put_match(self, match_id: str, /, **attributes: Any) -> Item:
        """Writes a match as its writer does."""
        item: Item = {"match_id": {"S": match_id}, **attributes}
        self.client.put_item(TableName=self.tables.match_cache, Item=item)
        return item

    def match(self, match_id: str) -> Item | None:
        """The match as MatchCache holds it."""
        return self._item(self.tables.match_cache, {"match_id": {"S": match_id}})

    def play(self, station_id: str, play_id: str) -> Item | None:
        """The play as PlayLog holds it."""
        return self._item(self.tables.play_log, {"station_id": {"S": station_id}, "play_id": {"S": play_id}})

    def failures(self, match_id: str) -> list[Item]:
        """The failures of a match, the first attempt first."""
        answer: Any = self.client.query(
            TableName=self.failed_play_log,
            KeyConditionExpression="match_id = :id",
            ExpressionAttributeValues={":id": {"S": match_id}},
            ConsistentRead=True,
        )
        return list(answer["Items"])

    def transact(self, *actions: Any, token: str | None = None) -> list[dict[str, Any]]:
        """Sends a transaction.

        Returns:
            Nothing if it was accepted, else the reason for each action.

        Raises:
            ClientError: it was refused as a whole.
        """
        try:
            self.client.transact_write_items(TransactItems=actions, ClientRequestToken=token or str(uuid4()))
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons: Any = error.response["CancellationReasons"]
            return list(reasons)
        return []

    def codes(self, *actions: Any, token: str | None = None) -> list[str]:
        """What ``transact`` returns, the codes alone."""
        return [reason["Code"] for reason in self.transact(*actions, token=token)]

    def refusal(self, *actions: Any, token: str | None = None) -> str | None:
        """The code of the error that refuses a transaction as a whole; None if none does."""
        try:
            self.transact(*actions, token=token)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return None

    def _item(self, table: str, key: Item) -> Item | None:
        answer: Any = self.client.get_item(TableName=table, Key=key, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item


@dataclass
class Letters:
    """A client of SQS that takes every message."""

    taken: list[str] = field(default_factory=list)

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        """Takes a batch."""
        assert QueueUrl
        self.taken += [entry["MessageBody"] for entry in Entries]
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


@pytest.fixture(scope="package")
def database() -> Iterator[Database]:
    """Tables as template.yaml has them, empty at first. What a test writes stays: each uses ids of its own."""
    try:
        with engines.started(engines.chosen(os.environ)):
            client = boto3.client("dynamodb", config=CLIENT_CONFIG)
            names = _make_tables(client, f"playlog-{uuid4()}")
            tables = Tables(names["MatchCacheTable"], names["PlayLogTable"], names["StationGuardTable"])
            yield Database(client, tables, names["FailedPlayLogTable"])
            for name in names.values():
                client.delete_table(TableName=name)
    except (DynamoDBLocalError, CommandError) as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture
def unique() -> str:
    """An id, or the beginning of ids, that no other test uses."""
    return str(uuid4())


@pytest.fixture
def tables(database: Database) -> FailureTables:
    """The tables that ``store`` writes."""
    return connect(database.tables.match_cache, database.failed_play_log)


@pytest.fixture
def retry() -> Retry:
    """The retry budget of a run of a minute."""
    return Retry.within(60_000, seconds_kept=0)


def _make_tables(client: "DynamoDBClient", prefix: str) -> dict[str, str]:
    """Makes the tables of the template.

    Returns:
        Their names by logical id.
    """
    template = built_template.load(TEMPLATE)
    names = {}
    for table in template.of_type("AWS::DynamoDB::Table"):
        properties = template.value(table.properties)
        wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        name = names[table.logical_id] = f"{prefix}-{table.logical_id}"
        client.create_table(TableName=name, **{part: properties[part] for part in wanted if part in properties})
        client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return names

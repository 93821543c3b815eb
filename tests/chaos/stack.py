"""The tables and queues of the template in an embedded AWS, without the rest of the stack: made anew for each round."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
import yaml
from botocore.config import Config
from playlog_cli.embedded import ministack
from playlog_cli.embedded import session as sessions
from playlog_cli.embedded.session import REGION, Server

from tests.support.invariants import Item, Tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import WriteRequestTypeDef
    from mypy_boto3_sqs import SQSClient

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
MATCH_CACHE, PLAY_LOG, FAILED_PLAY_LOG = "MatchCacheTable", "PlayLogTable", "FailedPlayLogTable"
STATION_GUARD = "StationGuardTable"
_TABLES = (MATCH_CACHE, PLAY_LOG, FAILED_PLAY_LOG, STATION_GUARD)
# What the template says of a table and CreateTable takes.
_OF_A_TABLE = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
_CONFIG = Config(retries={"total_max_attempts": 1}, parameter_validation=False, read_timeout=30)


class _Template(yaml.SafeLoader):
    """Reads a template whose short tags, like !Ref, come to nothing: tables and queues need none of them here."""


_Template.add_multi_constructor("!", lambda _loader, _tag, _node: None)


class Stack:
    """The tables and queues, and a way to them that no fault befalls.

    Args:
        server: the embedded AWS.

    Attributes:
        dynamodb: client.
        sqs: client.
        dead_letters: URL of the queue.
        parking_lot: URL of the queue.
        expired: matches as they were when they were deleted because they had expired.
    """

    def __init__(self, server: Server) -> None:
        session = boto3.Session("test", "test", region_name=REGION)
        self.dynamodb: DynamoDBClient = session.client("dynamodb", endpoint_url=server.endpoint, config=_CONFIG)
        self.sqs: SQSClient = session.client("sqs", endpoint_url=server.endpoint, config=_CONFIG)
        resources = yaml.load(TEMPLATE.read_text(), _Template)["Resources"]
        self._properties: dict[str, dict[str, Any]] = {
            name: resources[name]["Properties"] for name in (*_TABLES, "DeadLetterQueue")
        }
        self.dead_letters = self.parking_lot = ""
        self.expired: list[Item] = []

    def renew(self, suffix: str) -> None:
        """Makes the tables and queues anew, empty.

        Args:
            suffix: of the queues' names: SQS gives a name again a minute after its queue was deleted.
        """
        self.expired.clear()
        there = self.dynamodb.list_tables()["TableNames"]
        for name in _TABLES:
            if name in there:
                self.dynamodb.delete_table(TableName=name)
            definition = {key: self._properties[name][key] for key in _OF_A_TABLE if key in self._properties[name]}
            self.dynamodb.create_table(TableName=name, **definition)
        for url in filter(None, (self.dead_letters, self.parking_lot)):
            self.sqs.delete_queue(QueueUrl=url)
        self.parking_lot = self.sqs.create_queue(QueueName=f"parking-lot-{suffix}")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.parking_lot, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        tries = self._properties["DeadLetterQueue"]["RedrivePolicy"]["maxReceiveCount"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": tries})
        self.dead_letters = self.sqs.create_queue(
            QueueName=f"dead-letters-{suffix}", Attributes={"RedrivePolicy": redrive}
        )["QueueUrl"]

    def put(self, table: str, items: Sequence[Item]) -> None:
        """Puts items as something else than playlog does."""
        for start in range(0, len(items), 25):
            requests: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            self.dynamodb.batch_write_item(RequestItems={table: requests})

    def expire(self, chance: random.Random) -> None:
        """Deletes some matches that expire: DynamoDB may do so at any time after they were played.

        Args:
            chance: which ones.
        """
        for match in self._scan(MATCH_CACHE):
            if "expires_at" in match and chance.random() < 0.5:
                self.dynamodb.delete_item(TableName=MATCH_CACHE, Key={"match_id": match["match_id"]})
                self.expired.append(match)

    def scan(self) -> Tables:
        """All that the tables hold, and the matches that have expired: at one instant, if nothing is being written."""
        return Tables([*self._scan(MATCH_CACHE), *self.expired], self._scan(PLAY_LOG), self._scan(FAILED_PLAY_LOG))

    def _scan(self, table: str) -> list[Item]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [cast("Item", item) for page in pages for item in page["Items"]]


@contextmanager
def embedded_aws(name: str) -> Iterator[Server]:
    """An embedded AWS with nothing in it, which lives as long as the block.

    Args:
        name: of its session: there is one of a name at a time in a checkout.

    Raises:
        CommandError: the session is taken, or the embedded AWS did not start.
    """
    session = sessions.session(name)
    with sessions.claimed(session):
        ministack.install(session)
        with ministack.served(session) as server:
            ministack.wait_until_ready(session, server)
            yield server

"""The template's tables in DynamoDB Local. The embedded AWS takes a second for a query of an index of many items."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import boto3
from playlog_cli.stacks.stack import Stack
from playlog_cli.wiring import built_template

from bench.measure import ROOT
from tests.dynamodb.dynamodb_local import dynamodb_local

ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
PARTS = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


@contextmanager
def stack_of_tables() -> Iterator[Stack]:
    """A stack that has tables alone, and empty ones. It lives as long as the block."""
    with dynamodb_local() as endpoint:
        os.environ[ENDPOINT] = endpoint
        try:
            stack = _stack()
            template = built_template.load(ROOT / "template.yaml")
            for table in template.of_type("AWS::DynamoDB::Table"):
                properties = template.value(table.properties)
                parts = {part: properties[part] for part in PARTS if part in properties}
                stack.dynamodb.create_table(TableName=table.logical_id, **parts)
            yield _stack()  # whose clients are not made yet
        finally:
            del os.environ[ENDPOINT]


def _stack() -> Stack:
    return Stack(
        name="bench",
        session=boto3.Session("test", "test", region_name=built_template.REGION),
        match_cache_table="MatchCacheTable",
        play_log_table="PlayLogTable",
        failed_play_log_table="FailedPlayLogTable",
        dead_letter_queue_url="",
        parking_lot_queue_url="",
        convert_matches_function="",
        store_failures_function="",
        shards=8,
        default_duration=timedelta(minutes=3),
        flag_below_confidence=Decimal(0),
    )

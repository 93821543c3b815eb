"""The stack in memory, as a command sees it."""

from functools import cache

import boto3
from playlog.runtime.settings import ConvertSettings, StoreSettings
from playlog_cli.stacks.stack import Stack
from playlog_cli.wiring import built_template

from tests.support.aws import Aws


def stack_in_memory(aws: Aws) -> Stack:
    """The stack of template.yaml.

    Args:
        aws: holds its tables.
    """
    parking_lot = aws.sqs.create_queue(QueueName="ParkingLotQueue")["QueueUrl"]
    return _stack(aws.convert_settings, aws.store_settings, parking_lot)


@cache
def _stack(convert: ConvertSettings, store: StoreSettings, parking_lot: str) -> Stack:
    """One for all tests, since to make its clients takes longer than a test."""
    return Stack(
        name="playlog",
        session=boto3.Session("test", "test", region_name=built_template.REGION),
        match_cache_table=convert.match_cache_table,
        play_log_table=convert.play_log_table,
        failed_play_log_table=store.failed_play_log_table,
        dead_letter_queue_url=convert.dead_letter_queue_url,
        parking_lot_queue_url=parking_lot,
        convert_matches_function="ConvertMatchesFunction",
        store_failures_function="StoreFailuresFunction",
        shards=convert.unprocessed_shards,
        default_duration=convert.default_duration,
        flag_below_confidence=convert.flag_below_confidence,
    )

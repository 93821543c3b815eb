"""StoreFailures: stores dead letters as FailedPlayLog items, each with the new state of its match."""

import os
from functools import cache, partial
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from playlog.checking.check import check_store, is_check
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import SECONDS_KEPT, connect, store
from playlog.runtime.retry import CLIENT_CONFIG, Retry
from playlog.runtime.settings import StoreSettings
from playlog.runtime.telemetry import logger

# Even if all letters of a batch fail, the answer is partial: each letter goes back to the queue by itself.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


# At the first event, not at import: a wrong setting is then an error of the invocation.
tables_of = cache(connect)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Stores the dead letters of a batch, each by itself.

    Args:
        event: a batch of messages of the dead-letter queue.
        context: Lambda's.

    Returns:
        The messages that could not be stored. The queue delivers them again. After 3 tries they are parked.
    """
    if is_check(event):
        return check_store(os.environ, partial(boto3.client, config=CLIENT_CONFIG))
    settings = StoreSettings.from_environment(os.environ)
    tables = tables_of(settings.match_cache_table, settings.failed_play_log_table)
    retry = Retry.within(context.get_remaining_time_in_millis(), seconds_kept=SECONDS_KEPT)

    def store_record(record: SQSRecord) -> None:
        try:
            letter = DeadLetter.from_json(record.body)
            stored = store(letter, tables, retry)
        except Exception as error:
            logger.error("dead letter not stored", extra={"message_id": record.message_id, "error": str(error)})
            raise
        facts = {"match_id": letter.match_id, "attempt": letter.attempt, "reason_code": letter.reason_code}
        logger.info("dead letter stored" if stored else "dead letter changes nothing", extra=facts)

    return process_partial_response(event=event, record_handler=store_record, processor=processor, context=context)

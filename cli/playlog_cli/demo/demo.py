"""The steps of the demo: deploy into an embedded AWS, load the sample day, convert it, and stop again."""

import time
from pathlib import Path

from boto3.dynamodb.types import TypeDeserializer

from playlog_cli.demo.show import Demo, Steps, StepUnderWay
from playlog_cli.demo.summary import Item, Summary, summarise
from playlog_cli.embedded import ministack
from playlog_cli.embedded.session import claimed, session
from playlog_cli.errors import CommandError
from playlog_cli.loading.load import load_files
from playlog_cli.stacks.convert import convert
from playlog_cli.stacks.stack import Stack, find_stack

SAMPLE = "samples/airplay.csv"
STORE_SECONDS = 60.0  # the dead letters of the sample day take a few
POLL_SECONDS = 0.25


def demo(steps: Steps) -> Demo:
    """Deploys the stack into an embedded AWS, converts the sample day there, and stops it again.

    Args:
        steps: shows each step.

    Raises:
        CommandError: a tool or a run failed, or a row of the sample day could not be loaded.
        BotoCoreError, ClientError: the embedded AWS refused a call.
    """
    began = time.monotonic()
    used = session("demo")
    with claimed(used):
        with steps.step("installing SAM and MiniStack, which takes a minute the first time") as step:
            ministack.install(used)
            step.did = "installed SAM and MiniStack"
        with ministack.served(used) as server:
            with steps.step("building the template and starting MiniStack") as step:
                ministack.build(used)
                ministack.wait_until_ready(used, server)
                step.did = f"built the template, started MiniStack on {server.endpoint}"
            with steps.step("deploying the stack") as step:
                ministack.deploy(used, server, {})
                step.did = "deployed the stack: tables, functions, queues, schedule, roles"
            with ministack.spoken_to(server):
                summary = _convert_sample_day(find_stack(), used.checkout / SAMPLE, steps)
            with steps.step("stopping MiniStack") as step:
                ministack.stop(used)
                step.did = "stopped MiniStack"
    return Demo(steps.taken, round(time.monotonic() - began, 3), summary)


def _convert_sample_day(stack: Stack, sample: Path, steps: Steps) -> Summary:
    with steps.step(f"loading {SAMPLE}") as step:
        loaded = _load(stack, sample, step)
        step.did = f"loaded {loaded:,} matches of {SAMPLE}"
    with steps.step("converting the waiting matches") as step:
        created = _convert_all(stack)
        step.did = f"converted them into {created:,} plays"
    with steps.step("storing the dead letters as failures") as step:
        _wait_until_stored(stack, step)
        failures = _items(stack, stack.failed_play_log_table)
        step.did = f"stored {len(failures):,} dead letters as failures"
    matches, plays = _items(stack, stack.match_cache_table), _items(stack, stack.play_log_table)
    return summarise(loaded, matches, plays, failures, stack.shards)


def _load(stack: Stack, sample: Path, step: StepUnderWay) -> int:
    result = load_files(stack, [sample], lambda file: step.progress(file.bytes_read, file.bytes_total))
    if not result.ok:
        raise CommandError(f"{SAMPLE} could not be loaded whole: make it again, with `make samples`")
    return sum(each.added for each in result.files)


def _convert_all(stack: Stack) -> int:
    """Runs the converter until no waiting match can be converted. Returns the number of new plays."""
    plays = 0
    while True:
        run = convert(stack)
        plays += run.plays
        if not (run.waiting and run.processed):
            return plays


def _wait_until_stored(stack: Stack, step: StepUnderWay) -> None:
    """Returns when no match waits, or after ``STORE_SECONDS``. The summary says what still waits then."""
    deadline = time.monotonic() + STORE_SECONDS
    total = _waiting(stack)
    while (waiting := _waiting(stack)) and time.monotonic() < deadline:
        step.progress(total - waiting, total)
        time.sleep(POLL_SECONDS)


def _waiting(stack: Stack) -> int:
    pages = stack.dynamodb.get_paginator("scan").paginate(
        TableName=stack.match_cache_table, IndexName="unprocessed-index", Select="COUNT"
    )
    return sum(page["Count"] for page in pages)


def _items(stack: Stack, table: str) -> list[Item]:
    """All items of a table, read consistently: the table is small, and the reads cost nothing here."""
    read = TypeDeserializer().deserialize
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]

"""The site on a stack in memory, and a browser that has been let in."""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.domain.validation import validate
from playlog.failures.dead_letter import DeadLetter
from playlog_cli.stacks.stack import Stack
from playlog_cli.web.desk import Desk
from playlog_cli.web.gate import ENTRY, Keys
from playlog_cli.web.site import site

from tests.support.aws import Aws
from tests.support.builders import NOW
from tests.support.site_client import HOST, Client

WHO = "arn:aws:iam::123456789012:user/ada"
Fail = Callable[..., None]


@pytest.fixture
def keys() -> Keys:
    """The secrets of the server."""
    return Keys()


@pytest.fixture
def read_only() -> bool:
    """Whether the server is started with --read-only. A test may say otherwise."""
    return False


@pytest.fixture
def client(stack: Stack, keys: Keys, read_only: bool) -> Client:
    """A browser that has been let in."""
    desk = Desk(stack, keys.csrf, read_only=read_only, zone=ZoneInfo("UTC"), now=lambda: NOW, who=lambda: WHO)
    made = Client(site(desk, HOST, keys))
    made.get(f"{ENTRY}?token={keys.token}")
    return made


@pytest.fixture
def fail(aws: Aws) -> Fail:
    """Puts matches that have failed, each with its record."""

    def put(*matches: Item) -> None:
        for match in matches:
            failure = validate(match, now=NOW, default_duration=timedelta(minutes=3))
            assert isinstance(failure, Failure)
            letter = DeadLetter.of(failure, max_attempts=3, now=NOW)
            item = {name: value for name, value in match.items() if name != "unprocessed_shard"}
            aws.put({**item, "failed_reason": {"S": letter.reason}, "attempts": {"N": "1"}})
            aws.dynamodb.put_item(
                TableName=aws.store_settings.failed_play_log_table,
                Item={
                    "match_id": match["match_id"],
                    "attempt": {"N": "1"},
                    "reason_code": {"S": letter.reason_code},
                    "reason": {"S": letter.reason},
                    "will_retry": {"BOOL": False},
                    "failed_at": {"S": "2026-03-14T08:00:00.000000+0000"},
                    "match": {"M": item},
                },
            )

    return put

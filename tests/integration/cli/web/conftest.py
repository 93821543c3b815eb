"""The site on a stack in memory, and a browser that has been let in."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from playlog_cli.catalog.entry import Catalog
from playlog_cli.stacks.stack import Stack
from playlog_cli.web.access.gate import Keys
from playlog_cli.web.access.tickets import ENTRY, Tickets
from playlog_cli.web.desk import Desk
from playlog_cli.web.site import site

from tests.support.aws import Aws
from tests.support.builders import NOW
from tests.support.site.client import HOST, Client
from tests.support.site.failed import put_failed

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
def zone() -> str:
    """The time zone of the page. A test may say otherwise."""
    return "UTC"


@pytest.fixture
def catalog() -> Catalog | None:
    """The names of the tracks. A test may say otherwise."""
    return None


@pytest.fixture
def client(stack: Stack, keys: Keys, read_only: bool, zone: str, catalog: Catalog | None) -> Client:
    """A browser that has been let in."""
    secrets = keys.home, keys.csrf
    desk = Desk(
        stack, *secrets, read_only=read_only, zone=ZoneInfo(zone), now=lambda: NOW, who=lambda: WHO, catalog=catalog
    )
    tickets = Tickets(lambda _: None)
    made = Client(site(desk, HOST, keys, tickets), keys.home)
    made.get(f"{ENTRY}?token={tickets.issue()}")
    return made


@pytest.fixture
def fail(aws: Aws) -> Fail:
    """Puts matches that have failed, each with its record."""

    tables = aws.convert_settings.match_cache_table, aws.store_settings.failed_play_log_table
    return lambda *matches: put_failed(aws.dynamodb, *tables, *matches)

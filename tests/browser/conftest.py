"""The operators' page on a deployed stack with the sample day, and a browser that was let in."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playlog_cli.embedded.ministack import deployed
from playlog_cli.loading.load import load_files
from playlog_cli.stacks.convert import convert
from playlog_cli.stacks.stack import Stack, find_stack
from playwright.sync_api import Browser, Page

from tests.browser.driving import CHROMIUM, Site, chromium, let_in, served, wait_until_nothing_waits
from tests.support.aws import ROOT

# The runs are the tests' own.
PARAMETERS = {"ScheduleExpression": "rate(365 days)"}
WRONG_SOURCES = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips these tests on a machine without Chromium. In CI they fail there."""
    if CHROMIUM or os.environ.get("CI"):
        return
    reason = "this machine has no Chromium: install Debian's package `chromium` to run the browser tests"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The deployed stack with the sample day, and 300 matches that name a source that does not exist."""
    wrong = tmp_path_factory.mktemp("matches") / "wrong.csv"
    rows = (
        f"wrong-{number:03},2026-03-14T{number // 60:02}:{number % 60:02}:00Z,fm-9,track-{number % 7},radio"
        for number in range(WRONG_SOURCES)
    )
    wrong.write_text("match_id,matched_at,station_id,track_id,source\n" + "\n".join(rows) + "\n")
    with deployed("browser", PARAMETERS):
        stack = find_stack()
        load_files(stack, [ROOT / "samples/airplay.csv", wrong], lambda _file: None)
        while convert(stack).processed:
            pass
        wait_until_nothing_waits(stack)
        yield stack


@pytest.fixture(scope="session")
def site(stack: Stack) -> Iterator[Site]:  # noqa: ARG001 - it is in the environment
    """The page as a person starts it."""
    with served("--no-browser") as site:
        yield site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    """A browser that was let in. The test fails if the page asked elsewhere, or if the policy refused a part of it."""
    with let_in(site, browser) as page:
        yield page
    assert site.errors == []
    assert site.elsewhere == []

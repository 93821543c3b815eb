"""`playlog web` as a process, and Chromium with its eyes on what the page requests."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playlog_cli.stacks.stack import Stack
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from playwright.sync_api import Request as Asked

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Site:
    """A running `playlog web`.

    Attributes:
        process: the server.
        entry: the address that lets the next browser in.
        home: what the address of each page begins with; empty until a browser was let in.
        errors: what the browser reported, such as a script that the policy refused.
        elsewhere: requests to another server.
    """

    process: subprocess.Popen[str]
    entry: str = ""
    home: str = ""
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.entry)
        return f"{parts.scheme}://{parts.netloc}"

    def read_entry(self) -> None:
        """Reads the next address that the server prints."""
        assert self.process.stdout
        address = None
        while address is None:
            line = self.process.stdout.readline()
            assert line, "playlog web ended"
            address = re.search(r"http://127\.0\.0\.1:\d+/\S+", line)
        self.entry = address[0]

    def let_in(self, page: Page) -> None:
        """Opens the address, which is good once, and waits for the overview."""
        page.goto(self.entry)
        page.wait_for_url(re.compile(r"/$"))
        self.home = page.url.rstrip("/")
        self.read_entry()

    def watch(self, page: Page) -> None:
        """Notes what a page's browser reports and where it sends requests."""

        def said(message: ConsoleMessage) -> None:
            if message.type == "error" and "status of 4" not in message.text:
                self.errors.append(message.text)

        def asked(request: Asked) -> None:
            if not request.url.startswith((self.origin, "data:")):
                self.elsewhere.append(request.url)

        page.on("console", said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", asked)


def wait_until_nothing_waits(stack: Stack) -> None:
    """Returns once StoreFailures has stored every failure."""
    deadline = time.monotonic() + 120
    while stack.dynamodb.scan(TableName=stack.match_cache_table, IndexName="unprocessed-index", Select="COUNT")[
        "Count"
    ]:
        assert time.monotonic() < deadline, "failures are not stored"
        time.sleep(0.5)


@contextmanager
def served(*options: str, environment: dict[str, str] | None = None) -> Iterator[Site]:
    """`playlog web` as a process, on the stack of the environment."""
    command = [str(Path(sys.executable).with_name("playlog")), "web", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    try:
        site = Site(process)
        site.read_entry()
        yield site
    finally:
        process.terminate()
        process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, without a window."""
    assert CHROMIUM, f"CI needs Chromium, as one of {', '.join(NAMES)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def let_in(site: Site, browser: Browser) -> Iterator[Page]:
    """A browser of its own, with the session's cookie."""
    context = browser.new_context()
    try:
        page = context.new_page()
        site.watch(page)
        site.let_in(page)
        yield page
    finally:
        context.close()

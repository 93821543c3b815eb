"""Nobody but the person who started the page gets in, and data cannot act in it."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

import pytest
from playlog_cli.stacks.stack import Stack
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import Site, let_in, served

SCRIPT = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>\"'`{{7*7}}"


def ask(site: Site, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(site.entry).netloc)
    connection.putrequest("GET", path, skip_host=True)
    for name, value in {"Host": urlsplit(site.entry).netloc, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_nothing_is_shown_without_the_token(site: Site, browser: Browser) -> None:
    assert ask(site, "/failures") == 403
    assert ask(site, "/enter?token=wrong") == 403
    context = browser.new_context()
    page = context.new_page()
    assert page.goto(f"{site.origin}/failures").status == 403  # type: ignore[union-attr]
    context.close()


def test_a_name_that_was_rebound_to_loopback_is_refused(site: Site) -> None:
    assert ask(site, "/failures", Host="attacker.example:80") == 421


class Attack(BaseHTTPRequestHandler):
    """A page of another origin that sends a form to the operators' page."""

    target: ClassVar[str]
    cookies: ClassVar[list[str | None]]

    def do_GET(self) -> None:
        """Sends the page."""
        self.cookies.append(self.headers["Cookie"])
        fields = {"id": "wrong-290", "source": "Radio", "retry": "1", "csrf": "guess", "digest": "x"}
        inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
        body = f'<form method="post" action="{self.target}">{inputs}</form><script>document.forms[0].submit()</script>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        """Takes a form, as a page of the attacker's own."""
        self.cookies.append(self.headers["Cookie"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Writes nothing."""


@pytest.fixture
def attacker() -> Iterator[str]:
    """Address of a page of another origin on this machine."""
    Attack.cookies = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Attack) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def victim(site: Site, browser: Browser) -> Iterator[Page]:
    """A browser with the session's cookie, which may go elsewhere."""
    context = browser.new_context()
    page = context.new_page()
    site.let_in(page)
    yield page
    context.close()


def test_a_form_of_another_site_changes_nothing(stack: Stack, site: Site, victim: Page, attacker: str) -> None:
    key = {"match_id": {"S": "wrong-290"}}
    before = stack.dynamodb.get_item(TableName=stack.match_cache_table, Key=key)["Item"]
    Attack.target = f"{site.home}/failures/match"  # more than an attacker knows

    with victim.expect_response(Attack.target) as answer:
        victim.goto(attacker)

    assert answer.value.status == 403
    assert stack.dynamodb.get_item(TableName=stack.match_cache_table, Key=key)["Item"] == before


def test_a_server_on_another_port_of_this_machine_gets_no_cookie(site: Site, victim: Page, attacker: str) -> None:
    Attack.target = f"{attacker}again"
    with victim.expect_response(Attack.target):
        victim.goto(attacker)
    victim.wait_for_load_state()

    assert victim.goto(f"{site.home}/failures").status == 200  # type: ignore[union-attr]
    assert len(Attack.cookies) > 1
    assert set(Attack.cookies) == {None}


def test_the_token_is_not_on_the_command_line_of_the_browser_and_lets_one_in(
    stack: Stack,  # noqa: ARG001 - it is in the environment
    browser: Browser,
    tmp_path: Path,
) -> None:
    opened, program = tmp_path / "opened", tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    program.chmod(0o700)
    with served(environment={"HOME": str(tmp_path), "BROWSER": str(program)}) as site:
        context = browser.new_context()
        page = context.new_page()
        while not opened.exists():
            page.wait_for_timeout(20)
        (address,) = opened.read_text().split()
        file = Path(urlsplit(address).path)
        assert "token=" not in address
        assert (file.stat().st_mode & 0o777, file.parent) == (0o600, tmp_path)
        token = file.read_text().partition("token=")[2].partition('"')[0]

        page.goto(address)
        page.wait_for_url(f"{site.origin}/*/")

        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        assert not file.exists()
        assert ask(site, f"/enter?token={token}") == 403
        context.close()


def test_markup_in_every_attribute_is_text(stack: Stack, site: Site, page: Page) -> None:
    names = ("track_id", "station_id", "station_program_id", "source", "title", "artist", "album", "label", "isrc")
    match = {
        "match_id": {"S": SCRIPT},
        "matched_at": {"S": SCRIPT},
        "failed_reason": {"S": SCRIPT},
        SCRIPT: {"S": SCRIPT},
        "attempts": {"N": "1"},
        **{name: {"S": SCRIPT} for name in names},
    }
    stack.dynamodb.put_item(TableName=stack.match_cache_table, Item=match)
    stack.dynamodb.put_item(
        TableName=stack.failed_play_log_table,
        Item={
            "match_id": {"S": SCRIPT},
            "attempt": {"N": "1"},
            "reason_code": {"S": "INVALID_TIME"},
            "reason": {"S": SCRIPT},
            "will_retry": {"BOOL": False},
            "failed_at": {"S": "2026-03-14T08:00:00.000000+0000"},
            "stored_at": {"S": "2026-03-14T08:00:01.000000+0000"},
            "match": {"M": match},
        },
    )
    page.goto(f"{site.home}/failures?reason=INVALID_TIME")
    page.get_by_role("link", name=SCRIPT).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(SCRIPT)
    page.get_by_label("title").fill(SCRIPT + "!")
    expect(page.locator("#verdict")).to_contain_text("would fail again")

    assert page.evaluate("window.hacked") is None
    for path in ("/plays/day?day=2026-03-14&", "/plays/track?"):
        page.goto(f"{site.home}{path}{urlencode({'station': SCRIPT, 'track': SCRIPT})}")
        assert page.evaluate("window.hacked") is None


@pytest.mark.usefixtures("stack")
def test_a_read_only_page_refuses_changes_on_the_server(browser: Browser) -> None:
    with served("--no-browser", "--read-only") as site, let_in(site, browser) as page:
        page.goto(f"{site.home}/failures/match?id=wrong-291")
        expect(page.get_by_role("button", name="Save and retry")).to_be_disabled()
        page.evaluate("document.querySelectorAll('button[disabled]').forEach(b => b.disabled = false)")
        page.get_by_label("source").fill("Radio")
        with page.expect_response(f"{site.home}/failures/match") as answer:
            page.get_by_role("button", name="Save and retry").click()

        assert answer.value.status == 403

"""Nobody but the user's own page gets in: not another site, not another program that lacks a token."""

import pytest
from playlog_cli.web.access.gate import COOKIE, Gate, Keys
from playlog_cli.web.access.tickets import ENTRY, Tickets
from starlette.responses import PlainTextResponse

from tests.support.site.client import HOST, Answer, Client

KEYS = Keys(home="/a-path-that-is-random")


@pytest.fixture
def used() -> list[str]:
    """The tokens that let a browser in."""
    return []


@pytest.fixture
def tickets(used: list[str]) -> Tickets:
    """The tokens of the server."""
    return Tickets(used.append)


@pytest.fixture
def client(tickets: Tickets) -> Client:
    """A browser that has not been let in."""
    return Client(Gate(PlainTextResponse("the page"), HOST, KEYS, tickets), KEYS.home)


def enter(client: Client, tickets: Tickets, **headers: str) -> Answer:
    return client.get(f"{ENTRY}?token={tickets.issue()}", **headers)


@pytest.fixture
def inside(client: Client, tickets: Tickets) -> Client:
    """A browser that has."""
    assert enter(client, tickets).status == 200
    return client


def test_a_token_is_exchanged_for_a_cookie_that_scripts_and_other_sites_do_not_get(
    client: Client, tickets: Tickets
) -> None:
    token = tickets.issue()
    answer = client.get(f"{ENTRY}?token={token}")
    assert answer.status == 200
    assert f'content="0; url={KEYS.home}/"' in answer.text
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert token not in cookie
    assert client.get("/").text == "the page"


def test_the_cookie_is_sent_to_no_path_that_another_server_knows(client: Client, tickets: Tickets) -> None:
    cookie = enter(client, tickets).headers["set-cookie"]
    assert f"Path={KEYS.home};" in f"{cookie};"
    assert Keys().home != Keys().home
    assert len(Keys().home) > 20


def test_a_token_lets_one_browser_in_once(client: Client, tickets: Tickets, used: list[str]) -> None:
    token, other = tickets.issue(), tickets.issue()
    statuses = [client.get(f"{ENTRY}?token={each}").status for each in (token, token, other, other)]
    assert statuses == [200, 403, 200, 403]
    assert used == [token, other]


@pytest.mark.parametrize("path", ["/", ENTRY])
def test_a_token_is_not_taken_from_a_form(client: Client, tickets: Tickets, path: str) -> None:
    answer = client.post(f"{path}?token={tickets.issue()}", {})
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_the_file_that_a_browser_is_opened_with_leads_in(client: Client, tickets: Tickets, site: str) -> None:
    assert enter(client, tickets, sec_fetch_site=site, sec_fetch_mode="navigate").status == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/static/page.css", ENTRY, f"{ENTRY}?token=", f"{ENTRY}?token=wrong", f"{ENTRY}?token=%ff", "/?token="],
)
def test_without_a_token_there_is_nothing(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status, "the page" in answer.text) == (403, False)


def test_a_cookie_of_an_earlier_run_is_refused(client: Client) -> None:
    client.cookies[COOKIE] = Keys().session
    assert client.get("/").status == 403


@pytest.mark.parametrize("home", ["", "/", "/failures", "/a-path-that-is-random2", "/a-path", "/é"])
def test_the_cookie_alone_opens_no_page(inside: Client, home: str) -> None:
    inside.home = home
    assert inside.get("/").status == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example:8500", "localhost:8500", "localhost.evil:8500", "[::1]:8500", "127.0.0.1", "127.0.0.1:80", ""],
)
def test_a_rebound_name_is_refused(inside: Client, tickets: Tickets, host: str) -> None:
    assert inside.get("/", host=host).status == 421
    assert enter(inside, tickets, host=host).status == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1:8500", "null"])
def test_another_origin_is_refused_also_with_the_cookie(inside: Client, origin: str) -> None:
    assert inside.post("/", {}, origin=origin).status == 403
    assert inside.get("/", origin=origin).status == 403


def test_a_change_without_an_origin_is_refused(inside: Client) -> None:
    assert inside.post("/", {}, origin="").status == 403
    assert inside.post("/", {}).status == 200


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
def test_another_site_is_refused_also_another_port_of_this_machine(inside: Client, site: str, status: int) -> None:
    assert inside.get("/", sec_fetch_site=site).status == status


@pytest.mark.parametrize("path", ["/", "/nothing", ENTRY])
def test_each_answer_forbids_inline_scripts_and_foreign_frames(client: Client, path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'self'" in policy

"""Nobody but the user's own page gets in: not another site, not another program that lacks the token."""

import pytest
from playlog_cli.web.gate import ENTRY, Gate, Keys
from starlette.responses import PlainTextResponse

from tests.support.site.client import HOST, Client

KEYS = Keys()


@pytest.fixture
def client() -> Client:
    """A browser that has not been let in."""
    return Client(Gate(PlainTextResponse("the page"), HOST, KEYS))


@pytest.fixture
def inside(client: Client) -> Client:
    """A browser that has."""
    assert client.get(f"{ENTRY}?token={KEYS.token}").status == 303
    return client


def test_the_token_is_exchanged_for_a_cookie_that_scripts_and_other_sites_do_not_get(client: Client) -> None:
    answer = client.get(f"{ENTRY}?token={KEYS.token}")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert KEYS.token not in cookie
    assert client.get("/").text == "the page"


@pytest.mark.parametrize(
    "path", ["/", "/static/page.css", ENTRY, f"{ENTRY}?token=", f"{ENTRY}?token=wrong", "/?token="]
)
def test_without_the_token_there_is_nothing(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status, "the page" in answer.text) == (403, False)


def test_a_cookie_of_an_earlier_run_is_refused(client: Client) -> None:
    client.cookies["playlog-8500"] = Keys().session
    assert client.get("/").status == 403


@pytest.mark.parametrize("host", ["evil.example:8500", "localhost:8500", "127.0.0.1", "127.0.0.1:80", ""])
def test_a_rebound_name_is_refused(inside: Client, host: str) -> None:
    assert inside.get("/", host=host).status == 421
    assert inside.get(f"{ENTRY}?token={KEYS.token}", host=host).status == 421


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


@pytest.mark.parametrize("path", ["/", "/nothing"])
def test_each_answer_forbids_inline_scripts_and_foreign_frames(client: Client, path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'self'" in policy

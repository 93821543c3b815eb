"""Whatever a request holds, the answer is a sentence: never a defect, never a file of the machine."""

import json
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playlog_cli.failures.paging import Cursor
from playlog_cli.web.access.gate import HEADERS, Keys
from playlog_cli.web.addresses import LARGEST_BODY
from playlog_cli.web.site import ROUTES

from tests.integration.cli.plays.test_edits import put_play
from tests.integration.cli.web.conftest import Fail
from tests.support.aws import Aws, on, refused
from tests.support.builders import make_item
from tests.support.site.client import HOST, Answer, Client, previewed

pytest_plugins = ["tests.support.aws_fixture"]

TV = {"source": {"S": "TV"}}
AT = "2026-03-14T08:00:00.000000+0000"
LONG = "x" * 2049
PATHS = [route.path for route in ROUTES]
FORM = "application/x-www-form-urlencoded"


def is_refused(answer: Answer, sentence: str) -> bool:
    return (answer.status, sentence in answer.text) == (400, True)


def cursor(**values: Any) -> str:
    place = {"failed_at": AT, "reason_code": "INVALID_SOURCE", "match_id": "m-1", "attempt": "1"} | values
    return urlsafe_b64encode(json.dumps(place).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        cursor(reason_code="NONE"),
        cursor(reason_code=7),
        cursor(match_id={"S": "m"}),
        cursor(attempt=1),
        cursor(failed_at="0001-01-01T00:00:00+00:01"),
        cursor(more=1),
        urlsafe_b64encode(b"[" * 100_000).decode(),
        "é",
        "=",
    ],
    ids=lambda text: text[:90],
)
def test_a_forged_page_of_failures_is_said(client: Client, fail: Fail, text: str) -> None:
    fail(make_item("m-1", **TV), make_item("m-2", track_id={"S": " "}))
    assert is_refused(client.get(f"/failures?after={quote(text)}"), "begin with the newest failures")


def test_a_page_before_the_first_instant_is_the_end(client: Client, fail: Fail) -> None:
    fail(make_item("m-1", **TV), make_item("m-2", track_id={"S": " "}))
    first = Cursor("0001-01-01T00:00:00.000000+0000", "INVALID_SOURCE", "m-1", "1")
    assert client.get(f"/failures?after={quote(first.text)}").status == 200


def place_of_a_track() -> str:
    values = {"station_id": "station-1", "play_id": "p", "track_id": "other", "played_at": AT}
    return urlsafe_b64encode(json.dumps({name: {"S": value} for name, value in values.items()}).encode()).decode()


@pytest.mark.parametrize("text", ["x", "bnVsbA==", urlsafe_b64encode(b"[" * 100_000).decode()], ids=["x", "null", "["])
def test_a_forged_page_of_a_track_is_said(aws: Aws, client: Client, text: str) -> None:
    put_play(aws)
    assert is_refused(client.get(f"/plays/track?track=track-1&after={quote(text)}"), "begin with the newest plays")


@pytest.mark.parametrize(
    "path", [f"/failures?after={quote(cursor(attempt='one'))}", f"/plays/track?track=t&after={place_of_a_track()}"]
)
def test_a_place_that_an_index_cannot_have_is_said(aws: Aws, client: Client, fail: Fail, path: str) -> None:
    fail(make_item("m-1", **TV))
    invalid = "The provided starting key is invalid"
    aws.door.faults.append(on("Query", refused("ValidationException", invalid, where="ExclusiveStartKey")))
    assert is_refused(client.get(path), "begin with the newest")


@pytest.mark.parametrize("query", ["step=" + "9" * 5000, "step=-1", "step=²", "after=" + LONG, "after=%ff", "%ff=1"])
def test_a_forged_step_of_a_search_is_no_defect(aws: Aws, client: Client, query: str) -> None:
    put_play(aws)
    assert client.get(f"/plays/matches?station=s&play=p&{query}").status in (200, 400)


@pytest.mark.parametrize("path", ["/parking-lot?moved=", "/overview/plays?from="])
@pytest.mark.parametrize("number", ["9" * 5000, "-1", "²", "", "x"])
def test_a_forged_number_is_no_defect(client: Client, path: str, number: str) -> None:
    assert client.get(path + quote(number)).status == 200


@pytest.mark.parametrize("key", ["", LONG, "é" * 1025])
def test_an_id_that_no_item_can_have_is_said(aws: Aws, client: Client, keys: Keys, key: str) -> None:
    for operation in ("GetItem", "BatchGetItem", "Query"):  # moto takes such a key, and DynamoDB does not
        aws.door.faults.append(on(operation, refused("ValidationException", where=json.dumps(key))))
    text = quote(key)
    assert is_refused(client.get(f"/failures/match?id={text}"), "no match")
    assert is_refused(client.get(f"/plays/play?station={text}&play=p"), "no play")
    assert is_refused(client.get(f"/plays/play?station=s&play={text}"), "no play")
    assert is_refused(client.post("/failures/match", {"csrf": keys.csrf, "id": text}), "no such match")
    edit = {"csrf": keys.csrf, "station": text, "play": text, "edit": "flag"}
    assert is_refused(client.post("/plays/edit", edit), "no play")
    preview = {"csrf": keys.csrf, "scope": "ticked", "match": text, "attribute": "source", "value": "Radio"}
    assert "there is no such match" in previewed(client, preview).text
    assert client.get(f"/plays/track?track={text}").status == (200 if key else 400)
    assert client.get(f"/plays/day?station={text}").status == (200 if key else 400)


def test_a_form_that_is_too_large_is_refused(client: Client, keys: Keys) -> None:
    answer = client.post("/failures/verdict", [("csrf", keys.csrf), *(("id", "x" * 999) for _ in range(2000))])
    assert (answer.status, f"{LARGEST_BODY:,} bytes" in answer.text) == (413, True)


def test_a_form_of_too_many_fields_is_refused(client: Client, keys: Keys) -> None:
    answer = client.post("/failures/preview", [("csrf", keys.csrf), *(("match", "") for _ in range(5000))])
    assert is_refused(answer, "Too many fields")


def part(more: str, value: bytes) -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="csrf"' + more.encode() + b"\r\n\r\n" + value + b"\r\n--x--"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"csrf": "%s", "id": "m-1"}'),
        ("text/plain", b"csrf=%s&id=m-1"),
        ("multipart/form-data", b"csrf=%s"),
        ("multipart/form-data; boundary=x; charset=utf-7", part("", b"+2AA-")),  # half a surrogate pair
        ("multipart/form-data; boundary=x", part('; filename="f"', b"%s")),
        (FORM, b"csrf=%%ff%%00&id=m-1"),
        (FORM, b"csrf=wrong&csrf=%s&csrf=wrong"),
        ("", b"csrf=%s"),
    ],
)
def test_a_form_of_another_kind_is_refused(client: Client, keys: Keys, kind: str, body: bytes) -> None:
    sent = body.replace(b"%%", b"%").replace(b"%s", keys.csrf.encode())
    answer = client.ask("POST", "/failures/match", sent, origin=f"http://{HOST}", content_type=kind)
    assert answer.status in (400, 403)


def test_the_secret_of_another_session_is_refused(client: Client) -> None:
    assert client.post("/plays/edit", {"csrf": Keys().csrf}).status == 403
    assert client.post("/plays/edit", {}, x_csrf_token=Keys().csrf).status == 403


@pytest.mark.parametrize("path", PATHS)
def test_another_method_changes_nothing_and_is_told_the_right_one(client: Client, path: str) -> None:
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "X"):
        answer = client.ask(method, path, origin=f"http://{HOST}")
        assert (answer.status, answer.headers["allow"] != "") == (405, True)
        assert HEADERS.items() <= {name.title(): value for name, value in answer.headers.items()}.items()


@pytest.mark.parametrize("path", sorted({*PATHS} - {route.path for route in ROUTES if "GET" in (route.methods or ())}))
def test_a_form_is_not_taken_from_an_address(client: Client, keys: Keys, path: str) -> None:
    assert client.get(f"{path}?{urlencode({'csrf': keys.csrf, 'id': 'm-1'})}").status == 405
    assert client.ask("HEAD", path).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/static/../gate.py",
        "/static/..%2f..%2fsite.py",
        "/static/%2e%2e/desk.py",
        "/static/..%5c..%5csite.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/page.css%00.html",
        "/static/" + "x" * 5000,
        "/static/" + "../" * 20 + "etc/passwd",
        "/static",
        "/static/",
    ],
)
def test_no_file_beside_the_static_ones_is_served(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status in (307, 404, 405)
    assert "root:" not in answer.text


def test_a_defect_is_said_with_the_headers_of_every_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_it(*_: object) -> None:
        raise ZeroDivisionError("secret of the data")

    monkeypatch.setattr("playlog_cli.web.pages.plays.stations_of", break_it)
    answer = client.get("/plays")
    assert (answer.status, "ZeroDivisionError: this is a defect" in answer.text) == (500, True)
    assert "secret of the data" not in answer.text
    assert list(map(type, client.defects)) == [ZeroDivisionError]  # which uvicorn shows on the terminal
    assert HEADERS.items() <= {name.title(): value for name, value in answer.headers.items()}.items()


@pytest.mark.parametrize("path", ["/failures/match", "/reports"])
def test_a_browser_that_goes_away_is_no_defect(client: Client, path: str) -> None:
    client.ask("POST", path, None, origin=f"http://{HOST}", content_type=FORM)
    assert client.defects == []

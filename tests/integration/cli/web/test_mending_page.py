"""A wrong value is found, corrected and retried in the page; nothing is written that the user has not seen."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from playlog_cli.loading.track_ids import artist_title_id
from playlog_cli.web.access.gate import Keys

from tests.integration.cli.web.conftest import WHO, Fail
from tests.support.aws import Aws
from tests.support.builders import make_item
from tests.support.site.client import Client

pytest_plugins = ["tests.support.aws_fixture"]

TV = {"source": {"S": "TV"}}
MARKUP = "\u202e\n<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}"


def form_of(page: str, keys: Keys, **typed: str) -> dict[str, str]:
    """The fields of the form as the page holds them, with what a user typed."""
    found = {
        name: unescape(value)
        for name, value in re.findall(r'<input (?:type="hidden" )?name="(\w+)" value="([^"]*)"', page)
    }
    assert found["csrf"] == keys.csrf
    return found | typed


def open_match(client: Client, match_id: str = "m-1") -> str:
    answer = client.get(f"/failures/match?{urlencode({'id': match_id})}")
    assert answer.status == 200
    return answer.text


def test_a_failure_is_listed_corrected_and_retried_in_one_step(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV))
    assert "source is &#39;TV&#39;" in client.get("/failures").text
    answer = client.post("/failures/match", form_of(open_match(client), keys, source="Radio", retry="1"))
    assert answer.status == 303
    match = aws.match("m-1")
    assert (match["source"], "unprocessed_shard" in match, "failed_reason" in match) == ({"S": "Radio"}, True, False)
    page = client.get(answer.headers["location"]).text
    assert "Saved. The match waits again" in page
    assert WHO in page


def test_the_verdict_follows_what_is_typed_and_changes_nothing(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV))
    before = aws.match("m-1")
    form = form_of(open_match(client), keys)
    assert (
        "would fail again: source is &#39;Rad&#39;" in client.post("/failures/verdict", form | {"source": "Rad"}).text
    )
    assert "Valid then. source: TV → Radio" in client.post("/failures/verdict", form | {"source": "Radio"}).text
    assert "must be a number" in client.post("/failures/verdict", form | {"duration_seconds": "3 min"}).text
    assert aws.match("m-1") == before


def test_a_match_without_a_track_is_told_the_track_id_that_a_log_with_its_names_has(
    client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", track_id={"S": " "}, title={"S": "Jóga"}))
    form = form_of(open_match(client), keys)
    named = artist_title_id("Björk", "Jóga")
    assert "has the track_id" not in client.post("/failures/verdict", form).text
    assert f"<code>{named}</code>" in client.post("/failures/verdict", form | {"artist": "BJÖRK"}).text
    by_isrc = client.post("/failures/verdict", form | {"artist": "BJÖRK", "isrc": "us-ab1-23-45678"}).text
    assert "<code>USAB12345678</code>" in by_isrc
    mended = client.post("/failures/verdict", form | {"artist": "BJÖRK", "track_id": named}).text
    assert "Valid then." in mended
    assert "has the track_id" not in mended


def test_of_two_people_who_correct_the_same_match_the_second_sees_the_first(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV))
    page = open_match(client)
    assert client.post("/failures/match", form_of(page, keys, source="Streaming")).status == 303
    answer = client.post("/failures/match", form_of(page, keys, source="Radio", retry="1"))
    assert answer.status == 409
    assert "changed meanwhile" in answer.text
    assert 'name="source" value="Radio"' in answer.text
    assert aws.match("m-1")["source"] == {"S": "Streaming"}
    assert "unprocessed_shard" not in aws.match("m-1")


@pytest.mark.parametrize("path", ["/failures/match", "/failures/verdict"])
@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_forged_form_is_refused(aws: Aws, client: Client, fail: Fail, keys: Keys, path: str, token: str) -> None:
    fail(make_item("m-1", **TV))
    before = aws.match("m-1")
    assert client.post(path, form_of(open_match(client), keys, source="Radio") | {"csrf": token}).status == 403
    assert aws.match("m-1") == before


@pytest.mark.parametrize("read_only", [True])
def test_a_read_only_server_refuses_a_write_that_the_page_does_not_offer(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV))
    before = aws.match("m-1")
    form = form_of(open_match(client), keys, source="Radio")
    assert client.post("/failures/match", form).status == 403
    assert client.post("/failures/verdict", form).status == 200
    assert aws.match("m-1") == before


def test_markup_and_control_characters_of_data_are_shown_and_not_obeyed(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    names = ("track_id", "station_id", "source", "title", "artist", "label", "note")
    fail(make_item(MARKUP, **{name: {"S": f"{MARKUP}\u202e"} for name in names}))
    for page in (client.get("/failures").text, open_match(client, MARKUP)):
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "\u202e" not in page
        assert "49" not in page.replace("&#34;", "")
    assert client.post("/failures/match", form_of(open_match(client, MARKUP), keys, source="Radio")).status == 303
    match = aws.match(MARKUP)
    assert (match["source"], match["title"]) == ({"S": "Radio"}, {"S": f"{MARKUP}\u202e"})  # only what was changed


def test_an_unknown_match_and_a_wrong_filter_are_said(client: Client) -> None:
    answer = client.get("/failures/match?id=m-9")
    assert (answer.status, "no match &#39;m-9&#39;" in answer.text) == (400, True)
    answer = client.get("/failures?since=yesterday")
    assert (answer.status, "it must be a time like" in answer.text) == (400, True)
    assert client.get("/nothing").status == 404


@pytest.mark.parametrize("zone", ["Asia/Tokyo"])
def test_corrections_and_attempts_are_in_the_time_zone_of_the_page(client: Client, fail: Fail, keys: Keys) -> None:
    fail(make_item("m-1", **TV))
    client.post("/failures/match", form_of(open_match(client), keys, source="Radio", retry="1"))
    page = open_match(client)
    assert "When, Asia/Tokyo" in page
    assert "2026-03-14 21:00:00 Asia/Tokyo, final" in page
    assert ">2026-03-14 21:00:00</td>" in page


@pytest.mark.parametrize(
    ("attribute", "mark"),
    [
        ({"track_id": {"S": " "}}, "track_id <b>missing</b>"),
        ({"track_id": {"NULL": True}}, "track_id <b>missing</b>"),
        ({"track_id": {"N": "7"}}, "track_id <b>wrong</b>"),
        ({"source": {"S": "TV"}}, "source <b>wrong</b>"),
    ],
)
def test_a_value_that_is_missing_is_not_called_wrong(
    client: Client, fail: Fail, attribute: dict[str, dict[str, object]], mark: str
) -> None:
    fail(make_item("m-1", **attribute))
    assert mark in open_match(client)

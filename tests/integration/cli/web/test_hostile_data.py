"""No id, time or value that a table can hold breaks a page, and each comes back from the page as it is."""

import re
from html import unescape
from urllib.parse import quote

import pytest
from playlog_cli.web.access.gate import Keys

from tests.integration.cli.plays.test_edits import put_play
from tests.integration.cli.web.conftest import Fail
from tests.integration.cli.web.test_mending_page import form_of
from tests.support.aws import Aws
from tests.support.builders import make_item
from tests.support.site.client import Client, previewed

pytest_plugins = ["tests.support.aws_fixture"]

IDS = [
    "a\r\nb",
    "\u202ertl",
    "q\"'<&>{{7*7}}",
    "100%25",
    "a+b c",
    " blank ",
    "nul\x00",
    "é\u0301",
    "\x1b]0;x\x07",
]
TV = {"source": {"S": "TV"}}


def links_of(page: str, path: str) -> list[str]:
    return [unescape(each) for each in re.findall(rf'href="([^"]*{path}\?[^"]*)"', page)]


def encoded(text: str) -> str:
    return quote(text, errors="surrogatepass")


@pytest.mark.parametrize("match_id", IDS)
def test_a_match_of_any_id_is_found_and_corrected(
    aws: Aws, client: Client, fail: Fail, keys: Keys, match_id: str
) -> None:
    fail(make_item(match_id, **TV))
    (link,) = links_of(client.get("/failures").text, "/failures/match")
    page = client.get(link)
    assert page.status == 200
    answer = client.post("/failures/match", form_of(page.text, keys, source="Radio", retry="1"))
    assert answer.status == 303
    assert "waits again" in client.get(answer.headers["location"]).text
    assert aws.match(match_id)["source"] == {"S": "Radio"}


def test_ticked_matches_of_any_id_are_previewed(client: Client, fail: Fail, keys: Keys) -> None:
    fail(*(make_item(each, **TV) for each in IDS))
    ticks = re.findall(r'name="match" value="([^"]*)"', client.get("/failures").text)
    form = [("csrf", keys.csrf), ("scope", "ticked"), ("attribute", "source"), ("value", "Radio")]
    page = previewed(client, [*form, *(("match", unescape(each)) for each in ticks)]).text
    assert f"Correct source of {len(IDS)} matches?" in page


@pytest.mark.parametrize("station", IDS)
def test_a_play_of_any_key_is_found_and_withdrawn(aws: Aws, client: Client, keys: Keys, station: str) -> None:
    play_id = f"2026-03-14T07:00:00.000000+0000#{station}"
    put_play(aws, station_id={"S": station}, play_id={"S": play_id}, track_id={"S": station})
    (day, *_) = links_of(client.get("/plays").text, "/plays/day")
    links = {
        *links_of(client.get(day).text, "/plays/play"),
        *links_of(client.get(f"/plays/track?track={encoded(station)}").text, "/plays/play"),
    }
    (link,) = links
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', client.get(link).text)
    answer = client.post("/plays/edit", {name: unescape(value) for name, value in fields} | {"edit": "withdraw"})
    assert answer.status == 303, answer.text
    assert "withdrawn: it counts nowhere" in client.get(answer.headers["location"]).text
    assert aws.plays()[0]["active"] == {"BOOL": False}
    assert keys.csrf in dict(fields).values()


@pytest.mark.parametrize("code", ["ODD\u202eCODE", "A\r\nB", "50%25"])
def test_a_filter_by_a_code_of_any_characters_stays_when_another_filter_is_added(
    aws: Aws, client: Client, fail: Fail, code: str
) -> None:
    fail(make_item("m-1", **TV))
    table = aws.store_settings.failed_play_log_table
    (record,) = aws.dynamodb.scan(TableName=table)["Items"]
    aws.dynamodb.put_item(TableName=table, Item={**record, "attempt": {"N": "2"}, "reason_code": {"S": code}})
    page = client.get(f"/failures?reason={encoded(code)}").text
    ((name, value),) = re.findall(r'<input type="hidden" name="(code|reason)" value="([^"]*)">\s*<label>Station', page)
    assert "attempt 2" in client.get(f"/failures?{name}={encoded(unescape(value))}&text=m-").text


def test_what_was_typed_is_kept_as_it_is_when_the_form_is_shown_again(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV))
    title = '\u200f\u05e9\u05dc\u05d5\u05dd\u200e "quoted" <b>'
    form = form_of(client.get("/failures/match?id=m-1").text, keys, title=title, duration_seconds="long")
    again = client.post("/failures/match", form)
    assert again.status == 400
    client.post("/failures/match", form_of(again.text, keys, duration_seconds="180"))
    assert aws.match("m-1")["title"] == {"S": title}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
@pytest.mark.parametrize("start", ["0001-01-01T00:00:00.000000+0000", "9999-12-31T23:59:59.999999+0000", "no time"])
def test_the_first_and_the_last_day_that_there_are_break_no_page(aws: Aws, client: Client, start: str) -> None:
    play_id = {"S": f"{start}#t"}
    put_play(
        aws,
        station_id={"S": "s"},
        play_id=play_id,
        start_time={"S": start},
        stop_time={"S": start},
        track_id={"S": "t"},
    )
    aws.put(make_item("m-1", station_id={"S": "s"}, matched_at={"S": start}, play_id=play_id))
    play = f"station=s&play={encoded(play_id['S'])}"
    for path in (f"/plays/play?{play}", f"/plays/matches?{play}", "/plays/track?track=t", "/plays/day?station=s"):
        assert client.get(path).status == 200, path


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\u202e", '" onload="x', "{{7*7}}", "a b"])
def test_the_name_of_an_attribute_is_text(client: Client, fail: Fail, name: str) -> None:
    fail(make_item("m-1", **TV, **{name: {"M": {name: {"L": [{"S": name}]}}}}))
    page = client.get("/failures/match?id=m-1")
    assert page.status == 200
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text
    assert '" onload="' not in page.text
    assert "49" not in page.text.replace("&#34;", "").replace("&#39;", "")

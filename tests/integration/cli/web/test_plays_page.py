"""A station's day, a track and a play are shown, and a play is edited there."""

import re
from urllib.parse import urlencode

import pytest
from playlog_cli.web.access.gate import Keys

from tests.integration.cli.plays.test_edits import KEY, put_play
from tests.integration.cli.web.conftest import WHO
from tests.support.aws import Aws
from tests.support.builders import make_item
from tests.support.site.client import Client

pytest_plugins = ["tests.support.aws_fixture"]

PLAY = urlencode({"station": KEY.station_id, "play": KEY.play_id})
MARKUP = "<script>alert(1)</script>\u202e"


def test_a_day_shows_plays_with_the_names_of_their_matches(aws: Aws, client: Client) -> None:
    put_play(aws)
    aws.put(make_item("m-station-1-0", title={"S": MARKUP}, artist={"S": "The Band"}))
    page = client.get("/plays/day?station=station-1&day=2026-03-14").text
    assert "<b>1</b> plays" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e, The Band</a>" in page
    assert "<script>alert" not in page
    assert "Nothing was heard" in client.get("/plays/day?station=station-1&day=2026-03-15").text
    assert "station-1</a>" in client.get("/plays").text


def test_a_play_is_withdrawn_and_restored_in_the_page(aws: Aws, client: Client, keys: Keys) -> None:
    put_play(aws)
    form = {"csrf": keys.csrf, "station": KEY.station_id, "play": KEY.play_id}
    answer = client.post("/plays/edit", form | {"edit": "withdraw"})
    assert answer.status == 303
    page = client.get(answer.headers["location"]).text
    assert "withdrawn: it counts nowhere" in page
    assert WHO in page
    assert aws.plays()[0]["active"] == {"BOOL": False}
    assert client.post("/plays/edit", form | {"edit": "withdraw"}).status == 409
    assert client.post("/plays/edit", form | {"edit": "restore"}).status == 303
    assert aws.plays()[0]["active"] == {"BOOL": True}


@pytest.mark.parametrize("read_only", [True])
def test_a_read_only_server_edits_no_play(aws: Aws, client: Client, keys: Keys) -> None:
    put_play(aws)
    before = aws.plays()
    form = {"csrf": keys.csrf, "station": KEY.station_id, "play": KEY.play_id, "edit": "flag"}
    assert client.post("/plays/edit", form).status == 403
    assert aws.plays() == before


def test_a_track_and_the_matches_of_a_play_are_shown(aws: Aws, client: Client) -> None:
    put_play(aws)
    aws.put(make_item("m-station-1-0", play_id={"S": KEY.play_id}))
    assert "2026-03-14 07:00:00</a>" in client.get("/plays/track?track=track-1").text
    assert "no play of this track" in client.get("/plays/track?track=nope").text
    assert "m-station-1-0</a>" in client.get(f"/plays/matches?{PLAY}").text


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/plays/day?station=", "name a station"),
        ("/plays/day?station=s&day=today", "it must be a date like"),
        ("/plays/track?track=", "name a track"),
        ("/plays/track?track=t&after=x", "begin with the newest"),
        ("/plays/play?station=s&play=p", "has no play"),
    ],
)
def test_what_cannot_be_shown_is_said(client: Client, path: str, problem: str) -> None:
    answer = client.get(path)
    assert (answer.status, problem in answer.text) == (400, True)


def test_a_day_without_plays_leads_to_the_last_day_that_has_some(aws: Aws, client: Client) -> None:
    put_play(aws)
    put_play(aws, minute=5)
    page = client.get("/plays/day?station=station-1&day=2026-05-01").text
    assert 'station=station-1&amp;day=2026-03-14">2026-03-14</a>' in page
    assert "has no plays" in client.get("/plays/day?station=nobody&day=2026-05-01").text


def test_a_station_is_kept_when_another_day_is_chosen(aws: Aws, client: Client) -> None:
    put_play(aws, station=MARKUP)
    page = client.get(f"/plays/day?{urlencode({'station': MARKUP, 'day': '2026-05-01'})}").text
    key = re.findall(r'name="key" value="([^"]+)"', page)[0]
    assert "<b>1</b> plays" in client.get(f"/plays/day?{urlencode({'key': key, 'day': '2026-03-14'})}").text


@pytest.mark.parametrize("zone", ["Asia/Tokyo"])
def test_times_of_plays_and_matches_are_in_the_time_zone_of_the_page(aws: Aws, client: Client) -> None:
    put_play(aws)
    aws.put(make_item("m-station-1-0", play_id={"S": KEY.play_id}))
    day = client.get("/plays/day?station=station-1&day=2026-03-14").text
    assert "16:00:00 to 16:00:50 Asia/Tokyo" in day
    matches = client.get(f"/plays/matches?{PLAY}").text
    assert "Heard at, Asia/Tokyo" in matches
    assert ">2026-03-14 16:00:00</td>" in matches
    assert "UTC" not in day + matches

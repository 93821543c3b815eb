"""Overview, reports and parking lot: each part answers, and every form is refused without its secret."""

import re
import time

import pytest
from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.stacks.stack import Stack
from playlog_cli.web.access.gate import Keys
from playlog_cli.web.site import ROUTES

from tests.integration.cli.plays.test_edits import put_play
from tests.support.aws import Aws
from tests.support.builders import NOW, make_item
from tests.support.site.client import Client

pytest_plugins = ["tests.support.aws_fixture"]

CHANGES = ["/failures/match", "/failures/apply", "/plays/edit", "/parking-lot/look", "/parking-lot/redrive"]
FORMS = [route.path for route in ROUTES if "POST" in (route.methods or ())]


def wait(client: Client, address: str) -> str:
    for _ in range(400):
        page = client.get(address).text
        if "hx-trigger" not in page:
            return page
        time.sleep(0.02)
    raise AssertionError(page)


def test_what_waits_is_counted_with_its_age(aws: Aws, client: Client) -> None:
    aws.put(make_item("m-1"), make_item("m-2"))
    page = client.get("/overview/backlog").text
    assert "<b>2</b> matches wait" in page
    assert "the oldest was heard 5 h ago" in page


def test_plays_of_today_stand_beside_the_week_before(aws: Aws, client: Client) -> None:
    put_play(aws)
    page = client.get("/overview/plays").text
    assert re.search(r"station-1</a> <b>1</b> <span[^>]*>of 0 by 12:00", page)
    assert f"today, {NOW:%Y-%m-%d}" in page


def test_a_report_is_made_and_its_files_are_downloaded(aws: Aws, client: Client, keys: Keys) -> None:
    put_play(aws, duration_seconds={"N": "50"})
    form = {"csrf": keys.csrf, "start": "2026-03-01", "end": "2026-04-01", "by": "track"}
    answer = client.post("/reports", form)
    assert answer.status == 303
    page = wait(client, answer.headers["location"])
    key = re.findall(r"/reports/page\?id=([\w-]+)", page)[0]
    made = client.get(f"/reports/page?id={key}")
    assert "track-1" in made.text
    assert "sandbox" in made.headers["content-security-policy"]
    csv = client.get(f"/reports/file?id={key}&kind=csv")
    assert "track-1" in csv.text
    assert csv.headers["content-disposition"] == 'attachment; filename="plays-2026-03-01-2026-04-01.csv"'
    assert client.get(f"/reports/file?id={key}&kind=exe").status == 400


@pytest.mark.parametrize(
    "catalog",
    [Catalog([Entry("track-1", title="Lonely Snow", artist="The Band"), Entry("track-2", artist="The Band")])],
    ids=["catalog"],
)
@pytest.mark.parametrize(
    ("by", "line"),
    [("artist", "The Band,2"), ("track", "track-1,Lonely Snow,The Band,1")],
)
def test_a_report_has_the_names_of_the_catalog(aws: Aws, client: Client, keys: Keys, by: str, line: str) -> None:
    put_play(aws, track="track-1", duration_seconds={"N": "50"})
    put_play(aws, track="track-2", minute=5, duration_seconds={"N": "50"})
    assert f'value="{by}"' in client.get("/reports").text
    answer = client.post("/reports", {"csrf": keys.csrf, "start": "2026-03-01", "end": "2026-04-01", "by": by})
    page = wait(client, answer.headers["location"])
    key = re.findall(r"/reports/page\?id=([\w-]+)", page)[0]
    assert line in client.get(f"/reports/file?id={key}&kind=csv").text
    assert "The Band" in client.get(f"/reports/page?id={key}").text


def test_without_a_catalog_a_report_offers_no_names(client: Client) -> None:
    page = client.get("/reports").text
    assert 'value="track"' in page
    assert 'value="artist"' not in page


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"start": "March", "end": "2026-04-01"}, "from is &#39;March&#39;: it must be a date"),
        ({"start": "2026-04-01", "end": "2026-03-01"}, "it must be a later day"),
        ({"start": "2026-03-01", "end": "2026-04-01", "by": "genre"}, "it must be of track, station, day, hour<"),
        ({"start": "2026-03-01", "end": "2026-04-01", "by": "artist"}, "a report by artist needs a catalog"),
    ],
)
def test_a_report_that_cannot_be_made_is_said(client: Client, keys: Keys, fields: dict[str, str], problem: str) -> None:
    answer = client.post("/reports", {"csrf": keys.csrf, **fields})
    assert (answer.status, problem in answer.text) == (400, True)


def test_parked_letters_are_looked_at_and_sent_back(aws: Aws, client: Client, keys: Keys, stack: Stack) -> None:
    assert "The parking lot is empty" in client.get("/parking-lot").text
    aws.sqs.send_message(QueueUrl=stack.parking_lot_queue_url, MessageBody="<script>no letter</script>")
    page = client.post("/parking-lot/look", {"csrf": keys.csrf}).text
    assert "About 1 letter is parked" in page
    assert "1 of about 1 letter;" in page
    assert "not a valid dead letter" in page
    assert "<script>no" not in page


@pytest.mark.parametrize("path", FORMS)
def test_each_form_is_refused_without_the_secret_of_the_page(client: Client, path: str) -> None:
    assert client.post(path, {}).status == 403
    assert client.post(path, {"csrf": "x"}, x_csrf_token="y").status == 403


@pytest.mark.parametrize("read_only", [True])
@pytest.mark.parametrize("path", FORMS)
def test_a_read_only_server_refuses_each_form_that_changes_something(client: Client, keys: Keys, path: str) -> None:
    answer = client.post(path, {"csrf": keys.csrf})
    assert (answer.status == 403) == (path in CHANGES)


@pytest.mark.parametrize(
    ("moved", "said"), [(1, "About 1 letter was sent back"), (2, "About 2 letters were sent back")]
)
def test_how_many_letters_were_sent_back_is_said(client: Client, moved: int, said: str) -> None:
    assert said in client.get(f"/parking-lot?moved={moved}").text

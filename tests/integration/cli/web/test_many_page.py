"""Many matches with the same wrong value are corrected in one go: after a preview, and only what the preview showed."""

import re
import time

import pytest
from playlog_cli.web.access.gate import Keys

from tests.integration.cli.web.conftest import Fail
from tests.support.aws import Aws
from tests.support.builders import make_item
from tests.support.site.client import Answer, Client, previewed

pytest_plugins = ["tests.support.aws_fixture"]

TV, CINEMA, BLANK = {"source": {"S": "TV"}}, {"source": {"S": "Cinema"}}, {"track_id": {"S": " "}}
ALL = {"scope": "all", "attribute": "source", "value": "Radio"}


def preview(client: Client, keys: Keys, *ticked: str, **fields: str) -> Answer:
    form = [("csrf", keys.csrf), *fields.items(), *(("match", match_id) for match_id in ticked)]
    return previewed(client, form)


def plan_of(answer: Answer) -> str:
    assert answer.status == 200, answer.text
    (plan,) = re.findall(r'name="plan" value="([^"]+)"', answer.text)
    return str(plan)


def confirm(client: Client, keys: Keys, plan: str, **fields: str) -> str:
    """Confirms a preview, and waits for its end. Returns the last answer."""
    answer = client.post("/failures/apply", {"csrf": keys.csrf, "plan": plan, **fields})
    assert answer.status == 303, answer.text
    for _ in range(200):
        page = client.get(answer.headers["location"]).text
        if "Done." in page:
            return page
        time.sleep(0.02)
    raise AssertionError(page)


def test_a_preview_counts_what_changes_and_what_would_still_fail_and_writes_nothing(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV), make_item("m-2", **TV), make_item("m-3", **CINEMA), make_item("m-4", **TV, **BLANK))
    before = aws.matches()
    page = preview(client, keys, **ALL).text
    assert "Correct source of 4 matches?" in page
    assert "1 of them would still fail." in page
    assert re.search(r'<td class="raw">TV</td><td class="raw">Radio</td><td class="n">3</td>', page)
    assert re.search(r'<td class="raw">Cinema</td><td class="raw">Radio</td><td class="n">1</td>', page)
    assert aws.matches() == before


def test_what_was_confirmed_is_written_and_what_would_still_fail_does_not_wait(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(*(make_item(f"m-{number}", **TV) for number in range(20)), make_item("silent", **TV, **BLANK))
    page = confirm(client, keys, plan_of(preview(client, keys, **ALL)), retry="1")
    assert "Corrected: 21. To wait again: 20. Left as they are: 0." in page
    assert {match["source"]["S"] for match in aws.matches()} == {"Radio"}
    assert [match["match_id"]["S"] for match in aws.matches() if "failed_reason" in match] == ["silent"]


def test_a_match_that_somebody_changed_after_the_preview_is_left(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV), make_item("m-2", **TV))
    plan = plan_of(preview(client, keys, **ALL))
    aws.put(aws.match("m-1") | {"source": {"S": "Streaming"}})
    page = confirm(client, keys, plan, retry="1")
    assert "changed meanwhile" in page
    assert (aws.match("m-1")["source"], aws.match("m-2")["source"]) == ({"S": "Streaming"}, {"S": "Radio"})


def test_a_second_confirmation_finds_nothing_to_do(client: Client, fail: Fail, keys: Keys) -> None:
    fail(make_item("m-1", **TV))
    plan = plan_of(preview(client, keys, **ALL))
    confirm(client, keys, plan)
    assert client.post("/failures/apply", {"csrf": keys.csrf, "plan": plan}).status == 400


def test_ticked_matches_alone_are_corrected_and_filters_narrow_all_of_them(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV), make_item("m-2", **TV), make_item("m-3", **BLANK))
    confirm(client, keys, plan_of(preview(client, keys, "m-1", scope="ticked", attribute="source", value="Radio")))
    assert [aws.match(each).get("source") for each in ("m-1", "m-2")] == [{"S": "Radio"}, {"S": "TV"}]
    plan = plan_of(preview(client, keys, scope="all", reason="MISSING_TRACK", attribute="track_id", value="track-9"))
    confirm(client, keys, plan)
    assert aws.match("m-2") == aws.match("m-2") | {"source": {"S": "TV"}, "track_id": {"S": "track-1"}}
    assert aws.match("m-3")["track_id"] == {"S": "track-9"}


def test_matches_that_were_corrected_elsewhere_are_retried_as_they_are(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV), make_item("m-2", **TV))
    aws.put(aws.match("m-1") | {"source": {"S": "Radio"}})
    answer = preview(client, keys, scope="all", attribute="", value="")
    assert "<b>1</b>: it would fail again: source is &#39;TV&#39;" in answer.text
    confirm(client, keys, plan_of(answer), retry="1")
    assert ["unprocessed_shard" in aws.match(each) for each in ("m-1", "m-2")] == [True, False]
    assert "mended" not in aws.match("m-1")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"scope": "ticked", "attribute": "source", "value": "Radio"}, "no match is selected"),
        ({"scope": "all", "attribute": "processed", "value": "true"}, "it must be one of"),
        ({"scope": "all", "attribute": "duration_seconds", "value": "long"}, "it must be a number"),
        ({"scope": "all", "attribute": "track_id", "value": ""}, "it must not be empty"),
    ],
)
def test_what_cannot_be_is_said(client: Client, keys: Keys, fields: dict[str, str], problem: str) -> None:
    answer = preview(client, keys, **fields)
    assert (answer.status, problem in answer.text) == (400, True)


@pytest.mark.parametrize("read_only", [True])
def test_a_read_only_server_shows_the_preview_and_refuses_the_confirmation(
    aws: Aws, client: Client, fail: Fail, keys: Keys
) -> None:
    fail(make_item("m-1", **TV))
    before = aws.matches()
    plan = plan_of(preview(client, keys, **ALL))
    assert client.post("/failures/apply", {"csrf": keys.csrf, "plan": plan, "retry": "1"}).status == 403
    assert aws.matches() == before

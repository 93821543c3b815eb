"""The list of failures pages through all of them, each once, and finds those that a filter fits."""

import re
from html import unescape
from typing import Any

import pytest
from playlog.domain.match import Item
from playlog_cli.failures.history import ListedFailure
from playlog_cli.failures.paging import Cursor, page_of_failures
from playlog_cli.failures.records import Selection
from playlog_cli.stacks.stack import Stack

from tests.support.aws import Aws
from tests.support.builders import make_item
from tests.support.site.client import Client

pytest_plugins = ["tests.support.aws_fixture"]

CODES = ["MALFORMED", "MISSING_TRACK", "INVALID_SOURCE"]


def record(
    aws: Aws, number: int, *, minute: int, code: str, station: str = "station-1", **other: dict[str, str]
) -> None:
    named = {"station_id": {"S": station}, "title": {"S": f"Song {number}"}, **other}
    match: Item = make_item(f"m-{number:03}", **named)
    aws.dynamodb.put_item(
        TableName=aws.store_settings.failed_play_log_table,
        Item={
            "match_id": match["match_id"],
            "attempt": {"N": "1"},
            "reason_code": {"S": code},
            "reason": {"S": f"{code} of {number}"},
            "will_retry": {"BOOL": False},
            "failed_at": {"S": f"2026-03-14T08:{minute:02}:00.000000+0000"},
            "match": {"M": match},
        },
    )


@pytest.fixture
def records(aws: Aws) -> None:
    """Forty failures of three codes, four at each instant."""
    for number in range(40):
        record(aws, number, minute=number // 4, code=CODES[number % 3], station=f"station-{number % 2}")


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize("size", [1, 3, 7, 40, 50])
def test_each_failure_is_on_one_page_the_newest_first(stack: Stack, size: int) -> None:
    found: list[ListedFailure] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = page_of_failures(stack, Selection(), CODES, Cursor.from_text(cursor.text) if cursor else None, size)
        found += page.failures
        cursor, pages = page.after, pages + 1
    assert sorted(each.match_id for each in found) == [f"m-{number:03}" for number in range(40)]
    assert [each.failed_at for each in found] == sorted((each.failed_at for each in found), reverse=True)
    assert pages <= -(-40 // size) + 1


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("reason=invalid_source", [number for number in range(40) if number % 3 == 2]),
        ("station=station-1", [number for number in range(40) if number % 2]),
        ("text=Song+3", [3, *range(30, 40)]),
        ("text=m-017", [17]),
        ("since=2026-03-14T08:09", [36, 37, 38, 39]),
        ("until=2026-03-14T09:00%2B01:00", [0, 1, 2, 3]),
        ("station=station-1&reason=MALFORMED&since=2026-03-14T08:08", [33, 39]),
        ("text=nothing", []),
    ],
)
def test_filters_find_what_fits_and_count_it(client: Client, query: str, wanted: list[int]) -> None:
    page = client.get(f"/failures?{query}").text
    assert sorted(re.findall(r">(m-\d+)</a>", page)) == [f"m-{number:03}" for number in wanted]
    counts = re.findall(r"<b>(\d+)</b> ([A-Z_]+)</a>", client.get(f"/failures/counts?{query}").text)
    assert sum(int(number) for number, code in counts if "reason" not in query or code.lower() in query.lower()) == len(
        wanted
    )


@pytest.mark.usefixtures("records")
def test_the_next_page_keeps_the_filters(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playlog_cli.web.pages.failures.PAGE_SIZE", 5)
    address, found = "/failures?station=station-1", set()
    for _ in range(6):
        page = client.get(address).text
        found |= set(re.findall(r">(m-\d+)</a>", page))
        older = re.search(r'href="([^"]+)" rel="next"', page)
        if not older:
            break
        address = unescape(older[1])
    assert found == {f"m-{number:03}" for number in range(40) if number % 2}


def test_an_address_that_is_no_page_is_said(client: Client) -> None:
    for cursor in ("x", "e30=", "bnVsbA=="):
        answer = client.get(f"/failures?after={cursor}")
        assert (answer.status, "begin with the newest" in answer.text) == (400, True)


@pytest.mark.parametrize("zone", ["Asia/Tokyo"])
def test_a_person_recognises_a_failed_match_by_what_was_heard_and_when(aws: Aws, client: Client) -> None:
    heard: dict[str, Any] = {"title": {"S": "Lonely <Snow>"}, "artist": {"S": "The Band"}}
    record(aws, 1, minute=30, code="MALFORMED", matched_at={"S": "2026-03-14T07:00:00Z"}, **heard)
    record(aws, 2, minute=0, code="MALFORMED", title={"N": "7"}, artist={"S": "Solo"}, matched_at={"S": "noon"})
    page = client.get("/failures").text
    assert "Lonely &lt;Snow&gt;, The Band</span>" in page
    assert "heard 2026-03-14 16:00:00</span>" in page
    assert ">Solo</span>" in page
    assert "heard noon</span>" in page
    assert "Failed at, Asia/Tokyo" in page
    assert ">2026-03-14 17:30:00</td>" in page
    assert "UTC" not in page

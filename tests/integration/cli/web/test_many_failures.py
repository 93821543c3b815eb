"""With many failures, a page still takes few calls to AWS, and no number on it is taken for exact before it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

import pytest
from playlog.domain.match import Item

from tests.support.aws import Aws, answered
from tests.support.builders import NOW, make_item
from tests.support.site.client import Client

pytest_plugins = ["tests.support.aws_fixture"]

CODES = ["MALFORMED", "INVALID_SOURCE", "INVALID_SOURCE", "NEW_CODE"]
FAILURES = 400
STEPS = 20  # by which each page has read them all
LARGE = "x" * 40_000  # so that DynamoDB's answers of 1 MB hold few failures, and there are many answers


@dataclass
class Read:
    """What requests read: how many calls, and how many items DynamoDB read for them."""

    calls: int = 0
    items: int = 0

    def note(self, body: dict[str, object]) -> None:
        """Notes an answer."""
        responses = body.get("Responses", {})
        found = sum(map(len, responses.values())) if isinstance(responses, dict) else 0
        self.calls += 1
        self.items += int(str(body.get("ScannedCount", found)))


@pytest.fixture
def read(aws: Aws) -> Read:
    """Many failures, and what is read of them."""
    for number in range(FAILURES):
        match: Item = make_item(f"m-{number:03}", station_id={"S": f"station-{number % 5}"})
        aws.dynamodb.put_item(
            TableName=aws.store_settings.failed_play_log_table,
            Item={
                "match_id": match["match_id"],
                "attempt": {"N": "1"},
                "reason_code": {"S": CODES[number % 4]},
                "reason": {"S": f"{'the oldest' if number == 0 else 'another'} {LARGE}"},
                "will_retry": {"BOOL": False},
                "failed_at": {"S": f"2026-03-14T08:{number // 60:02}:{number % 60:02}.000000+0000"},
                "match": {"M": match},
            },
        )
    read = Read()
    aws.door.faults.append(answered(read.note))
    return read


def asked(client: Client, read: Read, address: str) -> Iterator[tuple[str, Read]]:
    """A page, and what it goes on with by itself: each with what it read."""
    for _ in range(STEPS):
        read.calls = read.items = 0
        answer = client.get(address)
        assert answer.status == 200, answer.text
        yield answer.text, Read(read.calls, read.items)
        more = [
            unescape(each).removeprefix(client.home)
            for each in re.findall(r'hx-get="([^"]+)" hx-trigger="load"', answer.text)
        ]
        address = next((each for each in more if each.partition("?")[0] == address.partition("?")[0]), "")
        if not address:
            return
    raise AssertionError(f"it still goes on: {answer.text}")


# The most calls of one request, and the most items that DynamoDB may read for them, whatever the number of failures.
BOUNDS = {
    "/failures": (40, 600),
    "/failures?reason=INVALID_SOURCE": (10, 200),
    "/failures?station=station-1": (40, 600),
    "/failures?text=the+oldest": (40, 600),
    "/failures/counts": (25, 300),
    "/failures/counts?text=the+oldest": (25, 300),
    "/overview/failures": (80, 600),
    "/failures/match?id=m-000": (5, 5),
}


def test_a_page_takes_a_bounded_number_of_calls_and_items(client: Client, read: Read) -> None:
    took = {address: [took for _, took in asked(client, read, address)] for address in BOUNDS}
    too_many = {
        (address, each.calls, each.items)
        for address, (calls, items) in BOUNDS.items()
        for each in took[address]
        if each.calls > calls or each.items > items
    }
    assert too_many == set()


def test_counts_say_at_least_until_they_are_exact(client: Client, read: Read) -> None:
    first, *_, last = (text for text, _ in asked(client, read, "/failures/counts"))
    assert re.search(r"at least \d+</b> INVALID_SOURCE", first)
    assert re.search(r"at least \d+</b> all", first)
    assert re.findall(r"<b>([^<]+)</b> (\w+)</a>", last) == [
        ("100", "MALFORMED"),
        ("200", "INVALID_SOURCE"),
        ("100", "NEW_CODE"),
        ("400", "all"),
    ]
    assert f"Counted at {NOW:%H:%M:%S} UTC." in last


def test_failures_per_day_say_at_least_until_they_are_exact(client: Client, read: Read) -> None:
    first, *_, last = (text for text, _ in asked(client, read, "/overview/failures"))
    assert "at least" in first
    assert "at least" not in last
    numbers = re.findall(r'>(\w+)</a> <span class="quiet">(\d+)</span>', last)
    assert numbers == [("MALFORMED", "100"), ("INVALID_SOURCE", "200"), ("NEW_CODE", "100")]


def test_a_search_goes_on_until_it_finds_and_says_how_far_it_is(
    client: Client, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playlog_cli.failures.paging.SEARCH_ANSWERS", 4)
    pages = list(asked(client, read, "/failures?text=the+oldest"))
    (first, _), *_, (last, _) = pages
    assert "Nothing found yet." in first
    searched = re.search(r"at least (\d+) failures", first)
    assert searched
    assert 50 < int(searched[1]) <= FAILURES
    assert re.findall(r">(m-\d+)</a>", last) == ["m-000"]
    codes = 10  # are asked for first
    assert max(took.calls for _, took in pages) <= (len(CODES) + 1) + codes + 4


def test_a_count_goes_on_where_it_stopped_and_reads_nothing_twice(client: Client, read: Read) -> None:
    counted = sum(took.items for _, took in asked(client, read, "/failures/counts"))
    assert counted < FAILURES + 10 * len(CODES)  # and one of each code, to find the codes

"""Ask each page of `playlog web` with many failures: our own time, AWS's time, AWS's calls, and the items they read.

    python -m bench.pages           # 100,000 failures, in DynamoDB Local (Java 17)
    python -m bench.pages 10000     # another number

A page that goes on by itself, such as a count, is asked until it is complete: its line shows the dearest request.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from urllib.parse import quote
from zoneinfo import ZoneInfo

from playlog_cli.stacks.stack import Stack
from playlog_cli.web.access.gate import Keys
from playlog_cli.web.access.tickets import ENTRY, Tickets
from playlog_cli.web.desk import Desk
from playlog_cli.web.site import site

from bench.pages.failures import put_failures
from bench.pages.tables import stack_of_tables
from bench.pages.watch import Watch, Watched
from tests.support.site.client import HOST, Answer, Client

FAILURES = 100_000
PAGES = {
    "overview: failures per day": "/overview/failures",
    "overview: plays per hour": "/overview/plays",
    "failures": "/failures",
    "counts, to the end": "/failures/counts",
    "of a reason": "/failures?reason=INVALID_SOURCE",
    "of a station": "/failures?station=station-07",
    "text in many": "/failures?text=Harbour",
    "text in one, the oldest": "/failures?text=m-0000000",
    "a match": "/failures/match?id=m-0000000",
    "plays": "/plays",
    "reports": "/reports",
}
GOES_ON = re.compile(r'hx-get="([^"]+)" hx-trigger="(?:load|every)')
OLDER = re.compile(r'href="([^"]+)" rel="next"')


class Asker:
    """Asks the pages of a stack.

    Args:
        stack: with its failures.
    """

    def __init__(self, stack: Stack) -> None:
        self._watch = Watch(stack)
        self._keys = Keys()
        desk = Desk(
            stack,
            self._keys.home,
            self._keys.csrf,
            read_only=True,
            zone=ZoneInfo("UTC"),
            now=lambda: datetime.now(UTC),
            who=lambda: "",
        )
        tickets = Tickets(lambda _: None)
        self._client = Client(site(desk, HOST, self._keys, tickets), self._keys.home)
        self._client.get(f"{ENTRY}?token={tickets.issue()}")
        self._client.get("/failures?reason=NONE")  # makes the client

    def page(self, address: str) -> Iterator[tuple[Watched, Answer]]:
        """Asks for an address, and for what it goes on with."""
        while address:
            with self._watch.request() as watched:
                answer = self._client.get(address)
            assert answer.status == 200, answer.text
            yield watched, answer
            more = [unescape(each) for each in GOES_ON.findall(answer.text)]
            address = next((each for each in more if ("/counts" in each) == ("/counts" in address)), "")

    def preview(self, **fields: str) -> Iterator[tuple[Watched, Answer]]:
        """Asks for a preview of a correction."""
        with self._watch.request() as watched:
            form = {"csrf": self._keys.csrf, "scope": "all", **{name: quote(value) for name, value in fields.items()}}
            answer = self._client.post("/failures/preview", form)
        yield watched, answer
        if answer.status == 303:
            yield from self.page(answer.headers["location"])


def measure(stack: Stack) -> Iterator[tuple[str, list[Watched]]]:
    """Asks for each page, and says what its requests did."""
    asker = Asker(stack)
    for name, address in PAGES.items():
        asked = list(asker.page(address))
        yield name, [watched for watched, _answer in asked]
        if address == "/failures" and (older := OLDER.search(asked[0][1].text)):
            yield "failures, next page", [watched for watched, _ in asker.page(unescape(older[1]))]
    correction = {"attribute": "source", "value": "Radio"}
    yield "preview of 5,000", [watched for watched, _ in asker.preview(reason="INVALID_SOURCE", **correction)]


def show(stack: Stack) -> None:
    """Prints a table of Markdown, a line for each page."""
    print("| page | requests | own time, ms | own CPU, ms | AWS, ms | calls | items read |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for name, asked in measure(stack):
        cells = (
            f"{len(asked)}",
            f"{1000 * max(each.own_seconds for each in asked):,.0f}",
            f"{1000 * max(each.cpu_seconds for each in asked):,.0f}",
            f"{1000 * max(each.aws_seconds for each in asked):,.0f}",
            f"{max(len(each.spans) for each in asked):,}",
            f"{max(each.items for each in asked):,}",
        )
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main(arguments: Sequence[str]) -> None:
    """Measures in a DynamoDB of its own."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("failures", nargs="?", type=int, default=FAILURES)
    given = parser.parse_args(arguments)
    with stack_of_tables() as stack:
        put_failures(replace(stack), given.failures, datetime.now(UTC), lambda _written: None)
        show(stack)


if __name__ == "__main__":
    main(sys.argv[1:])

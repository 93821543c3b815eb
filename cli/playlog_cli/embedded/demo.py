"""The sample day in an embedded AWS, from nothing to plays, and what came of each match.

`demo` takes the steps, `summarise` makes of the tables' items what `render` shows.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from playlog_cli.embedded import ministack
from playlog_cli.errors import CommandError
from playlog_cli.loading.load import load_files
from playlog_cli.stacks.convert import convert
from playlog_cli.stacks.stack import Stack, find_stack

Item = Mapping[str, Any]

NO_STATION = "(no station)"
SAMPLE = "samples/airplay.csv"
STORE_SECONDS = 60.0  # the dead letters of the sample day take a few
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Step:
    """Something that the demo did, and how long it took."""

    did: str
    seconds: float


@dataclass(frozen=True)
class Station:
    """What came of a station's matches. ``repeats`` are the matches that joined a play of another match."""

    station_id: str
    matches: int
    plays: int
    repeats: int
    failed: int


@dataclass(frozen=True)
class Reason:
    """The failures of a reason code, and the sentence of one of them."""

    reason_code: str
    failures: int
    match_id: str
    example: str


@dataclass(frozen=True)
class Summary:
    """What came of the matches that were loaded.

    ``problems`` says, a sentence each, what does not add up; without any, every match is accounted for.
    """

    loaded: int
    played: int
    failed: int
    waiting: int
    stranded: int
    plays: int
    stations: tuple[Station, ...]
    reasons: tuple[Reason, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Demo:
    """What the demo did, how long each step took, and what came of the sample day."""

    steps: tuple[Step, ...]
    seconds: float
    summary: Summary


class StepUnderWay:
    """A step while it is taken: how far it is, and in the end what it did."""

    def __init__(self, bar: Progress, doing: str) -> None:
        self._bar = bar
        self._task = bar.add_task(doing, total=None)
        self.did = doing

    def is_at(self, done: float, total: float | None) -> None:
        """Shows how much is done of how much there is to do; None where that is not known."""
        self._bar.update(self._task, completed=done, total=total)


class Steps:
    """Shows each step: on a terminal while it is taken, and then what it did and how long that took."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._taken: list[Step] = []

    @property
    def taken(self) -> tuple[Step, ...]:
        return tuple(self._taken)

    @contextmanager
    def step(self, doing: str) -> Iterator[StepUnderWay]:
        """Times the block as a step.

        Args:
            doing: what is shown while it is taken.
        """
        began = time.monotonic()
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description} …"),
            BarColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        with bar:
            step = StepUnderWay(bar, doing)
            yield step
        taken = Step(step.did, round(time.monotonic() - began, 3))
        self._taken.append(taken)
        self._console.print(f"{taken.seconds:5.1f} s  {taken.did}", soft_wrap=True)


def demo(steps: Steps) -> Demo:
    """Deploys the stack into an embedded AWS, converts the sample day there, and stops it again.

    Args:
        steps: shows the steps.

    Raises:
        CommandError: a tool or a run failed, or a row of the sample day could not be loaded.
        BotoCoreError, ClientError: the embedded AWS refused a call.
    """
    began = time.monotonic()
    session = ministack.session("demo")
    with ministack.claimed(session):
        with steps.step("installing SAM and MiniStack, which takes a minute the first time") as step:
            ministack.install(session)
            step.did = "installed SAM and MiniStack"
        with ministack.served(session) as server:
            with steps.step("building the template and starting MiniStack") as step:
                ministack.build(session)
                ministack.wait_until_ready(session, server)
                step.did = f"built the template, started MiniStack on {server.endpoint}"
            with steps.step("deploying the stack") as step:
                ministack.deploy(session, server, {})
                step.did = "deployed the stack: tables, functions, queues, schedule, roles"
            with ministack.spoken_to(server):
                summary = _convert_sample_day(find_stack(), session.checkout / SAMPLE, steps)
            with steps.step("stopping MiniStack") as step:
                ministack.stop(session)
                step.did = "stopped MiniStack"
    return Demo(steps.taken, round(time.monotonic() - began, 3), summary)


def _convert_sample_day(stack: Stack, sample: Path, steps: Steps) -> Summary:
    with steps.step(f"loading {SAMPLE}") as step:
        loaded = _load(stack, sample, step)
        step.did = f"loaded {loaded:,} matches of {SAMPLE}"
    with steps.step("converting what waits") as step:
        created = _convert_all(stack)
        step.did = f"converted what waited into {created:,} plays"
    with steps.step("storing the dead letters as failures") as step:
        _wait_until_stored(stack, step)
        failures = _items(stack, stack.failed_play_log_table)
        step.did = f"stored {len(failures):,} dead letters as failures"
    matches, plays = _items(stack, stack.match_cache_table), _items(stack, stack.play_log_table)
    return summarise(loaded, matches, plays, failures, stack.shards)


def _load(stack: Stack, sample: Path, step: StepUnderWay) -> int:
    result = load_files(stack, [sample], lambda file: step.is_at(file.bytes_read, file.bytes_total))
    if not result.ok:
        raise CommandError(f"{SAMPLE} could not be loaded whole: make it again, with `make samples`")
    return sum(each.added for each in result.files)


def _convert_all(stack: Stack) -> int:
    """Runs the converter until nothing waits that it could convert; how many plays that made."""
    plays = 0
    while True:
        run = convert(stack)
        plays += run.plays
        if not (run.waiting and run.processed):
            return plays


def _wait_until_stored(stack: Stack, step: StepUnderWay) -> None:
    """Returns once no match waits, but after ``STORE_SECONDS`` anyway: what waits then, the summary says."""
    deadline = time.monotonic() + STORE_SECONDS
    total = _waiting(stack)
    while (waiting := _waiting(stack)) and time.monotonic() < deadline:
        step.is_at(total - waiting, total)
        time.sleep(POLL_SECONDS)


def _waiting(stack: Stack) -> int:
    pages = stack.dynamodb.get_paginator("scan").paginate(
        TableName=stack.match_cache_table, IndexName="unprocessed-index", Select="COUNT"
    )
    return sum(page["Count"] for page in pages)


def _items(stack: Stack, table: str) -> list[Item]:
    """All items of a table, read consistently: it is small here, and nobody else pays for it."""
    read = TypeDeserializer().deserialize
    pages = stack.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def summarise(
    loaded: int, matches: Sequence[Item], plays: Sequence[Item], failures: Sequence[Item], shards: int
) -> Summary:
    """What came of each match, from the items of the three tables.

    Args:
        loaded: how many matches were loaded into an empty stack.
        matches: all of MatchCache.
        plays: all of PlayLog.
        failures: all of FailedPlayLog.
        shards: the stack's ``UnprocessedShards``.
    """
    states = Counter(state_of(match, shards) for match in matches)
    return Summary(
        loaded=loaded,
        played=states["played"],
        failed=states["failed"],
        waiting=states["waiting"],
        stranded=states["stranded"],
        plays=len(plays),
        stations=_stations(matches, plays, shards),
        reasons=_reasons(failures),
        problems=tuple(_problems(loaded, matches, plays, failures, states)),
    )


def state_of(match: Item, shards: int) -> str:
    """The state that a match is in by the law: played, failed or waiting; stranded if in none of them."""
    if match.get("processed") is True:
        return "played"
    if "failed_reason" in match:
        return "failed"
    is_in_index = {"unprocessed_shard", "matched_at"} <= match.keys()
    return "waiting" if is_in_index and match["unprocessed_shard"] in map(str, range(shards)) else "stranded"


def _stations(matches: Sequence[Item], plays: Sequence[Item], shards: int) -> tuple[Station, ...]:
    arrived = Counter(_station_of(match) for match in matches)
    failed = Counter(_station_of(match) for match in matches if state_of(match, shards) == "failed")
    created = Counter(_station_of(play) for play in plays)
    joined: Counter[str] = Counter()
    for play in plays:
        joined[_station_of(play)] += int(play["match_count"]) - 1
    ids = sorted(arrived | created, key=lambda station: (station == NO_STATION, station))
    return tuple(Station(id_, arrived[id_], created[id_], joined[id_], failed[id_]) for id_ in ids)


def _station_of(item: Item) -> str:
    """The station of a match or a play; a defective match may have none, or something else in its place."""
    station = item.get("station_id")
    return station if isinstance(station, str) and station.strip() else NO_STATION


def _reasons(failures: Sequence[Item]) -> tuple[Reason, ...]:
    """Most frequent first; the match of the lowest id is the example, so that it is the same each time."""
    by_code: dict[str, list[Item]] = {}
    for failure in sorted(failures, key=lambda failure: failure["match_id"]):
        by_code.setdefault(failure["reason_code"], []).append(failure)
    reasons = (Reason(code, len(alike), alike[0]["match_id"], alike[0]["reason"]) for code, alike in by_code.items())
    return tuple(sorted(reasons, key=lambda reason: (-reason.failures, reason.reason_code)))


def _problems(
    loaded: int,
    matches: Sequence[Item],
    plays: Sequence[Item],
    failures: Sequence[Item],
    states: Mapping[str, int],
) -> Iterator[str]:
    if len(matches) != loaded:
        yield f"MatchCache holds {len(matches):,} matches, but {loaded:,} were loaded"
    for state in ("waiting", "stranded"):
        if states[state]:
            yield f"matches that are {state}, where none should be by now: {states[state]:,}"
    accounted = sum(int(play["match_count"]) for play in plays)
    if accounted != states["played"]:
        yield f"match_count adds up to {accounted:,} over the plays, but {states['played']:,} matches are played"
    recorded = {failure["match_id"] for failure in failures}
    unrecorded = [
        match["match_id"] for match in matches if "failed_reason" in match and match["match_id"] not in recorded
    ]
    if unrecorded:
        yield f"failed matches without an item in FailedPlayLog: {len(unrecorded):,}, {unrecorded[0]} for one"


NEXT = """
What to try next:
  .venv/bin/playlog local up     the same, but it stays and the schedule fires
  .venv/bin/playlog load FILE    matches of your own, as CSV or JSON Lines
  .venv/bin/playlog status       what waits, what was played, what failed
  make test                      every check there is
  make deploy                    the same stack on AWS"""


def render(result: Demo, console: Console) -> None:
    """Shows what a newcomer wants to see: what came of each station's matches, what failed and why, what next."""
    summary = result.summary
    for part in (_station_table(summary), _reason_table(summary), _account(summary)):
        console.print()
        console.print(part)
    console.print(f"It took {result.seconds:.0f} s, and nothing is left running.")
    console.print(NEXT)


def _station_table(summary: Summary) -> Table:
    table = _table()
    table.show_footer = True
    table.add_column("station", footer="all")
    for name, counts in {
        "matches": [station.matches for station in summary.stations],
        "plays": [station.plays for station in summary.stations],
        "repeats joined": [station.repeats for station in summary.stations],
        "failed": [station.failed for station in summary.stations],
    }.items():
        table.add_column(name, footer=f"{sum(counts):,}", justify="right")
    for row in summary.stations:
        cells = (f"{count:,}" for count in (row.matches, row.plays, row.repeats, row.failed))
        table.add_row(row.station_id, *cells)
    return table


def _reason_table(summary: Summary) -> Table:
    table = _table()
    table.add_column("why they failed", no_wrap=True)
    table.add_column("matches", justify="right")
    table.add_column("for example", overflow="fold")
    for row in summary.reasons:
        table.add_row(row.reason_code, f"{row.failures:,}", f"{row.match_id}: {row.example}")
    return table


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold", footer_style="bold")


def _account(summary: Summary) -> Text:
    account = Text(
        f"{summary.loaded:,} matches loaded = {summary.played:,} played + {summary.failed:,} failed "
        f"+ {summary.waiting:,} waiting + {summary.stranded:,} stranded\n"
    )
    for problem in summary.problems:
        account.append(f"Not accounted for: {problem}.\n", style="bold red")
    if not summary.problems:
        account.append("Every match is accounted for.", style="bold green")
    return account

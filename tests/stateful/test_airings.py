"""Airings with a gap when what a run knows of the plays turns out to be old in the middle of a page.

Each test is an order of events that pages, a conflict, a refusal or a person can bring about.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from threading import Event

import pytest
from playlog.converting.writing import look_up
from playlog.converting.writing.actions import Tables
from playlog.converting.writing.writer import Writer
from playlog.converting.writing.written import Written
from playlog.domain import timestamps
from playlog.domain.duplicates import rule_for
from playlog.domain.match import Item, Match
from playlog.runtime import retry
from playlog.runtime.retry import Retry

from tests.stateful.memory import Answer, RefusalError, Request
from tests.stateful.world import SECONDS, SETTINGS, Clients, Clock, Fault, World, clients
from tests.support.builders import MATCHED_AT, make_match
from tests.support.clients import client_of

GAP = timedelta(seconds=30)
DAY = 86_400


def heard(number: int, second: int, *, seconds: int = 10, track: str = "track-1", station: str = "station-1") -> Match:
    """A match that begins so many seconds after the hour."""
    return make_match(
        f"m-{number:03}",
        station_id=station,
        track_id=track,
        matched_at=MATCHED_AT + timedelta(seconds=second),
        seconds=seconds,
    )


def put(world: World, *matches: Match) -> None:
    """Lets matches wait."""
    for match in matches:
        duration = {"N": f"{match.duration.total_seconds():g}"}
        world.put(SETTINGS.match_cache_table, {**match.item, "duration_seconds": duration})


class Pages:
    """A pass through pages of any size, which wait before they are written."""

    def __init__(self, world: World, gap: timedelta = GAP) -> None:
        tables = Tables(SETTINGS.match_cache_table, SETTINGS.play_log_table, SETTINGS.station_guard_table)
        retry_budget = Retry(world.clock.now + SECONDS)
        self._world = world
        self._writer = Writer(client_of(world.aws.dynamodb), tables, rule_for(gap), Decimal(0), retry_budget, Event())
        self.written = Written()

    def write(self, *matches: Match) -> "Pages":
        put(self._world, *matches)
        self._writer.write(matches, self.written)
        return self

    def finish(self) -> None:
        self._writer.finish(self.written)


def shown(world: World) -> list[tuple[int, int, int, bool]]:
    """The plays: start and stop in seconds after the hour, how many matches, whether flagged."""
    return sorted(
        (
            int((timestamps.from_text(play["start_time"]["S"]) - MATCHED_AT).total_seconds()),
            int((timestamps.from_text(play["stop_time"]["S"]) - MATCHED_AT).total_seconds()),
            int(play["match_count"]["N"]),
            play["flagged"]["BOOL"],
        )
        for play in world.plays
    )


def is_named_after_its_start(play: Item) -> bool:
    return play["play_id"] == {"S": f"{play['start_time']['S']}#{play['track_id']['S']}"}


def meets(world: World, happens: Callable[[str, Request], Answer | None]) -> None:
    """From now on each request meets what happens before it is done, or in its place."""
    done = world.aws.answer
    world.aws.answer = lambda operation, request: happens(operation, request) or done(operation, request)


def before_the_next_transaction(world: World, happens: Callable[[], object]) -> None:
    """Once."""
    left = [happens]

    def first(operation: str, _: Request) -> None:
        if operation == "TransactWriteItems" and left:
            left.pop()()

    meets(world, first)


def refuse(world: World, match: Match, *, in_reasons: bool) -> None:
    """DynamoDB takes no write of this match: the item would be too large, say.

    Args:
        world: where.
        match: which.
        in_reasons: whether the answer says which action it is, as it does of some values.
    """
    refused = {"match_id": {"S": match.match_id}}

    def refuse_it(operation: str, request: Request) -> None:
        keys = [action.get("Update", {}).get("Key") for action in request.get("TransactItems", [])]
        if operation != "TransactWriteItems" or refused not in keys:
            return
        if not in_reasons:
            raise RefusalError("ValidationException", "too large")
        codes = ["ValidationError" if key == refused else "None" for key in keys]
        reasons = [{"Code": code, "Message": "too large"} for code in codes]
        raise RefusalError("TransactionCanceledException", "refused", CancellationReasons=reasons)

    meets(world, refuse_it)


def delete(world: World, table: str, *key: str) -> None:
    """A person deletes an item."""
    items = world.memory.tables[table].items
    (found,) = [place for place in items if all(part in str(place) for part in key)]
    del items[found]


def mix(first: int, last: int) -> Iterable[Match]:
    """Matches of one airing, twenty seconds from one to the next."""
    return [heard(number, number * 20) for number in range(first, last + 1)]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with clients() as made:
        yield made


@pytest.fixture
def world(aws: Clients, monkeypatch: pytest.MonkeyPatch) -> World:
    clock = Clock()
    monkeypatch.setattr(retry, "time", clock)
    return World(aws, clock, gap=GAP)


@pytest.mark.parametrize("code", ["TransactionConflict", "None"])
def test_a_bridged_play_is_flagged_though_the_part_that_flags_it_was_cancelled(world: World, code: str) -> None:
    put(world, heard(900, 0), heard(901, 2_040))
    world.run({})
    pages = Pages(world).write(heard(1, 20), heard(800, 30, track="track-2"))

    def cancel() -> None:
        reasons = [*({"Code": "None"} for _ in range(99)), {"Code": code}]
        raise RefusalError("TransactionCanceledException", "cancelled", CancellationReasons=reasons)

    before_the_next_transaction(world, cancel)
    pages.write(*mix(2, 100)).finish()

    assert shown(world) == [(0, 2_010, 101, False), (30, 40, 1, False), (2_040, 2_050, 1, True)]


@pytest.mark.parametrize("in_reasons", [True, False])
def test_an_airing_whose_first_match_is_refused_is_one_play_of_the_others(world: World, in_reasons: bool) -> None:
    pages = Pages(world).write(heard(1, 20), heard(800, 30, track="track-2"))
    refuse(world, heard(1, 20), in_reasons=in_reasons)

    pages.write(*mix(2, 100)).finish()

    assert shown(world) == [(30, 40, 1, False), (40, 2_010, 99, False)]
    assert all(map(is_named_after_its_start, world.plays))
    assert [failure.match_id for failure in pages.written.failures] == ["m-001"]


def test_an_airing_whose_first_part_met_a_conflict_is_named_after_its_start(world: World) -> None:
    pages = Pages(world).write(heard(1, 20), heard(800, 30, track="track-2"))
    names: list[bool] = []
    meets(world, lambda *_: names.extend(map(is_named_after_its_start, world.plays)))

    with world.planned({("TransactWriteItems", 0): Fault.CONFLICT}):
        pages.write(*mix(2, 100))
    pages.finish()

    assert shown(world) == [(20, 2_010, 100, False), (30, 40, 1, False)]
    assert all(names)


@pytest.mark.parametrize("in_reasons", [True, False])
def test_what_continues_an_airing_with_a_refused_match_joins_it(world: World, in_reasons: bool) -> None:
    put(world, heard(900, 0))
    world.run({})
    refuse(world, heard(2, 40), in_reasons=in_reasons)

    pages = Pages(world).write(heard(1, 20), heard(2, 40), heard(3, 50), heard(4, 20, track="track-2"))
    pages.write(heard(5, 25, track="track-3")).write(heard(6, 85)).finish()

    assert (0, 95, 4, False) in shown(world)
    assert len(world.plays) == 3


def test_plays_of_a_time_without_a_gap_stay_known_though_a_person_deletes_another_meanwhile(world: World) -> None:
    Pages(world, timedelta(0)).write(heard(1, 0, seconds=7_000), heard(2, 20_000, track="track-2")).finish()
    put(world, heard(3, 20_020, track="track-2"), heard(4, 20_020, track="track-3"))
    before_the_next_transaction(world, lambda: delete(world, SETTINGS.play_log_table, "track-2"))
    world.run({})
    put(world, heard(5, 7_020))

    world.run({})

    assert (0, 7_030, 2, False) in shown(world)


def test_a_match_is_written_though_a_person_deletes_the_play_that_it_bridges_to(world: World) -> None:
    put(world, heard(900, 0), heard(901, 70))
    world.run({})
    put(world, heard(1, 35))
    before_the_next_transaction(
        world, lambda: delete(world, SETTINGS.play_log_table, timestamps.to_text(heard(901, 70).matched_at))
    )

    run = world.run({})

    assert (run.processed, run.waiting) == (1, False)
    assert shown(world) == [(0, 45, 2, False)]


def test_what_a_run_has_read_is_written_though_the_index_answers_no_more(world: World) -> None:
    put(world, *mix(1, 3))
    seen = 0

    def throttled(operation: str, request: Request) -> None:
        nonlocal seen
        if operation == "Query" and "IndexName" in request:
            seen += "ExclusiveStartKey" in request
            if seen:
                raise RefusalError("ThrottlingException", "too fast")

    meets(world, throttled)
    run = world.run({}, ["0"])

    assert (run.processed, run.waiting) == (3, True)


def test_a_run_that_finds_nothing_as_its_time_ends_is_no_error(world: World) -> None:
    run = world.run({("Query", 0): Fault.OUT_OF_TIME}, ["0"])

    assert (run.message, run.waiting) == ("No unprocessed matches found", False)


def test_hundreds_of_bridged_plays_are_flagged_though_the_first_flags_met_a_conflict(world: World) -> None:
    apart = [heard(600 + number, 100 + number * 50) for number in range(150)]
    Pages(world).write(heard(500, 0), *apart).finish()
    pages = Pages(world).write(heard(1, 10))

    with world.planned({("TransactWriteItems", 0): Fault.CONFLICT}):
        pages.write(heard(2, 20, seconds=8_000))
    pages.finish()

    assert [flagged for *_, flagged in shown(world)] == [False, *[True] * 150]


def test_more_stations_than_one_request_takes_are_looked_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of as many stations as matches, after one of which a match is held and the plays were too many to keep."""
    monkeypatch.setattr(look_up, "PLAYS_KEPT", 0)
    of_other_stations = [heard(number, 0, station=f"station-{number}") for number in range(200)]

    pages = Pages(world).write(*of_other_stations[:100])
    asked: list[int] = []

    def guards(operation: str, request: Request) -> None:
        if operation == "BatchGetItem":
            asked.append(len(request["RequestItems"][SETTINGS.station_guard_table]["Keys"]))

    meets(world, guards)
    pages.write(*of_other_stations[100:])
    asked_for_a_page = sum(asked)
    pages.finish()

    assert asked_for_a_page > 100
    assert len(world.plays) == 200


def test_a_play_of_a_time_without_a_gap_is_found_in_any_week(world: World) -> None:
    Pages(world, timedelta(0)).write(heard(1, 0), heard(2, 10 * DAY, seconds=3_000)).finish()
    put(world, heard(3, 20))
    world.run({})
    put(world, heard(4, 10 * DAY + 3_020))

    world.run({})

    assert shown(world) == [(0, 30, 2, False), (10 * DAY, 10 * DAY + 3_030, 2, False)]


def test_an_airing_of_more_matches_than_a_transaction_takes_costs_two_requests(world: World) -> None:
    sent: list[str] = []
    meets(world, lambda operation, _: sent.append(operation))

    Pages(world).write(heard(1, 20), heard(800, 30, track="track-2")).write(*mix(2, 100)).finish()

    assert shown(world) == [(20, 2_010, 100, False), (30, 40, 1, False)]
    assert sent.count("TransactWriteItems") == 2


def test_a_held_match_that_the_next_page_shows_again_is_sent_once(world: World) -> None:
    sent: list[str] = []
    meets(world, lambda operation, _: sent.append(operation))

    Pages(world).write(heard(1, 0)).write(heard(1, 0), heard(2, 20)).finish()

    assert shown(world) == [(0, 30, 2, False)]
    assert sent.count("TransactWriteItems") == 1


def test_a_long_airing_goes_on_though_it_was_written_beside_a_short_one(world: World) -> None:
    put(world, heard(1, 0), heard(2, 0, seconds=10_800, track="track-2"))
    world.run({})
    put(world, heard(3, 10_820, track="track-2"))

    world.run({})

    assert shown(world) == [(0, 10, 1, False), (0, 10_830, 2, False)]


def test_plays_that_an_answer_has_no_room_for_are_looked_up_as_well(world: World) -> None:
    put(world, heard(1, 0, track="track-2"), heard(2, 10, track="track-3"), heard(3, 20))
    world.run({})
    put(world, heard(4, 40))

    def one_by_one(operation: str, request: Request) -> Answer | None:
        of_plays = operation == "Query" and "IndexName" not in request
        return world.memory.answer(operation, {**request, "Limit": 1}) if of_plays else None

    meets(world, one_by_one)
    world.run({})

    assert (20, 50, 2, False) in shown(world)


def test_a_long_match_finds_the_play_at_its_end_though_a_short_one_begins_after_it(world: World) -> None:
    put(world, heard(1, 10_820))
    world.run({})
    put(world, heard(2, 0, seconds=10_800), heard(3, 10))

    world.run({})

    assert shown(world) == [(0, 10_830, 3, False)]


@pytest.mark.parametrize(
    "guard", [{}, {"version": {"N": "3"}}, {"version": {"N": "3"}, "reach_seconds": {"N": "1E+20"}}]
)
def test_a_guard_that_a_person_broke_holds_up_nobody(world: World, guard: Item) -> None:
    put(world, heard(1, 0))
    world.run({})
    world.put(SETTINGS.station_guard_table, {"station_id": {"S": "station-1"}, **guard})
    put(world, heard(2, 20))

    world.run({})

    assert shown(world) == [(0, 30, 2, False)]

"""The overview: is it running, what waits, alarms, failures over time, plays per hour. Each part loads by itself."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from playlog_cli.inspecting.look import look
from playlog_cli.inspecting.problems import problems
from playlog_cli.overview.alarms import alarms_of
from playlog_cli.overview.trends import WEEK, StationHours, failures_by_day, failures_of, hours_of_day
from playlog_cli.plays.stations import stations_of
from playlog_cli.stacks.queues import queue_depth
from playlog_cli.stacks.reason_codes import recorded_codes
from playlog_cli.stacks.status import shards_of
from playlog_cli.web import charts
from playlog_cli.web.addresses import number_of
from playlog_cli.web.desk import Desk
from playlog_cli.web.routing import show

# A look at the stack invokes both functions to check themselves: not at each refresh.
LOOK_LIFETIME = timedelta(seconds=50)
STATIONS_LIFETIME = timedelta(minutes=5)
TODAY_LIFETIME = timedelta(seconds=50)
PAST_LIFETIME = timedelta(hours=1)
DAYS = 14
COUNT_ANSWERS = 64  # of DynamoDB, that a request for the failures per day reads
STATIONS = 12  # that are shown at once
MOST_STATIONS = 500
CONCURRENT_REQUESTS = 16


def show_overview(desk: Desk, request: Request) -> Response:
    """The frame. The parts come by themselves."""
    del request
    return show(desk, "overview.html.j2")


def show_running(desk: Desk, request: Request) -> Response:
    """Is it running? The judgement of `playlog inspect`, and the last runs."""
    del request
    facts = desk.memo.get("facts", LOOK_LIFETIME, lambda: look(desk.stack, desk.now()))
    return show(desk, "overview_running.html.j2", facts=facts, problems=problems(facts))


def show_backlog(desk: Desk, request: Request) -> Response:
    """What waits, and since when."""
    del request
    shards = shards_of(desk.stack, desk.now())
    ages = [each.oldest_age_seconds for each in shards if each.oldest_age_seconds is not None]
    return show(
        desk,
        "overview_backlog.html.j2",
        waiting=sum(each.waiting for each in shards),
        oldest=max(ages, default=None),
        letters=queue_depth(desk.stack, desk.stack.dead_letter_queue_url),
        parked=queue_depth(desk.stack, desk.stack.parking_lot_queue_url),
    )


def show_alarms(desk: Desk, request: Request) -> Response:
    """The alarms, those that are on first."""
    del request
    return show(desk, "overview_alarms.html.j2", alarms=alarms_of(desk.stack))


def show_failures(desk: Desk, request: Request) -> Response:
    """Failures per day and reason, as far as they have been counted."""
    del request
    today = desk.now().astimezone(desk.zone).date()
    days = [today - timedelta(days=number) for number in range(DAYS)]  # the newest one is counted first
    codes = recorded_codes(desk.stack)
    counted = desk.counting.go_on(
        {
            failures_of(code, day, desk.zone): TODAY_LIFETIME if day == today else PAST_LIFETIME
            for day in days
            for code in codes
        },
        COUNT_ANSWERS,
    )
    found = failures_by_day(days[::-1], codes, counted.counts, desk.zone)
    columns = charts.stacked(found)
    return show(desk, "overview_failures.html.j2", found=found, columns=columns, size=charts, counted=counted)


def show_plays(desk: Desk, request: Request) -> Response:
    """Plays per hour of some stations, today and a week before."""
    stations = desk.memo.get("stations", STATIONS_LIFETIME, lambda: stations_of(desk.stack, MOST_STATIONS))
    first = number_of(request.query_params.get("from", ""))
    first = first if first < len(stations) else 0
    shown = stations[first : first + STATIONS]
    return show(
        desk,
        "overview_plays.html.j2",
        stations=[(each, *charts.hours(each)) for each in _hours(desk, shown)],
        first=first,
        step=STATIONS,
        total=len(stations),
        today=desk.now().astimezone(desk.zone).date(),
        size=charts,
    )


def _hours(desk: Desk, stations: Sequence[str]) -> list[StationHours]:
    now = desk.now().astimezone(desk.zone)
    today, before = now.date(), now.date() - WEEK

    def of(station: str) -> StationHours:
        counts = {
            day: desk.memo.get(
                ("hours", station, day), lifetime, partial(hours_of_day, desk.stack, station, day, desk.zone)
            )
            for day, lifetime in ((today, TODAY_LIFETIME), (before, PAST_LIFETIME))
        }
        return StationHours(station, counts[today], counts[before], now.hour)

    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as pool:
        return list(pool.map(of, stations))

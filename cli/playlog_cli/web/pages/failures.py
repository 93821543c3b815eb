"""The list of failures: filters, counts by reason, and a page of the newest."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from playlog.domain import timestamps
from playlog.schema import ReasonCode
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from playlog_cli.errors import CommandError, shown
from playlog_cli.failures.mending import CORRECTABLE
from playlog_cli.failures.paging import Cursor, page_of_failures
from playlog_cli.failures.records import Selection
from playlog_cli.stacks.reason_codes import recorded_codes
from playlog_cli.web.addresses import number_of, query_of, unpacked
from playlog_cli.web.desk import Desk
from playlog_cli.web.routing import show

PAGE_SIZE = 50
COUNT_ANSWERS = 16  # of DynamoDB, that a step of the counts reads
STEPS_BY_ITSELF = 8  # of the counts, until they wait for a click
SEARCHED_BY_ITSELF = 100_000  # failures, until a search that found none waits for a click
# The attribute that a reason code is about: the form for many matches begins with it.
SUSPECTS: dict[str, str] = {
    ReasonCode.MISSING_TRACK: "track_id",
    ReasonCode.MISSING_STATION: "station_id",
    ReasonCode.INVALID_TIME: "matched_at",
    ReasonCode.INVALID_DURATION: "duration_seconds",
    ReasonCode.INVALID_CONFIDENCE: "avg_confidence_score",
    ReasonCode.INVALID_SOURCE: "source",
}
FIELDS = ("reason", "station", "since", "until", "text")


@dataclass(frozen=True)
class Filters:
    """The filters as the user typed them; empty where one is not used."""

    reason: str = ""
    station: str = ""
    since: str = ""
    until: str = ""
    text: str = ""

    def with_reason(self, reason: str) -> str:
        """The address of the list with another reason code."""
        return self.address(reason=reason)

    def address(self, path: str = "/failures", **other: str) -> str:
        """The address of the list, or of a part of it, with these filters.

        Args:
            path: of the list.
            other: values that differ, or are added.
        """
        values = {name: getattr(self, name) for name in FIELDS} | other
        query = query_of({name: value for name, value in values.items() if value})
        return f"{path}?{query}" if query else path

    @property
    def is_any(self) -> bool:
        """Whether a filter is used."""
        return any(getattr(self, name) for name in FIELDS)


def show_list(desk: Desk, request: Request) -> Response:
    """A page of failures. The counts by reason come by themselves."""
    filters = filters_of(request.query_params)
    selection = selection_of(filters, desk)
    codes = [selection.code] if selection.code else recorded_codes(desk.stack)
    text = request.query_params.get("after")
    page = page_of_failures(desk.stack, selection, codes, Cursor.from_text(text) if text else None, PAGE_SIZE)
    return show(
        desk,
        "failures.html.j2",
        filters=filters,
        page=page,
        is_first=not text,
        older=filters.address(after=page.after.text) if page.after else "",
        searches_by_itself=page.after and not page.failures and page.after.searched < SEARCHED_BY_ITSELF,
        attributes=list(CORRECTABLE),
        suspect=SUSPECTS.get(selection.code or "", ""),
    )


def show_counts(desk: Desk, request: Request) -> Response:
    """A part of the list: the counts by reason code. A request counts some answers of AWS, and the next one goes on."""
    filters = filters_of(request.query_params)
    selection = selection_of(filters, desk)
    step = number_of(request.query_params.get("step", "")) + 1
    selections = [replace(selection, code=code) for code in recorded_codes(desk.stack)]
    counted = desk.counting.go_on(dict.fromkeys(selections, timedelta(0)), COUNT_ANSWERS)
    return show(
        desk,
        "failures_counts.html.j2",
        filters=filters,
        counts={each.code: count for each, count in counted.counts.items() if count.number},
        counted=counted,
        more=filters.address("/failures/counts", step=str(step)),
        goes_on_by_itself=step % STEPS_BY_ITSELF != 0,
    )


def filters_of(values: QueryParams) -> Filters:
    """The filters in an address."""
    filters = Filters(**{name: values.get(name, "").strip() for name in FIELDS})
    return replace(filters, reason=unpacked(values["code"])) if "code" in values else filters


def selection_of(filters: Filters, desk: Desk) -> Selection:
    """The failures that filters fit.

    Raises:
        CommandError: a time is not one.
    """
    return Selection(
        code=filters.reason.upper() or None,
        station_id=filters.station or None,
        since=_time("From", filters.since, desk),
        until=_time("Until", filters.until, desk),
        text=filters.text or None,
    )


def _time(label: str, text: str, desk: Desk) -> datetime | None:
    """A time of a filter. Without an offset, it is in the time zone of the page."""
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return timestamps.from_text((instant if instant.tzinfo else instant.replace(tzinfo=desk.zone)).isoformat())
    except ValueError:
        raise CommandError(f"{label} is {shown(text)}: it must be a time like 2026-03-14T08:00") from None

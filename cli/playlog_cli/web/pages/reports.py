"""Reports: choose period, grouping and rate card, see the page, download the files."""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from playlog_cli.catalog.entry import Catalog
from playlog_cli.errors import CommandError, shown
from playlog_cli.reporting.forms import Report, as_json, write_csv
from playlog_cli.reporting.naming import Key, by_names, keys_to_read
from playlog_cli.reporting.page import write_page
from playlog_cli.reporting.period import parse_period
from playlog_cli.reporting.rate_card import RateCard, RateCardError
from playlog_cli.reporting.rate_card_file import parse_rate_card
from playlog_cli.reporting.sources.tables import Tables
from playlog_cli.reporting.sums.report import report
from playlog_cli.web.addresses import text_of
from playlog_cli.web.desk import Desk
from playlog_cli.web.routing import see_other, show
from playlog_cli.web.work import Making

LARGEST_CARD = 1_000_000  # bytes
# The page of a report is one file with its style in it. It has no script, and may ask for nothing.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


def show_form(desk: Desk, request: Request) -> Response:
    """Asks for the period, the grouping and the rate card. It begins with the last month."""
    del request
    end = desk.now().astimezone(desk.zone).date().replace(day=1)
    start = (end - timedelta(days=1)).replace(day=1)
    return show(desk, "reports.html.j2", start=start, end=end, keys=_keys(desk))


def make(desk: Desk, request: Request, form: FormData) -> Response:
    """Begins to make a report."""
    del request
    start, end = text_of(form, "start"), text_of(form, "end")
    try:
        period = parse_period(start, end, text_of(form, "zone") or desk.zone.key)
    except CommandError as error:
        raise CommandError(error.message.replace("--", "")) from None
    by = _by(desk, form)
    stations = text_of(form, "stations").split()
    card = _card(form.get("card"))
    making = Making(f"{start} to {end}, by {' and '.join(by)}")

    def work() -> None:
        made = report(Tables(desk.stack), period, keys_to_read(by), stations, [], card, making.progress)
        figures = by_names(made.figures, by, desk.catalog or Catalog())
        making.report = replace(made, names=desk.catalog, figures=figures)

    making.start(work)
    return see_other(desk, f"/reports/made?id={desk.reports.put(making)}")


def _keys(desk: Desk) -> list[Key]:
    """What a report can be grouped by: names only if there is a catalog."""
    return [each for each in Key if desk.catalog or not each.is_name]


def _by(desk: Desk, form: FormData) -> list[Key]:
    """What the user groups by; the station if nothing was chosen."""
    chosen = [each for each in form.getlist("by") if isinstance(each, str)]
    try:
        by = [Key(each) for each in chosen] or [Key.STATION]
    except ValueError:
        raise CommandError(f"group by is {shown(chosen)}: it must be of {', '.join(_keys(desk))}") from None
    if unnamed := [each for each in by if each not in _keys(desk)]:
        raise CommandError(f"a report by {unnamed[0]} needs a catalog: start `playlog web --catalog FILE`")
    return by


def _card(sent: object) -> RateCard | None:
    """The rate card that was uploaded; None if there is none."""
    if not isinstance(sent, UploadFile) or not sent.filename:
        return None
    content = sent.file.read(LARGEST_CARD + 1)
    if len(content) > LARGEST_CARD:
        raise CommandError("the rate card is larger than 1 MB: send a TOML file of rules")
    try:
        return parse_rate_card(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise CommandError(f"{shown(sent.filename)} is not UTF-8: save the file as UTF-8") from None
    except RateCardError as error:
        raise CommandError(f"{shown(sent.filename)}: {error}") from None


def show_made(desk: Desk, request: Request) -> Response:
    """How far a report is, and the report; the part alone for the script that asks for it again and again."""
    key = request.query_params.get("id", "")
    template = "report_part.html.j2" if "hx-request" in request.headers else "report.html.j2"
    return show(desk, template, making=desk.reports.get(key), key=key)


def show_page(desk: Desk, request: Request) -> Response:
    """The page of a report."""
    file = StringIO()
    write_page(_report(desk, request), file)
    return HTMLResponse(file.getvalue(), headers={"Content-Security-Policy": PAGE_POLICY})


def download(desk: Desk, request: Request) -> Response:
    """A file of a report: CSV, JSON or the page."""
    made = _report(desk, request)
    kind = request.query_params.get("kind", "")
    file = StringIO()
    match kind:
        case "csv":
            write_csv(made, file)
        case "json":
            json.dump(as_json(made), file, indent=2)
        case "html":
            write_page(made, file)
        case _:
            raise CommandError(f"kind is {shown(kind)}: it must be csv, json or html")
    period = made.figures.period
    name = f"plays-{period.start}-{period.end}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": PAGE_POLICY}
    types = {"csv": "text/csv; charset=utf-8", "json": "application/json", "html": "text/html; charset=utf-8"}
    return Response(file.getvalue(), headers=headers, media_type=types[kind])


def _report(desk: Desk, request: Request) -> Report:
    making = desk.reports.get(request.query_params.get("id", ""))
    if making.report is None:
        raise CommandError(making.problem or "this report is not ready yet")
    return making.report

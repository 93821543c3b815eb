"""The addresses of the page."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from playlog_cli.web.access.gate import Gate, Keys
from playlog_cli.web.access.tickets import Tickets
from playlog_cli.web.desk import Desk
from playlog_cli.web.pages import failures, many, mending, overview, parking_lot, plays, reports
from playlog_cli.web.rendering import STATIC
from playlog_cli.web.routing import action, defect, gone, http_error, page

ROUTES = (
    page("/", overview.show_overview),
    page("/overview/running", overview.show_running),
    page("/overview/backlog", overview.show_backlog),
    page("/overview/alarms", overview.show_alarms),
    page("/overview/failures", overview.show_failures),
    page("/overview/plays", overview.show_plays),
    page("/failures", failures.show_list),
    page("/failures/counts", failures.show_counts),
    page("/failures/match", mending.show_match),
    action("/failures/match", mending.correct),
    action("/failures/verdict", mending.verdict, changes=False),
    action("/failures/preview", many.preview, changes=False),
    page("/failures/preview", many.show_preview),
    action("/failures/apply", many.apply),
    page("/failures/job", many.show_job),
    page("/plays", plays.show_search),
    page("/plays/day", plays.show_day),
    page("/plays/track", plays.show_track),
    page("/plays/play", plays.show_play),
    page("/plays/matches", plays.show_matches),
    action("/plays/edit", plays.edit),
    page("/parking-lot", parking_lot.show_count),
    action("/parking-lot/look", parking_lot.look),
    action("/parking-lot/redrive", parking_lot.send_back),
    page("/reports", reports.show_form),
    action("/reports", reports.make, changes=False),
    page("/reports/made", reports.show_made),
    page("/reports/page", reports.show_page),
    page("/reports/file", reports.download),
)


def site(desk: Desk, host: str, keys: Keys, tickets: Tickets) -> Gate:
    """The whole site, behind its gate.

    Args:
        desk: what the pages work with.
        host: the only value of ``Host`` that is accepted.
        keys: the session's secrets.
        tickets: the tokens that let a browser in.
    """
    routes: list[Route | Mount] = [*ROUTES, Mount("/static", StaticFiles(directory=STATIC))]
    handlers = {HTTPException: http_error, ClientDisconnect: gone, Exception: defect}
    made = Starlette(routes=routes, exception_handlers=handlers)
    made.state.desk = desk
    return Gate(made, host, keys, tickets)

"""The parking lot: dead letters that could not be stored, and sending them back."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from playlog_cli.failures.parking_lot import count_parked, list_parked, redrive
from playlog_cli.web.addresses import number_of
from playlog_cli.web.desk import Desk
from playlog_cli.web.routing import see_other, show

SHOWN = 20


def show_count(desk: Desk, request: Request) -> Response:
    """How many letters are parked. To look at them hides them from others for a moment, so that it takes a click."""
    moved = request.query_params.get("moved", "")
    total = count_parked(desk.stack)
    return show(desk, "parking_lot.html.j2", total=total, parked=None, moved=number_of(moved) if moved else None)


def look(desk: Desk, request: Request, form: FormData) -> Response:
    """The letters, and what is wrong with them. None is removed."""
    del request, form
    parked = list_parked(desk.stack, SHOWN)
    return show(desk, "parking_lot.html.j2", total=parked.total, parked=parked, moved=None)


def send_back(desk: Desk, request: Request, form: FormData) -> Response:
    """Sends all letters back to the dead-letter queue, to be stored again."""
    del request, form
    done = redrive(desk.stack)
    return see_other(desk, f"/parking-lot?moved={done.moved}")

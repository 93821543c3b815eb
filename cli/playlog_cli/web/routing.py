"""Turns a function of a page into a route: runs it beside the event loop, checks forms, and shows errors as a page."""

from collections.abc import Callable
from hmac import compare_digest
from typing import Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from playlog_cli.errors import CommandError, explained
from playlog_cli.web.addresses import SiteRequest, text_of
from playlog_cli.web.desk import Desk
from playlog_cli.web.rendering import render

Show: TypeAlias = Callable[[Desk, Request], Response]
Act: TypeAlias = Callable[[Desk, Request, FormData], Response]

CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
MOST_FIELDS = 2000  # a page of checkboxes and a form


def page(path: str, show: Show) -> Route:
    """A route that changes nothing.

    Args:
        path: its address.
        show: makes the answer.
    """

    async def answer(sent: Request) -> Response:
        request = SiteRequest(sent.scope)
        return await _answered(request, lambda desk: show(desk, request))

    return Route(path, answer, methods=["GET"])


def action(path: str, act: Act, *, changes: bool = True) -> Route:
    """A route that takes a form.

    Args:
        path: its address.
        act: makes the answer.
        changes: whether it changes something: a server that is read-only refuses it.
    """

    async def answer(sent: Request) -> Response:
        request = SiteRequest(sent.scope, sent.receive)
        desk: Desk = request.app.state.desk
        async with request.form_within_limit(MOST_FIELDS) as form:
            token = request.headers.get(CSRF_HEADER) or text_of(form, CSRF_FIELD)
            if not compare_digest(token.encode(errors="replace"), desk.csrf.encode()):
                raise HTTPException(403, "The form is not one of this page: reload the page, and send it again.")
            if changes and desk.read_only:
                raise HTTPException(403, "This server was started with --read-only: it changes nothing.")
            return await _answered(request, lambda desk: act(desk, request, form))

    return Route(path, answer, methods=["POST"])


async def _answered(request: Request, work: Callable[[Desk], Response]) -> Response:
    desk: Desk = request.app.state.desk
    try:
        return await run_in_threadpool(work, desk)
    except (CommandError, BotoCoreError, ClientError) as error:
        status = 400 if isinstance(error, CommandError) else 502
        return error_page(request, status, explained(error) or "")


def show(desk: Desk, template: str, *, status: int = 200, **values: Any) -> Response:
    """An answer from a template.

    Args:
        desk: what the pages work with.
        template: name of a file in ``templates``.
        status: of HTTP.
        values: what it shows.
    """
    return HTMLResponse(render(template, desk=desk, **values), status)


def error_page(request: Request, status: int, message: str) -> Response:
    """An error as a page, or as a part of one if a script asked."""
    template = "error_part.html.j2" if "hx-request" in request.headers else "error.html.j2"
    return show(request.app.state.desk, template, status=status, message=message)


def see_other(desk: Desk, address: str) -> Response:
    """Leads to a page after a form.

    Args:
        desk: what the pages work with.
        address: of the page, within the site.
    """
    return RedirectResponse(desk.home + address, status_code=303)


async def http_error(request: Request, error: Exception) -> Response:
    """Handles what Starlette raises, such as an unknown address."""
    assert isinstance(error, HTTPException)
    answer = error_page(request, error.status_code, error.detail)
    answer.headers.update(error.headers or {})  # such as Allow
    return answer


async def gone(request: Request, error: Exception) -> Response:
    """Handles a browser that went away before it had sent its form. Nobody reads the answer."""
    del request, error
    return Response(status_code=400)


async def defect(request: Request, error: Exception) -> Response:
    """Handles what no code expects. Starlette raises it again, so that the terminal shows where it happened."""
    message = f"{type(error).__name__}: this is a defect of playlog. The terminal of `playlog web` says more."
    return error_page(request, 500, message)

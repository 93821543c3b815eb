"""Who gets in: only the browser that was opened with the token, at the one address, and no other site through it.

A server on loopback is reachable from every page that the user's browser shows, and from every program of the machine.
So each request must name this server in ``Host`` (a rebound name of another site does not), must not come from another
origin, and must carry the session's cookie, which a browser gets in exchange for a token that is good once.

Browsers send a cookie to every port of its host, so also to a server of another user on 127.0.0.1. They send it only
to the path that it names: all pages are below a random path, which no other server knows.

Sources: OWASP "Cross-Site Request Forgery Prevention Cheat Sheet"
(https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html), W3C "Fetch
Metadata Request Headers" (https://www.w3.org/TR/fetch-metadata/), W3C "Content Security Policy Level 3"
(https://www.w3.org/TR/CSP3/), RFC 6265 "HTTP State Management Mechanism", 8.5 "Weak Confidentiality": cookies are not
isolated by port (https://www.rfc-editor.org/rfc/rfc6265#section-8.5).
"""

from dataclasses import dataclass, field
from hmac import compare_digest

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playlog_cli.web.access.tickets import ENTRY, Tickets, new_secret

SAFE_METHODS = {"GET", "HEAD"}
COOKIE = "playlog"
# No inline script or style, nothing from elsewhere, and no other page may frame this one.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
HOW_TO_ENTER = "Open the address that `playlog web` printed last: it holds a token that lets one browser in, once.\n"
# A redirect would still belong to the page that led here, and a browser would not send a cookie with SameSite=Strict.
ENTERED = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={home}"><title>playlog</title>
<p><a href="{home}">To the overview</a></p></html>
"""


@dataclass(frozen=True)
class Keys:
    """The secrets of one run of the server. They end with it.

    Attributes:
        home: the path of all pages, like ``/Zk3…``.
        session: the value of the cookie.
        csrf: in each form and in each request of a script.
    """

    home: str = field(default_factory=lambda: f"/{new_secret()[:22]}")
    session: str = field(default_factory=new_secret)
    csrf: str = field(default_factory=new_secret)


class Gate:
    """Refuses whatever is not a request of the user's own page, and sets the headers of each answer.

    Args:
        app: gets the requests that pass. Its addresses do not hold ``Keys.home``.
        host: the only value of ``Host`` that is accepted, like ``127.0.0.1:8500``.
        keys: the session's secrets.
        tickets: the tokens that let a browser in.
    """

    def __init__(self, app: ASGIApp, host: str, keys: Keys, tickets: Tickets) -> None:
        self._app = app
        self._host = host
        self._keys = keys
        self._tickets = tickets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a refused request itself, and passes the others on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there is no WebSocket
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._answer(Request(scope)) or self._app
        await answer({**scope, "root_path": self._keys.home}, receive, send_with_headers)

    def _answer(self, request: Request) -> Response | None:
        """The answer to a request that does not pass; None for one that does."""
        if request.headers.getlist("host") != [self._host]:
            return _refusal(421, f"This server answers at http://{self._host} alone.\n")
        if request.scope["path"] == ENTRY:
            return self._enter(request)
        if why := self._foreign(request):
            return _refusal(403, why)
        if not self._knows(request):
            return _refusal(403, HOW_TO_ENTER)
        return None

    def _knows(self, request: Request) -> bool:
        """Whether a request has the session's path and cookie."""
        first = "/" + request.scope["path"][1:].partition("/")[0]
        return compare_digest(first.encode(errors="replace"), self._keys.home.encode()) and compare_digest(
            request.cookies.get(COOKIE, "").encode(), self._keys.session.encode()
        )

    def _foreign(self, request: Request) -> str | None:
        """Why a request comes from elsewhere; None if it does not."""
        origin = request.headers.get("origin")
        if origin is None and request.method not in SAFE_METHODS:
            return "A change must say which page it comes from, in the header Origin.\n"
        if origin not in (None, f"http://{self._host}"):
            return "This request comes from another origin.\n"
        # A browser sends it with every request to loopback; another program need not.
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "This request comes from another site.\n"
        return None

    def _enter(self, request: Request) -> Response:
        """Exchanges a token for the cookie. Any page may lead here, such as the file that a browser is opened with."""
        if request.method != "GET" or not self._tickets.redeem(request.query_params.get("token", "")):
            return _refusal(403, HOW_TO_ENTER)
        home = self._keys.home
        answer = HTMLResponse(ENTERED.format(home=f"{home}/"))
        answer.set_cookie(COOKIE, self._keys.session, httponly=True, samesite="strict", path=home)
        return answer


def _refusal(status: int, text: str) -> Response:
    return PlainTextResponse(text, status_code=status)

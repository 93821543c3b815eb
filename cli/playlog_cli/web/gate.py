"""Who gets in: only the browser that was opened with the token, at the one address, and no other site through it.

A server on loopback is reachable from every page that the user's browser shows, and from every program of the machine.
So each request must name this server in ``Host`` (a rebound name of another site does not), must not come from another
origin, and must carry the session's cookie, which a browser gets once in exchange for the token.

Sources: OWASP "Cross-Site Request Forgery Prevention Cheat Sheet"
(https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html), W3C "Fetch
Metadata Request Headers" (https://www.w3.org/TR/fetch-metadata/), W3C "Content Security Policy Level 3"
(https://www.w3.org/TR/CSP3/).
"""

import secrets
from dataclasses import dataclass, field
from hmac import compare_digest

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = {"GET", "HEAD"}
ENTRY = "/enter"  # where the token is exchanged for the cookie
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
HOW_TO_ENTER = "Open the address that `playlog web` printed: it holds the token of this session.\n"


def _secret() -> str:
    return secrets.token_urlsafe(32)  # 256 bits


@dataclass(frozen=True)
class Keys:
    """The secrets of one run of the server. They end with it.

    Attributes:
        token: in the address that opens the browser.
        session: the value of the cookie.
        csrf: in each form and in each request of a script.
    """

    token: str = field(default_factory=_secret)
    session: str = field(default_factory=_secret)
    csrf: str = field(default_factory=_secret)


class Gate:
    """Middleware that refuses whatever is not a request of the user's own page, and sets the headers of each answer.

    Args:
        app: gets the requests that pass.
        host: the only value of ``Host`` that is accepted, like ``127.0.0.1:8500``.
        keys: the session's secrets.
    """

    def __init__(self, app: ASGIApp, host: str, keys: Keys) -> None:
        self._app = app
        self._host = host
        self._keys = keys

    @property
    def cookie(self) -> str:
        """Name of the cookie. Browsers keep no cookies apart by port, so that the name holds it."""
        return f"playlog-{self._host.rpartition(':')[2]}"

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
        await answer(scope, receive, send_with_headers)

    def _answer(self, request: Request) -> Response | None:
        """The answer to a request that does not pass; None for one that does."""
        if request.headers.getlist("host") != [self._host]:
            return _refusal(421, f"This server answers at http://{self._host} alone.\n")
        if why := self._foreign(request):
            return _refusal(403, why)
        if request.url.path == ENTRY:
            return self._enter(request)
        if not compare_digest(request.cookies.get(self.cookie, "").encode(), self._keys.session.encode()):
            return _refusal(403, HOW_TO_ENTER)
        return None

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
        token = request.query_params.get("token", "")
        if request.method != "GET" or not compare_digest(token.encode(), self._keys.token.encode()):
            return _refusal(403, HOW_TO_ENTER)
        answer = RedirectResponse("/", status_code=303)  # so that the token leaves the address bar
        answer.set_cookie(self.cookie, self._keys.session, httponly=True, samesite="strict", path="/")
        return answer


def _refusal(status: int, text: str) -> Response:
    return PlainTextResponse(text, status_code=status)

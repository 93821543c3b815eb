"""Asks a site as a browser does, without a socket: one request, one answer."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import unquote, urlencode

from playlog_cli.web.access.tickets import ENTRY
from starlette.types import ASGIApp, Message

HOST = "127.0.0.1:8500"


@dataclass(frozen=True)
class Answer:
    """An answer of the site."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Client:
    """A browser with its cookies.

    Attributes:
        app: the site.
        home: the path of all pages; it need not be written in an address.
        cookies: those that it was given.
        defects: what the site did not expect.
    """

    app: ASGIApp
    home: str
    cookies: dict[str, str] = field(default_factory=dict)
    defects: list[Exception] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> Answer:
        """Asks for an address. A header's name is written with ``_`` for ``-``."""
        return self.ask("GET", path, b"", **headers)

    def post(self, path: str, form: Mapping[str, str] | Iterable[tuple[str, str]], **headers: str) -> Answer:
        """Sends a form as a page of the site does. An empty header is left out."""
        pairs = list(form.items()) if isinstance(form, Mapping) else list(form)
        sent = {"origin": f"http://{HOST}", "content_type": "application/x-www-form-urlencoded", **headers}
        return self.ask("POST", path, urlencode(pairs).encode(), **sent)

    def ask(self, method: str, path: str, body: bytes | None = b"", **headers: str) -> Answer:
        """Sends any request. If there is no body, the browser goes away before it has sent one."""
        named = {"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            named.setdefault("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        address, _, query = path.partition("?")
        if address != ENTRY and not f"{address}/".startswith(f"{self.home}/"):
            address = self.home + address
        scope: dict[str, object] = {
            "type": "http",
            "method": method,
            "path": unquote(address),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items() if value],
            "server": ("127.0.0.1", 8500),
            "client": ("127.0.0.1", 50000),
            "scheme": "http",
            "http_version": "1.1",
        }
        messages: list[Message] = []
        asyncio.run(self._run(scope, body, messages))
        start = messages[0]
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        for cookie in SimpleCookie(answered.get("set-cookie", "")).values():
            self.cookies[cookie.key] = cookie.value
        text = b"".join(message.get("body", b"") for message in messages[1:]).decode()
        return Answer(start["status"], answered, text)

    async def _run(self, scope: dict[str, object], body: bytes | None, messages: list[Message]) -> None:
        async def receive() -> Message:
            if body is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        try:
            await self.app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - Starlette raises it again once it has answered
            self.defects.append(error)


def previewed(client: Client, form: Mapping[str, str] | Iterable[tuple[str, str]]) -> Answer:
    """Asks for a preview of a correction, and waits for it. Returns the last answer."""
    answer = client.post("/failures/preview", form)
    if answer.status != 303:
        return answer
    for _ in range(200):  # each of them waits for a moment
        page = client.get(answer.headers["location"])
        if "matches read" not in page.text:
            return page
    raise AssertionError(page.text)

"""Serves the site on loopback until Ctrl-C."""

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from playlog_cli.errors import CommandError

LOOPBACK = "127.0.0.1"


def listen(port: int | None) -> socket.socket:
    """A socket of the loopback interface: no other machine reaches it.

    Args:
        port: its port; None for a free one.

    Raises:
        CommandError: the port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port or 0))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"--port {port} cannot be used: {error.strerror}: name another one, or none for a free one"
        ) from None
    listener.listen()
    return listener


def host_of(listener: socket.socket) -> str:
    """The ``Host`` that a browser sends to a socket."""
    return f"{LOOPBACK}:{listener.getsockname()[1]}"


def serve(app: ASGIApp, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Answers requests until Ctrl-C.

    Args:
        app: the site.
        listener: made by ``listen``.
        ready: called once the server answers.
    """
    # No warnings: each program of the machine could fill the terminal with requests that are not HTTP.
    config = uvicorn.Config(
        app, log_level="error", access_log=False, server_header=False, proxy_headers=False, ws="none"
    )
    server = _Server(config, ready)
    with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has shut down
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Calls ``ready`` after the server has started."""
        await super().startup(sockets)
        self._ready()

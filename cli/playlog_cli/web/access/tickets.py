"""Tokens that let a browser in. Each is good for one browser, once."""

import secrets
from collections.abc import Callable
from hmac import compare_digest
from threading import Lock

ENTRY = "/enter"  # where a token is exchanged for the cookie


def new_secret() -> str:
    """A random text of 256 bits, as an address can hold it."""
    return secrets.token_urlsafe(32)


def entry(host: str, token: str) -> str:
    """The address that lets a browser in."""
    return f"http://{host}{ENTRY}?token={token}"


class Tickets:
    """The tokens that were not used yet.

    Args:
        used: called with each token that has let a browser in.
    """

    def __init__(self, used: Callable[[str], None]) -> None:
        self._used = used
        self._unused: set[str] = set()
        self._lock = Lock()

    def issue(self) -> str:
        """A new token."""
        token = new_secret()
        with self._lock:
            self._unused.add(token)
        return token

    def redeem(self, token: str) -> bool:
        """Whether a token lets a browser in. It does so once."""
        with self._lock:
            known = [each for each in self._unused if compare_digest(each.encode(), token.encode(errors="replace"))]
            self._unused.difference_update(known)
        if known:
            self._used(token)
        return bool(known)

"""Ids in addresses and hidden fields: they come back as they went out, whatever characters they hold.

DynamoDB takes half a surrogate pair, which UTF-8 has not: it is written as three bytes of its own.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from urllib.parse import parse_qsl, quote, unquote, urlencode

from starlette.datastructures import FormData, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from playlog_cli.errors import CommandError

HALVES = "surrogatepass"
LARGEST_BODY = 2_000_000  # bytes of a form: a page of the longest ids, or a rate card
MOST_DIGITS = 9


def query_of(values: Mapping[str, object]) -> str:
    """The query of an address."""
    return urlencode(values, errors=HALVES)


def packed(text: str) -> str:
    """A key for a hidden field: browsers change line ends there, and ``rendering`` other characters."""
    return quote(text, safe="", errors=HALVES)


def unpacked(text: str) -> str:
    """Reads what ``packed`` wrote.

    Raises:
        CommandError: it is something else.
    """
    try:
        return unquote(text, errors=HALVES)
    except UnicodeDecodeError:
        raise CommandError("a field of the form is not one of this page: reload the page, and send it again") from None


def text_of(form: FormData, name: str) -> str:
    """A text of a form; empty if it is absent or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def key_of(form: FormData, name: str) -> str:
    """A key in a hidden field, as ``packed`` wrote it."""
    return unpacked(text_of(form, name))


def number_of(text: str) -> int:
    """A number in an address; 0 if it is not one."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else 0


class SiteRequest(Request):
    """A request that reads the addresses of ``query_of``, and no form that is larger than any of this site."""

    @cached_property
    def query_params(self) -> QueryParams:
        """The values in the address.

        Raises:
            HTTPException: the address is not one of this site.
        """
        query = self.scope["query_string"].decode("latin-1")
        try:
            return QueryParams(parse_qsl(query, keep_blank_values=True, errors=HALVES))
        except ValueError:
            raise HTTPException(400, "The address is not one of this page: begin with the overview.") from None

    def form_within_limit(self, most_fields: int) -> AbstractAsyncContextManager[FormData]:
        """The form, whose file is closed at the end of a block.

        Args:
            most_fields: how many fields it may have.

        Raises:
            HTTPException: it is not a form, or too large.
        """
        read, receive = 0, self._receive

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST_BODY:
                raise HTTPException(413, f"The form is too large: this page takes {LARGEST_BODY:,} bytes.")
            return message

        return Request(self.scope, limited).form(max_files=1, max_fields=most_fields)

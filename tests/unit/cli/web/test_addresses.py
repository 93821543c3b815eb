"""An id comes back from an address and from a hidden field as it went out, whatever characters it holds."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from playlog_cli.errors import CommandError
from playlog_cli.web.addresses import LARGEST_BODY, SiteRequest, key_of, number_of, packed, query_of, unpacked
from playlog_cli.web.rendering import typed
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.types import Message

TEXTS = st.text(st.characters())
HALF = "half\ud83d"  # of a surrogate pair


def asked(query: str) -> SiteRequest:
    return SiteRequest({"type": "http", "query_string": query.encode(), "headers": []})


@given(TEXTS, TEXTS)
@example(HALF, HALF)
def test_an_address_gives_back_what_it_was_made_of(one: str, other: str) -> None:
    assert dict(asked(query_of({"one": one, "other": other})).query_params) == {"one": one, "other": other}


@given(TEXTS)
@example(HALF)
def test_a_hidden_field_gives_back_what_it_was_made_of(text: str) -> None:
    field = packed(text)
    assert field.isascii()
    assert field.isprintable()
    assert key_of(FormData([("id", field)]), "id") == text


@pytest.mark.parametrize("field", ["%ff", "%ed%a0", "%c3"])
def test_a_forged_field_or_address_is_said(field: str) -> None:
    with pytest.raises(CommandError, match="reload the page"):
        unpacked(field)
    with pytest.raises(HTTPException, match="begin with the overview"):
        _ = asked(f"id={field}").query_params


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("", 0), ("-1", 0), ("\u00b2", 0), ("9" * 5000, 0), ("x", 0), ("9" * 9, 10**9 - 1)]
)
def test_a_forged_number_is_0(text: str, number: int) -> None:
    assert number_of(text) == number


@given(TEXTS)
@example(HALF)
def test_what_was_typed_can_always_be_shown_again(text: str) -> None:
    assert "<" not in typed(text).encode().decode()


def test_a_body_is_not_read_beyond_the_limit() -> None:
    chunks = 0

    def endless() -> Iterator[bytes]:
        while True:
            yield b"&id=" + b"x" * 99_996

    body = endless()

    async def receive() -> Message:
        nonlocal chunks
        chunks += 1
        return {"type": "http.request", "body": next(body), "more_body": True}

    async def read() -> None:
        form = [(b"content-type", b"application/x-www-form-urlencoded")]
        request = SiteRequest({"type": "http", "query_string": b"", "headers": form}, receive)
        async with request.form_within_limit(10**9):
            pass

    with pytest.raises(HTTPException) as refused:
        asyncio.run(read())
    assert refused.value.status_code == 413
    assert chunks <= LARGEST_BODY // 100_000 + 1

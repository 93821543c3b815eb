"""Renders the templates. Each value is escaped for HTML, and control and bidi characters are shown, not obeyed."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from playlog.domain import timestamps

from playlog_cli.terminal import age, counted, escaped
from playlog_cli.web.addresses import packed, query_of

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


def render(template: str, **values: Any) -> str:
    """A page or a part of one.

    Args:
        template: name of a file in ``templates``.
        values: what it shows.
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters |= {
        "count": "{:,}".format,
        "counted": counted,
        "age": age,
        "when": when,
        "value": value_in_words,
        "local": local,
    }
    made.filters |= {"packed": packed, "urlencode": query_of, "typed": typed}
    return made


def _finalize(value: Any) -> Any:
    """Shows the characters of data that would reorder a text or hide in it. Markup was made by a template."""
    return escaped(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def typed(text: str) -> Markup:
    """What a user typed, for the field in which it was typed: no character is replaced by its name."""
    return escape(text.encode(errors="replace").decode())


def local(instant: datetime, zone: ZoneInfo) -> datetime:
    """An instant in a time zone; in UTC if it is the first or the last day that there is."""
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant


def when(text: str, zone: ZoneInfo) -> str:
    """A time of the tables in a time zone, to the second: ``2026-03-14 07:00:00``. Other texts stay as they are."""
    try:
        instant: datetime = timestamps.from_text(text)
    except ValueError:
        return text
    return f"{local(instant, zone):%Y-%m-%d %H:%M:%S}"


def value_in_words(value: Any) -> str:
    """A value of an attribute: a text as it is, another value as JSON, and ``absent`` for None."""
    if value is None:
        return "absent"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""Read a log format from TOML (docs/log-formats.md). Pure."""

import re
import tomllib
from typing import Any
from zoneinfo import ZoneInfo

from playlog_cli.errors import shown
from playlog_cli.loading.files.text import encoding_problem
from playlog_cli.loading.formats.model import Ambiguous, FormatError, Heading, LogFormat, Skip, TrackFrom
from playlog_cli.loading.formats.reading.columns import FILE_PART
from playlog_cli.loading.formats.toml.match_table import is_date_format, parse_duration, parse_texts, parse_time
from playlog_cli.loading.formats.toml.values import (
    KEYS_OF_FORMATS,
    check_keys,
    choice,
    column,
    described,
    flag,
    text,
    texts,
    whole_number,
)
from playlog_cli.time_zones import time_zone, wanted_zone

_KEYS = ("about", "sources", *KEYS_OF_FORMATS, "match", "skip", "heading", "fixed_width")
_LINE = re.compile(r"\(at line (\d+)")  # of an error of tomllib
_UNQUOTED = re.compile(r"""\s*([\w.-]+)\s*=\s*([^\s"'\[{#][^"#]*?)\s*(#.*)?""")
MOST_SKIPPED_LINES = 1_000
_LONGEST_ROW = 10_000  # characters, of columns of a fixed width


def parse_format(name: str, toml: str) -> LogFormat:
    """Reads a log format from TOML.

    Args:
        name: of the format, for messages.
        toml: its text.

    Raises:
        FormatError: it is wrong: which key, and what would be right.
    """
    try:
        values = tomllib.loads(toml)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"this is not TOML: {error}{_quotes_missing(toml, str(error))}") from None
    check_keys(values, _KEYS, "the format")
    table = values.get("match")
    if not isinstance(table, dict):
        raise FormatError(f"match {described(table)}: write [match] and below it where each attribute comes from")
    return LogFormat(
        name=name,
        matched_at=parse_time(table),
        texts=parse_texts(table),
        duration=parse_duration(table),
        track_from=_track_from(values["track_from"]) if "track_from" in values else tuple(TrackFrom),
        skips=_skips(values.get("skip", [])),
        headings=_headings(values.get("heading", [])),
        delimiter=_delimiter(values["delimiter"]) if "delimiter" in values else None,
        quote=_quote(values.get("quote", '"')),
        encoding=_encoding(values["encoding"]) if "encoding" in values else None,
        has_header=flag(values.get("header", True), "header"),
        skip_lines=whole_number(values.get("skip_lines", 0), "skip_lines", 0, MOST_SKIPPED_LINES),
        optional_columns=frozenset(texts(values["optional_columns"], "optional_columns", '["ISRC"]'))
        if "optional_columns" in values
        else frozenset(),
        time_zone=_zone(values["time_zone"]) if "time_zone" in values else None,
        ambiguous=choice(Ambiguous, values.get("ambiguous", "error"), "ambiguous"),
        blank=frozenset(texts(values["blank"], "blank", '["n/a", "-"]')) if "blank" in values else frozenset(),
        sheet=text(values["sheet"], "sheet", '"Playlist"') if "sheet" in values else None,
        rows=text(values["rows"], "rows", '"programmes.songs"') if "rows" in values else None,
        file_name=_file_name(values["file_name"]) if "file_name" in values else None,
        fixed_width=_fixed_width(values["fixed_width"], values) if "fixed_width" in values else {},
    )


def _quotes_missing(toml: str, error: str) -> str:
    """Advice for a line whose value is a text without quotes; blank if the mistake is another one."""
    at = _LINE.search(error)
    line = toml.splitlines()[int(at[1]) - 1 :][:1] if at else []
    found = _UNQUOTED.fullmatch(line[0]) if line else None
    return f': put the text in quotes, like {found[1]} = "{found[2]}"' if found else ""


def _fixed_width(value: Any, values: dict[str, Any]) -> dict[str, tuple[int, int]]:
    if not isinstance(value, dict) or not value:
        raise FormatError(
            f"fixed_width {described(value)}: write [fixed_width], and below it a column like Time = [1, 8]"
        )
    for key in ("delimiter", "quote", "header", "sheet", "rows", "optional_columns"):
        if key in values:
            raise FormatError(f"the format has both fixed_width and {key}: columns of a fixed width have no {key}")
    found = {}
    for name, place in value.items():
        where = f"fixed_width.{name}"
        if not isinstance(place, list) or len(place) != 2:
            raise FormatError(
                f"{where} {described(place)}: it must be the first character from 1 and the number of characters, like "
                "[1, 8]"
            )
        found[name] = (
            whole_number(place[0], f"{where}: the first character", 1, _LONGEST_ROW),
            whole_number(place[1], f"{where}: the number of characters", 1, _LONGEST_ROW),
        )
    return found


def _track_from(value: Any) -> tuple[TrackFrom, ...]:
    return tuple(choice(TrackFrom, each, "track_from") for each in texts(value, "track_from", '["isrc", "track_id"]'))


def _skips(value: Any) -> tuple[Skip, ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise FormatError("skip is not a list of tables: head each rule with [[skip]]")
    found = []
    for number, table in enumerate(value, start=1):
        where = f"skip rule {number}"
        check_keys(table, ("column", "values", "except"), where)
        if ("values" in table) == ("except" in table):
            raise FormatError(
                f'{where} must have either values, like ["Jingle*", "News"], or except, like ["Music"], which keeps '
                "these and skips all others"
            )
        key = "values" if "values" in table else "except"
        patterns = texts(table[key], f"{where}: {key}", '["Jingle*", "News"]')
        found.append(Skip(column(table.get("column"), f"{where}: column"), patterns, is_kept=key == "except"))
    return tuple(found)


def _headings(value: Any) -> tuple[Heading, ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise FormatError("heading is not a list of tables: head each rule with [[heading]]")
    found = []
    for number, table in enumerate(value, start=1):
        where = f"heading rule {number}"
        check_keys(table, ("part", "column", "format"), where)
        part = text(table.get("part"), f"{where}: part", '"day"')
        if not part.isidentifier():
            raise FormatError(f'{where}: part is {shown(part)}: it must be a word, like "day"')
        date_format = text(table.get("format"), f"{where}: format", '"%d.%m.%Y"')
        if not is_date_format(date_format):
            raise FormatError(f'{where}: format is {shown(date_format)}: it must be that of a date, like "%d.%m.%Y"')
        found.append(Heading(part, column(table.get("column"), f"{where}: column"), date_format))
    return tuple(found)


def _delimiter(value: Any) -> str:
    if value == "tab":
        return "\t"
    if not isinstance(value, str) or len(value) != 1 or value in '\r\n"':
        raise FormatError(f'delimiter {described(value)}: it must be one character, like ";", or "tab"')
    return value


def _quote(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 1 or value in ("\r", "\n"):
        raise FormatError(f'quote {described(value)}: it must be one character, or "" if quotes have no meaning')
    return value


def _encoding(value: Any) -> str:
    name = text(value, "encoding", '"latin-1"')
    if problem := encoding_problem(name, "encoding"):
        raise FormatError(problem)
    return name


def _zone(value: Any) -> ZoneInfo:
    zone = time_zone(value) if isinstance(value, str) else None
    if zone is None:
        raise FormatError(f"time_zone {described(value)}: {wanted_zone(value)}")
    return zone


def _file_name(value: Any) -> str:
    pattern = text(value, "file_name", '"{station}_{day:8}.csv"')
    parts = [FILE_PART.fullmatch(part) for part in re.findall(r"\{.*?\}", pattern)]
    names = [part[1] for part in parts if part]
    if not parts or None in parts or len(set(names)) < len(names):
        raise FormatError(
            f"file_name is {shown(pattern)}: it must name each part once, in braces, like {{station}}_{{day:8}}.csv, "
            "where 8 is a number of characters"
        )
    return pattern

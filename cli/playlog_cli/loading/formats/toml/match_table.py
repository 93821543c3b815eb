"""Read the table `[match]` of a log format: where each attribute comes from. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from playlog.schema import MATCH_CACHE, Owner

from playlog_cli.errors import shown
from playlog_cli.loading.formats.model import (
    Clock,
    ColumnDuration,
    ConstantDuration,
    DurationSource,
    EndDuration,
    FormatError,
    NextRowDuration,
    TextSource,
    TimeSource,
)
from playlog_cli.loading.formats.reading.times import parse_time_text
from playlog_cli.loading.formats.toml.values import (
    KEYS_OF_FORMATS,
    check_keys,
    choice,
    column,
    columns,
    described,
    misplaced,
    text,
    whole_number,
)

LONGEST_DURATION = 86_400  # seconds; docs/contract.md, MatchCache
NUMBER_FORMATS = ("iso", "unix", "unix-ms", "excel")
_SAMPLE = datetime(2026, 11, 25, 17, 48, 53, tzinfo=UTC)  # no two parts are alike, and the hour is after noon
_NOT_FROM_FILES = {each.name for each in MATCH_CACHE if each.owner is not Owner.WRITER} | {
    "processed",
    "unprocessed_shard",
}


def parse_time(table: Mapping[str, Any]) -> TimeSource:
    """Where ``matched_at`` comes from.

    Args:
        table: the table ``match``.

    Raises:
        FormatError: it is missing or wrong.
    """
    value = table.get("matched_at")
    if value is None:
        raise FormatError(
            'match has no matched_at: say where the time comes from, like matched_at = { column = "Time" }'
        )
    if not isinstance(value, dict):
        return TimeSource((column(value, "matched_at"),), "iso")
    check_keys(value, ("column", "columns", "format"), "matched_at")
    time_format = _time_format(value.get("format", "iso"), "matched_at")
    if not _has_date(time_format):
        raise FormatError(
            f"matched_at.format is {shown(time_format)}, which has no date: join the columns of date and time, like "
            'columns = ["Date", "Time"]'
        )
    return TimeSource(_columns(value, "matched_at"), time_format)


def parse_duration(table: Mapping[str, Any]) -> DurationSource | None:
    """Where ``duration_seconds`` comes from; None if the format names nothing.

    Args:
        table: the table ``match``.

    Raises:
        FormatError: it is wrong.
    """
    value = table.get("duration_seconds")
    if value is None:
        return None
    if not isinstance(value, dict):
        return ColumnDuration(column(value, "duration_seconds"), Clock.SECONDS)
    check_keys(value, ("column", "end", "until_next", "constant", "format"), "duration_seconds")
    kinds = [key for key in ("column", "end", "until_next", "constant") if key in value]
    if len(kinds) != 1:
        raise FormatError(
            "duration_seconds must have one of column (which states it), end (the column of the end), until_next (the "
            f"most seconds up to the next row) and constant (seconds), but has {' and '.join(kinds) or 'none'}"
        )
    if "constant" in value:
        check_keys(value, ("constant",), "duration_seconds with a constant")
        return ConstantDuration(_seconds(value["constant"]))
    if "until_next" in value:
        check_keys(value, ("until_next",), "duration_seconds with until_next")
        return NextRowDuration(
            whole_number(value["until_next"], "duration_seconds.until_next", 1, LONGEST_DURATION),
        )
    if "end" in value:
        ends = value["end"]
        found = (
            columns(ends, "duration_seconds.end") if isinstance(ends, list) else (column(ends, "duration_seconds.end"),)
        )
        time_format = _time_format(value.get("format", "iso"), "duration_seconds")
        return EndDuration(TimeSource(found, time_format, _has_date(time_format)))
    clock = choice(Clock, value.get("format", Clock.SECONDS.value), "duration_seconds.format")
    return ColumnDuration(column(value["column"], "duration_seconds.column"), clock)


def parse_texts(table: Mapping[str, Any]) -> dict[str, TextSource]:
    """Where each other attribute comes from.

    Args:
        table: the table ``match``.

    Raises:
        FormatError: it is wrong.
    """
    found = {}
    for name, value in table.items():
        if name in ("matched_at", "duration_seconds"):
            continue
        if not name.strip():
            raise FormatError("match has an attribute without a name: name it")
        if name in KEYS_OF_FORMATS:
            raise FormatError(misplaced(name, "[match]"))
        if name in _NOT_FROM_FILES:
            raise FormatError(f"match has {name}, which playlog writes: leave it out")
        found[name] = _text_source(value, name)
    return found


def _text_source(value: Any, name: str) -> TextSource:
    if not isinstance(value, dict):
        return TextSource((column(value, name),))
    check_keys(value, ("column", "columns", "separator", "split", "part", "constant", "values", "prefix"), name)
    if "constant" in value:
        check_keys(value, ("constant",), f"{name} with a constant")
        return TextSource(constant=_constant(value["constant"], name))
    separator = value.get("separator", " ")
    if not isinstance(separator, str):
        raise FormatError(f'{name}.separator {described(separator)}: it must be a text, like " - "')
    if ("split" in value) != ("part" in value):
        raise FormatError(
            f'{name} must have both split and part: split = " - ", part = 1 is the text before the first " - ", and '
            "part = 2 the text after it"
        )
    return TextSource(
        _columns(value, name),
        separator,
        text(value["split"], f"{name}.split", '" - "') if "split" in value else "",
        whole_number(value.get("part", 1), f"{name}.part", 1, 2),
        values=_mapping(value["values"], name) if "values" in value else None,
        prefix=text(value["prefix"], f"{name}.prefix", '"fm-1:"') if "prefix" in value else "",
    )


def _seconds(value: Any) -> str:
    found = _constant(value, "duration_seconds")
    try:
        is_valid = 0 < float(found) <= LONGEST_DURATION
    except ValueError:
        is_valid = False
    if not is_valid:
        raise FormatError(
            f"duration_seconds.constant {described(value)}: it must be a number of seconds above 0, at most "
            f"{LONGEST_DURATION:,}, like 180"
        )
    return found


def _constant(value: Any, name: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return text(value, f"{name}.constant", '"fm-1"')


def _mapping(value: Any, name: str) -> dict[str, str]:
    if not isinstance(value, dict) or not value or not all(isinstance(each, str) for each in value.values()):
        raise FormatError(
            f'{name}.values {described(value)}: it must be a table of texts, like {{ "Radio One" = "fm-1" }}'
        )
    return dict(value)


def _columns(value: Mapping[str, Any], key: str) -> tuple[str | int, ...]:
    if ("column" in value) == ("columns" in value):
        raise FormatError(
            f'{key} must have either column or columns: {{ column = "Title" }} or {{ columns = ["Date", "Time"] }}'
        )
    if "column" in value:
        return (column(value["column"], f"{key}.column"),)
    return columns(value["columns"], f"{key}.columns")


def _time_format(value: Any, key: str) -> str:
    """A format for times that keeps the hour and the minute of a time."""
    wanted = 'it must be of strptime, like "%d.%m.%Y %H:%M:%S", or iso, unix, unix-ms or excel'
    if value in NUMBER_FORMATS:
        return str(value)
    if not isinstance(value, str) or "%" not in value:
        raise FormatError(f"{key}.format {described(value)}: {wanted}")
    if "%Z" in value:
        raise FormatError(
            f"{key}.format is {shown(value)}: %Z is not safe, because a name like CST is of several zones"
        )
    try:
        again = parse_time_text(_SAMPLE.strftime(value), value)
    except (ValueError, re.error) as error:
        raise FormatError(f"{key}.format is {shown(value)}, which cannot be used ({error}): {wanted}") from None
    if (again.hour, again.minute) != (_SAMPLE.hour, _SAMPLE.minute):
        raise FormatError(
            f"{key}.format is {shown(value)}, which does not say the time of the day: a 24-hour clock is %H:%M, a "
            "12-hour clock %I:%M %p"
        )
    return value


def _has_date(time_format: str) -> bool:
    if time_format in NUMBER_FORMATS:
        return True
    again = parse_time_text(_SAMPLE.strftime(time_format), time_format)
    return again.date() == _SAMPLE.date()


def is_date_format(value: str) -> bool:
    """Whether a format of ``strptime`` keeps a date."""
    try:
        return "%" in value and _has_date(value)
    except (ValueError, re.error):
        return False

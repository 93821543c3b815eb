"""Read a layout from TOML (docs/layouts.md). Pure."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from playlog_cli.catalog.entry import NAMES
from playlog_cli.errors import shown
from playlog_cli.layouts.fields import (
    CATALOG,
    DURATIONS,
    LENGTHS,
    NUMBERS,
    SETTING,
    TIMES,
    VALUES,
    field_names,
    is_field,
)
from playlog_cli.layouts.model import Column, Layout, LeaveOut, LineEnd, Quoting, Setting, Unit
from playlog_cli.loading.files.text import encoding_problem
from playlog_cli.loading.formats.model import FormatError
from playlog_cli.loading.formats.toml.values import check_keys, choice, described, flag, text, texts

_KEYS = (
    "about",
    "sources",
    "row",
    "file_name",
    "settings",
    "delimiter",
    "quote",
    "quoting",
    "line_end",
    "encoding",
    "plain_ascii",
    "upper_case",
    "remove",
    "header",
    "one_station",
    "column",
    "require",
    "leave_out",
)
_COLUMN_KEYS = ("name", "field", "constant", "format", "required", "number")
# The codes of Python's documentation. What others become depends on the machine.
_TIME_CODE = re.compile(r"%([aAwdbBmyYHIpMSfzZjUWcxXGuV%]|:z)?")
NAME_PART = re.compile(r"\{([\w.]+)(?::([^{}]+))?\}")


def parse_layout(name: str, toml: str) -> Layout:
    """Reads a layout from TOML.

    Args:
        name: of the layout, for messages.
        toml: its text.

    Raises:
        FormatError: it is wrong: which key, and what would be right.
    """
    try:
        values = tomllib.loads(toml, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"this is not TOML: {error}") from None
    check_keys(values, _KEYS, "the layout")
    unit = choice(Unit, values.get("row", Unit.PLAY), "row")
    settings = _settings(values.get("settings", {}))
    columns = _columns(values.get("column"), unit, settings)
    layout = Layout(
        name=name,
        columns=columns,
        unit=unit,
        file_name=_file_name(values.get("file_name"), settings, is_of_one_station=values.get("one_station", False)),
        settings=settings,
        alternatives=_alternatives(values.get("require", []), columns),
        leave_out=_leave_out(values.get("leave_out", []), settings),
        **_form(values),
    )
    _check_header(layout)
    return layout


def _form(values: Mapping[str, Any]) -> dict[str, Any]:
    """How the text looks."""
    delimiter, quote = values.get("delimiter", ","), values.get("quote", '"')
    if delimiter != "tab" and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in "\r\n\0"):
        raise FormatError(f'delimiter {described(delimiter)}: it must be one character, like ";", or "tab"')
    if not isinstance(quote, str) or len(quote) > 1:
        raise FormatError(f'quote {described(quote)}: it must be one character, like "^", or ""')
    if quote and quote in ("\t" if delimiter == "tab" else delimiter) + "\r\n\0":
        raise FormatError(f'quote {described(quote)}: it must be another character than the delimiter, like "^"')
    quoting = choice(Quoting, values.get("quoting", Quoting.NEEDED if quote else Quoting.NONE), "quoting")
    if bool(quote) is (quoting is Quoting.NONE):
        raise FormatError('quote and quoting contradict each other: write quote = "" and quoting = "none", or neither')
    encoding = text(values.get("encoding", "utf-8"), "encoding", '"latin-1"')
    if problem := encoding_problem(encoding, "encoding"):
        raise FormatError(problem)
    if not _writes_every_text(encoding):
        raise FormatError(f'encoding is {shown(encoding)}: it must be one for files of text, like "latin-1"')
    removed = values.get("remove", "")
    if not isinstance(removed, str):
        raise FormatError(f'remove {described(removed)}: it must be a text with the characters to remove, like "^|"')
    return {
        "delimiter": "\t" if delimiter == "tab" else delimiter,
        "quote": quote,
        "quoting": quoting,
        "line_end": choice(LineEnd, values.get("line_end", LineEnd.CRLF), "line_end"),
        "encoding": encoding,
        "is_plain_ascii": flag(values.get("plain_ascii", False), "plain_ascii"),
        "is_upper_case": flag(values.get("upper_case", False), "upper_case"),
        "removed": removed,
        "has_header": flag(values.get("header", True), "header"),
        "is_of_one_station": flag(values.get("one_station", False), "one_station"),
    }


def _writes_every_text(encoding: str) -> bool:
    """Whether characters that an encoding does not have become ``?``. Encodings of host names, for example, raise."""
    try:
        return "A.,\r\n\ud800".encode(encoding, "replace").decode(encoding) == "A.,\r\n?"
    except UnicodeError:
        return False


def _check_header(layout: Layout) -> None:
    """Checks that the first row can be written as it is.

    Raises:
        FormatError: a name has a character that would end the cell, or that the encoding does not have.
    """
    around = layout.quote or layout.delimiter
    for name in (column.name for column in layout.columns) if layout.has_header else ():
        if layout.quoting is not Quoting.NEEDED and set(name) & {around, "\r", "\n"}:
            raise FormatError(f"column {shown(name)}: its name must not have {shown(around)} or a line break")
        if name.encode(layout.encoding, "replace").decode(layout.encoding) != name:
            raise FormatError(f"column {shown(name)}: the encoding {layout.encoding} does not have these characters")


def _settings(value: Any) -> dict[str, Setting]:
    if not isinstance(value, dict):
        raise FormatError(f'settings {described(value)}: write [settings] and below it name = "what it means"')
    return {name: _setting(each, f"settings: {name}") for name, each in value.items()}


def _setting(value: Any, where: str) -> Setting:
    example = '"the name of your service"'
    if not isinstance(value, dict):
        return Setting(text(value, where, example))
    check_keys(value, ("about", "values", "number"), where)
    return Setting(
        about=text(value.get("about"), f"{where}: about", example),
        values=texts(value["values"], f"{where}: values", '["A", "B"]') if "values" in value else (),
        is_number=flag(value.get("number", False), f"{where}: number"),
    )


def _columns(value: Any, unit: Unit, settings: Mapping[str, Setting]) -> tuple[Column, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        raise FormatError("the layout has no column: head each one with [[column]]")
    columns = tuple(_column(table, number, unit, settings) for number, table in enumerate(value, start=1))
    names = [column.name for column in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FormatError(f"two columns are named {shown(twice[0])}: each column needs a name of its own")
    return columns


def _column(table: Mapping[str, Any], number: int, unit: Unit, settings: Mapping[str, Setting]) -> Column:
    where = f"column {number}"
    check_keys(table, _COLUMN_KEYS, where)
    name = text(table.get("name"), f"{where}: name", '"TITLE"')
    where = f"column {shown(name)}"
    if "field" in table and "constant" in table:
        raise FormatError(f"{where} has field and constant: its cells come from one of them")
    field = text(table["field"], f"{where}: field", '"title"') if "field" in table else None
    if field:
        _check_field(field, where, unit, settings)
    form = text(table["format"], f"{where}: format", '"%Y-%m-%d"') if "format" in table else None
    if form and field in LENGTHS and form not in DURATIONS:
        raise FormatError(f"{where}: format is {shown(form)}: it must be one of {', '.join(DURATIONS)}")
    if form and field not in (*LENGTHS, *TIMES):
        raise FormatError(f"{where}: only times and durations have a format")
    if form and field in TIMES:
        _check_time_format(form, where)
    return Column(
        name=name,
        field=field,
        constant=text(table["constant"], f"{where}: constant", '"A"') if "constant" in table else "",
        format=form,
        is_required=flag(table.get("required", False), f"{where}: required"),
        is_number=flag(table.get("number", False), f"{where}: number"),
    )


def _check_time_format(form: str, where: str) -> None:
    for code in _TIME_CODE.finditer(form):
        if code[1] is None:
            raise FormatError(
                f"{where}: format is {shown(form)}: {shown(form[code.start() : code.start() + 2])} is no code of "
                "strftime: write codes like %d.%m.%Y, and %% for a percent sign"
            )


def _check_field(field: str, where: str, unit: Unit, settings: Mapping[str, Setting]) -> None:
    if not is_field(field, unit):
        raise FormatError(f"{where}: field is {shown(field)}: a row of one {unit} has {field_names(unit)}")
    column = field.removeprefix(CATALOG).lower()
    if field.startswith(CATALOG) and column in (*NAMES, "track_id"):
        raise FormatError(f"{where}: field is {shown(field)}: write {shown(column)}")
    if field.startswith(CATALOG) and column in ("", "payee", "shares"):
        raise FormatError(
            f"{where}: field is {shown(field)}: it must name another column of the catalog, like catalog.ean"
        )
    if field.startswith(SETTING) and field.removeprefix(SETTING) not in settings:
        raise FormatError(f"{where}: field is {shown(field)}, which [settings] does not name")


def _file_name(value: Any, settings: Mapping[str, Setting], *, is_of_one_station: bool) -> str:
    pattern = text(value, "file_name", '"plays_{from:%Y-%m-%d}.csv"')
    known = ["from", "to", *(SETTING + name for name in settings), *(["station_id"] if is_of_one_station else [])]
    for part in NAME_PART.finditer(pattern):
        if part[1] not in known:
            raise FormatError(f"file_name has {shown(part[0])}: the parts in braces may be {', '.join(known)}")
        if part[2] and part[1] not in ("from", "to"):
            raise FormatError(f"file_name has {shown(part[0])}: only from and to have a format")
        if part[2]:
            _check_time_format(part[2], "file_name")
    if set(NAME_PART.sub("", pattern)) & set("{}/\\"):
        raise FormatError(f"file_name is {shown(pattern)}: it must be a name with parts like {{from:%Y%m%d}}")
    return pattern


def _alternatives(value: Any, columns: Sequence[Column]) -> tuple[tuple[tuple[str, ...], ...], ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise FormatError(
            'require is not a list of tables: write [[require]] and one_of = [["ISRC"], ["ALBUM", "LABEL"]]'
        )
    names = {column.name for column in columns}
    found = []
    for number, table in enumerate(value, start=1):
        where = f"require {number}"
        check_keys(table, ("one_of",), where)
        groups = table.get("one_of")
        if not isinstance(groups, list) or len(groups) < 2:
            raise FormatError(
                f'{where}: one_of {described(groups)}: it must be lists, like [["ISRC"], ["ALBUM", "LABEL"]]'
            )
        found.append(tuple(texts(group, f"{where}: one_of", '["ISRC"]') for group in groups))
        for name in {name for group in found[-1] for name in group} - names:
            raise FormatError(f"{where}: one_of names {shown(name)}: there is no such column")
    return tuple(found)


def _leave_out(value: Any, settings: Mapping[str, Setting]) -> tuple[LeaveOut, ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise FormatError("leave_out is not a list of tables: head each rule with [[leave_out]]")
    found = []
    for number, table in enumerate(value, start=1):
        where = f"leave_out {number}"
        check_keys(table, ("field", "why", "values", "blank", "below"), where)
        field = text(table.get("field"), f"{where}: field", '"source"')
        _check_field(field, where, Unit.PLAY, settings)
        if len({"values", "blank", "below"} & table.keys()) != 1:
            raise FormatError(f'{where} must have one of values, like ["Radio"], blank = true, and below, like 30')
        below = table.get("below")
        if below is not None and (isinstance(below, bool) or not isinstance(below, int | Decimal)):
            raise FormatError(f"{where}: below {described(below)}: it must be a number")
        if below is not None and field not in NUMBERS:
            raise FormatError(f"{where}: field is {shown(field)}: below needs a number: {', '.join(NUMBERS)}")
        found.append(
            LeaveOut(
                field=field,
                why=text(table.get("why"), f"{where}: why", '"not music"'),
                values=_values(table, field, where),
                is_blank=flag(table.get("blank", False), f"{where}: blank"),
                below=None if below is None else Decimal(below),
            )
        )
    return tuple(found)


def _values(table: Mapping[str, Any], field: str, where: str) -> frozenset[str]:
    """The values that a field must not have."""
    if "values" not in table:
        return frozenset()
    values = texts(table["values"], f"{where}: values", '["Radio"]')
    for value in values:
        if value not in VALUES.get(field, (value,)):
            raise FormatError(f"{where}: values has {shown(value)}: {field} is {' or '.join(VALUES[field])}")
    return frozenset(values)

"""Draft a log format from a file, as TOML with questions. Pure."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import PurePath

from playlog_cli.loading.formats.guessing.columns import (
    Duration,
    Times,
    attribute_columns,
    duration_of,
    kind_column,
    no_values,
    read_as,
    times_of,
)
from playlog_cli.loading.formats.guessing.sample import Sample
from playlog_cli.loading.formats.guessing.values import SHARE, looks_like_hours
from playlog_cli.terminal import counted

QUESTION = "# QUESTION:"
_MOST_KINDS = 12
_MOST_AT_ONCE = 1.5  # rows for each time: with more, it may be the time of something else
_MOST_BACK = 0.05  # of the rows may go back in time
_BETWEEN = " - "  # between artist and title
_WITHOUT_ZONE = ("unix", "unix-ms")


def draft_format(sample: Sample, name: str) -> str:
    """Drafts a log format. Each line that a person must decide begins with ``QUESTION``.

    Args:
        sample: the first rows of the file.
        name: of the file.

    Returns:
        TOML. It is complete except for the questions.
    """
    attributes = attribute_columns(sample)
    duration = duration_of(sample, set(attributes.values()))
    taken = set(attributes.values()) | ({duration.column} if duration else set())
    times = times_of(sample, taken)
    taken |= set(times.columns) if times else set()
    lines = [
        f"# Drafted from {PurePath(name).name}, of which {counted(len(sample.rows), 'row was', 'rows were')} read.",
        "# Answer the questions, and look at it with: playlog load FILE --log-format THIS.toml --preview 5",
        *_layout(sample),
        *_zone(times),
        *_blank(no_values(sample, duration)),
        "",
        "[match]",
        *_time_lines(sample, times),
        *_station(sample, attributes),
    ]
    joined = _artist_title_column(sample, attributes, taken)
    for attribute, column in attributes.items():
        if attribute != "station_id" and column != joined:
            lines.append(f"{attribute} = {_column(sample, column)}")
    lines += _duration_lines(sample, duration, times)
    if joined is not None:
        lines += _artist_title_lines(sample, joined)
    elif not {"isrc", "track_id"} & attributes.keys() and not {"artist", "title"} <= attributes.keys():
        lines.append(f"{QUESTION} which columns are artist and title, or an ISRC or an id? Columns: {_all(sample)}")
    return "\n".join([*lines, *_skips(sample, taken, times), ""])


def questions(draft: str) -> int:
    """How many questions a draft leaves."""
    return sum(line.startswith(QUESTION) for line in draft.splitlines())


def _layout(sample: Sample) -> Iterator[str]:
    if sample.sheet is not None:
        yield f"sheet = {json.dumps(sample.sheet, ensure_ascii=False)}  # the one with most rows"
    if sample.list_path is not None:
        count = f"{counted(len(sample.rows), 'member', 'members')} in {counted(sample.objects, 'object', 'objects')}"
        yield f"{QUESTION} {_plain(sample.list_path)} has {count}: is each a play? If not, remove the next line."
        yield f"rows = {json.dumps(sample.list_path, ensure_ascii=False)}"
    if sample.delimiter:
        yield f"delimiter = {json.dumps('tab' if sample.delimiter == chr(9) else sample.delimiter)}"
    if sample.encoding:
        if sample.readings:
            yield f"{QUESTION} the text is not UTF-8. Which of these reads right? Keep that encoding."
            for encoding, words in sample.readings:
                yield f"#   {encoding}: {_plain(words)}"
        yield f"encoding = {json.dumps(sample.encoding)}"
    if not sample.has_header:
        yield "header = false  # no row names the columns: the numbers below are those of the columns"


def _zone(times: Times | None) -> Iterator[str]:
    guess = times.guesses[0] if times else None
    has_offset = guess and (guess.format in _WITHOUT_ZONE or (guess.format == "iso" and _has_offset(guess.example)))
    if not has_offset:
        yield f"{QUESTION} in which time zone are the times? A name of the IANA database, like Europe/Berlin."
        yield '# time_zone = "Europe/Berlin"'


def _blank(found: Counter[str]) -> Iterator[str]:
    if found:
        texts = found.most_common(_MOST_KINDS)
        yield f"{QUESTION} do these mean an empty cell? {', '.join(f'{_plain(text)!r} ({n:,})' for text, n in texts)}"
        yield f"# blank = {json.dumps([text for text, _ in texts], ensure_ascii=False)}"


def _time_lines(sample: Sample, times: Times | None) -> Iterator[str]:
    if times is None:
        yield f"{QUESTION} which columns are date and time, and how are they written? Columns: {_all(sample)}"
        yield '# matched_at = { columns = ["Date", "Time"], format = "%d.%m.%Y %H:%M:%S" }'
        return
    if len(times.texts) > len(set(times.texts)) * _MOST_AT_ONCE:
        count = f"{counted(len(times.texts), 'row', 'rows')} have {counted(len(set(times.texts)), 'time', 'times')}"
        yield f"{QUESTION} {count}: is this the time of the row, or of a programme?"
        yield "#   If it is a programme's, all its songs would be at one instant: ask for a log with a time for each."
    if times.others:
        found = ", ".join(
            f"{_plain(sample.columns[each])} ({_plain(sample.values(each)[0])!r})" for each in times.others
        )
        yield f"{QUESTION} other columns have times, too: {found}. Is this the right one?"
    if len(times.guesses) > 1:
        yield f"{QUESTION} the dates can be read in {len(times.guesses)} ways. Keep one of these lines."
    for guess in times.guesses:
        yield f"#   {_evidence(times, guess.format)}"
        mark = "# " if len(times.guesses) > 1 else ""
        if len(times.columns) == 1:
            where = f"column = {_column(sample, times.columns[0])}"
        else:
            where = f"columns = [{', '.join(_column(sample, column) for column in times.columns)}]"
        yield f"{mark}matched_at = {{ {where}, format = {json.dumps(guess.format)} }}"


def _evidence(times: Times, time_format: str) -> str:
    first = _plain(times.texts[0])
    found = read_as(times.texts, time_format)
    if time_format in ("iso", *_WITHOUT_ZONE):
        return f"{first!r} is {time_format}: {counted(len(found), 'row', 'rows')}, {_order(found)}"
    span = f"from {min(found):%Y-%m-%d} to {max(found):%Y-%m-%d}"
    return f"{first!r} is {found[0]}: {counted(len(found), 'row', 'rows')} {span}, {_order(found)}"


def _order(times: Sequence[datetime]) -> str:
    back, forth = _steps(times)
    if back > forth:
        return "newest first" + (f", going forward {counted(forth, 'time', 'times')}" if forth else "")
    return f"going back {counted(back, 'time', 'times')}" if back else "in order"


def _is_unordered(times: Sequence[datetime]) -> bool:
    """Whether more rows go back in time than a change of the clock or two files put together explain."""
    return min(_steps(times)) > 1 + len(times) * _MOST_BACK


def _steps(times: Sequence[datetime]) -> tuple[int, int]:
    """How many rows are earlier than the row before them, and how many are later."""
    return (
        sum(after < before for before, after in pairwise(times)),
        sum(after > before for before, after in pairwise(times)),
    )


def _station(sample: Sample, attributes: dict[str, int]) -> Iterator[str]:
    column = attributes.get("station_id")
    if column is None:
        yield f"{QUESTION} which station is this? Write its id, or leave it out and name it with --station."
        yield '# station_id = { constant = "fm-1" }'
        return
    names = list(dict.fromkeys(sample.values(column)))[:_MOST_KINDS]
    blank = len(sample.rows) - len(sample.values(column))
    if blank:
        yield f"{QUESTION} {counted(blank, 'row names', 'rows name')} no station: which is it? Name it with --station."
    yield f"#   stations here: {', '.join(repr(_plain(name)) for name in names)}"
    yield f"station_id = {_column(sample, column)}"


def _artist_title_column(sample: Sample, attributes: dict[str, int], taken: set[int]) -> int | None:
    """The column that has artist and title in one, as now-playing logs do; None if they have columns of their own."""
    if {"artist", "title"} <= attributes.keys():
        return None
    own = {attributes[name] for name in ("artist", "title") if name in attributes}
    for column in range(len(sample.columns)):
        values = sample.values(column)
        if (column in own or column not in taken) and values and _parted(values) >= SHARE * len(values):
            return column
    return None


def _artist_title_lines(sample: Sample, column: int) -> Iterator[str]:
    values, name = sample.values(column), _column(sample, column)
    count = f"{_parted(values):,} of {counted(len(values), 'value', 'values')} have exactly one {_BETWEEN!r}"
    yield f"{QUESTION} {count}, like {_plain(values[0])!r}: is part 1 the artist? If not, swap the numbers."
    yield f"# artist = {{ column = {name}, split = {json.dumps(_BETWEEN)}, part = 1 }}"
    yield f"# title = {{ column = {name}, split = {json.dumps(_BETWEEN)}, part = 2 }}"


def _parted(values: Sequence[str]) -> int:
    """How many values are two texts with a separator between them."""
    return sum(value.count(_BETWEEN) == 1 and any(map(str.isalpha, value)) for value in values)


def _duration_lines(sample: Sample, duration: Duration | None, times: Times | None) -> Iterator[str]:
    if duration is None and times and _is_unordered(read_as(times.texts, times.guesses[0].format)):
        yield f"{QUESTION} how long did a row last? The next row does not tell it: rows are not in the order of time."
        yield "#   Sort the file by time and guess again, or leave it: then the stack's DefaultDurationSeconds counts."
        return
    if duration is None:
        yield f"{QUESTION} how long did a row last? Without an answer, the stack's DefaultDurationSeconds counts."
        yield "# duration_seconds = { until_next = 600 }  # up to the next row, at most 600 seconds"
        return
    if not duration.is_end and looks_like_hours(sample.values(duration.column)):
        yield f"{QUESTION} {_plain(duration.guess.example)!r} is read as hours: did a row last that long?"
        yield "#   If minutes and seconds are meant, a spreadsheet has changed them: ask for the file as it was before."
    key = "end" if duration.is_end else "column"
    where = f"{key} = {_column(sample, duration.column)}, format = {json.dumps(duration.guess.format)}"
    yield f"#   {_plain(duration.guess.example)!r} is read as {duration.guess.format}"
    yield f"duration_seconds = {{ {where} }}"


def _skips(sample: Sample, taken: set[int], times: Times | None) -> Iterator[str]:
    kind = kind_column(sample, taken)
    if kind is not None:
        kinds = Counter(row[kind] for row in sample.rows).most_common(_MOST_KINDS)
        found = ", ".join(f"{_plain(name)!r} ({count:,})" for name, count in kinds)
        yield ""
        yield f"{QUESTION} which rows are no music? {found}"
        yield "# [[skip]]"
        yield f"# column = {_column(sample, kind)}"
        yield f"# values = {json.dumps([name for name, _ in kinds[1:]], ensure_ascii=False)}"
    blank = [row for row in sample.rows if times and not all(row[column] for column in times.columns)]
    if blank and times:
        example = _plain(" ".join(filter(None, blank[0])))
        yield ""
        yield f"{QUESTION} {counted(len(blank), 'row', 'rows')} without a time, like {example!r}. Skip them?"
        yield "# [[skip]]"
        yield f"# column = {_column(sample, times.columns[0])}"
        yield '# values = [""]'


def _has_offset(text: str) -> bool:
    return text.endswith("Z") or "+" in text or text[10:].count("-") > 0


def _column(sample: Sample, column: int) -> str:
    """A column as TOML: its name, or its number if it has none of its own."""
    name = sample.columns[column]
    if not sample.has_header or not name or sum(each.casefold() == name.casefold() for each in sample.columns) > 1:
        return str(column + 1)
    return json.dumps(name, ensure_ascii=False)


def _all(sample: Sample) -> str:
    return ", ".join(_plain(name) for name in sample.columns)


def _plain(text: str) -> str:
    """Text from data for a comment: without characters that would end it or act on a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)

"""What the first rows of files would become, beside what the files have. Reads the files alone, and writes nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.domain.validation import validate
from playlog.schema import MATCH_CACHE, names

from playlog_cli.loading import history
from playlog_cli.loading.files.inputs import Input, find_inputs
from playlog_cli.loading.files.row import BadLogRow, BadRow, Number, Row, RowsError, SkippedRow
from playlog_cli.loading.files.sources import opened
from playlog_cli.loading.matches import RowError, Seen, match_of
from playlog_cli.loading.outcomes import Options, Outcome, outcomes
from playlog_cli.loading.results import Order

# What only a stack says. A preview asks none: it shows no shard, and a match without a duration shows none.
_MOST_SHARDS = 64
_DEFAULT_DURATION = timedelta(seconds=180)
_GAP = timedelta(0)
_OF_STACK = ("unprocessed_shard", "processed")
_ORDER = tuple(name for name in names(MATCH_CACHE) if name not in _OF_STACK)


class Fate(StrEnum):
    """What a row would become."""

    WAITING = "waiting"
    PLAYED = "played"
    FAILED = "failed"
    FAILING = "would fail"
    BAD = "bad"
    REPEATED = "repeated"
    SKIPPED = "skipped"
    UNRECOGNIZED = "without a detection"


@dataclass(frozen=True)
class PreviewedRow:
    """A row of a file and the match that it would become.

    Attributes:
        file: as it was named.
        line: physical line of the file, from 1; 0 if the file cannot be read.
        fate: what it would become.
        note: why it would not be a match that waits; blank if it would be one.
        source: the row's values by column.
        match: attributes of the match; empty if it would be none.
        reason_code: by which the converter would refuse the match; blank if it would not.
        local_time: the time of the match in the zone of the log format; blank if that names no zone.
    """

    file: str
    line: int
    fate: Fate = Fate.WAITING
    note: str = ""
    source: dict[str, str] = field(default_factory=dict)
    match: dict[str, str] = field(default_factory=dict)
    reason_code: str = ""
    local_time: str = ""


def preview_files(paths: Sequence[Path], options: Options, most: int, order: Order) -> list[PreviewedRow]:
    """What the first rows of files would become.

    Args:
        paths: files, folders and patterns, as for loading.
        options: what the user says about the files.
        most: how many rows are read.
        order: counts the rows.

    Raises:
        CommandError: a path leads to no file.
    """
    rows = (row for file in find_inputs(paths) for row in _rows(file, options, order))
    return sorted(islice(rows, most), key=lambda row: (row.file, row.line))


def _rows(file: Input, options: Options, order: Order) -> Iterator[PreviewedRow]:
    now = datetime.now(UTC)
    zone = options.log_format.time_zone if options.log_format else None
    try:
        with opened(file.path, file.member) as source, Seen() as seen:
            for row in outcomes(source, options, _GAP):
                if isinstance(row, Row):
                    order.add(row)
                yield _with_local_time(_previewed(file.name, row, seen, now), zone)
    except RowsError as error:
        yield PreviewedRow(file.name, 0, Fate.BAD, f"bad: the file {error}")


def _with_local_time(row: PreviewedRow, zone: ZoneInfo | None) -> PreviewedRow:
    if zone is None or "matched_at" not in row.match:
        return row
    local = datetime.fromisoformat(row.match["matched_at"]).astimezone(zone)
    return replace(row, local_time=f"{local.isoformat(' ', 'seconds')} in {zone.key}")


def _previewed(file: str, row: Outcome, seen: Seen, now: datetime) -> PreviewedRow:
    match row:
        case Row():
            source = row.source.texts() if row.source else {name: _text(value) for name, value in row.values.items()}
            try:
                return _of_row(PreviewedRow(file, row.line, source=source), row, seen, now)
            except RowError as problem:
                return PreviewedRow(file, row.line, Fate.BAD, f"bad: {problem}", source)
        case BadLogRow(line, problem, source):
            return PreviewedRow(file, line, Fate.BAD, f"bad: {problem}", source.texts())
        case BadRow(line, problem):
            return PreviewedRow(file, line, Fate.BAD, f"bad: {problem}")
        case SkippedRow(line, source):
            return PreviewedRow(file, line, Fate.SKIPPED, "skipped by a rule of the log format", source.texts())
        case _:
            return PreviewedRow(file, row.line, Fate.UNRECOGNIZED, "nothing was recognized")


def _of_row(previewed: PreviewedRow, row: Row, seen: Seen, now: datetime) -> PreviewedRow:
    """What would become of a row that may be a match."""
    item: Item | None
    if row.is_of_old_table:
        state = history.state_of(row, seen, _MOST_SHARDS, _DEFAULT_DURATION, now)
        match state:
            case history.Played(match):
                note = "played, as the old system had it"
                return replace(previewed, fate=Fate.PLAYED, note=note, match=_attributes(match.item))
            case history.Failed() as failed:
                note = f"failed, as the old system had it: {failed.reason}"
                return replace(previewed, fate=Fate.FAILED, note=note, match=_attributes(failed.item))
            case history.Waiting(waiting):
                item = waiting
            case _:
                item = None
    else:
        item = match_of(row, seen, _MOST_SHARDS)
    if item is None:
        return replace(previewed, fate=Fate.REPEATED, note="an earlier row of the file is the same match")
    verdict = validate(item, now=now, default_duration=_DEFAULT_DURATION)
    if not isinstance(verdict, Failure):
        return replace(previewed, match=_attributes(item))
    note = f"would fail as {verdict.reason_code}: {verdict.reason}"
    code = str(verdict.reason_code)
    return replace(previewed, fate=Fate.FAILING, note=note, match=_attributes(item), reason_code=code)


def _attributes(item: Item) -> dict[str, str]:
    """The attributes in the order of the contract, and those of the writer's own after them."""
    known = [name for name in _ORDER if name in item]
    others = [name for name in item if name not in _ORDER and name not in _OF_STACK]
    return {name: _text(next(iter(item[name].values()))) for name in known + others}


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case Number(text):
            return text
        case _:
            return json.dumps(value, default=lambda number: number.text, ensure_ascii=False)

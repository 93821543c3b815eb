"""From a file to rows of matches, by a log format. Pure, except for reading the file."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import TypeAlias

from playlog.domain import timestamps
from playlog.schema import VALIDATED_TYPES

from playlog_cli.errors import shown
from playlog_cli.loading.files.row import BadLogRow, BadRow, Cell, LogCells, Number, Row, RowsError, SkippedRow, Value
from playlog_cli.loading.files.sources import Source
from playlog_cli.loading.files.tables import CellRow, Layout, Table, read_table
from playlog_cli.loading.formats.model import (
    ColumnDuration,
    ConstantDuration,
    EndDuration,
    LogFormat,
    NextRowDuration,
    TrackFrom,
)
from playlog_cli.loading.formats.reading.columns import Columns, columns_of, file_parts, header_check
from playlog_cli.loading.formats.reading.draft import Draft
from playlog_cli.loading.formats.reading.durations import UntilNext
from playlog_cli.loading.formats.reading.local_time import LONGEST_TO_CLOCK, LocalTimes, end_instant
from playlog_cli.loading.formats.reading.readers import end_reader, heading_reader, skip_reader, text_reader
from playlog_cli.loading.formats.reading.times import TimeReader, seconds_of, time_reader
from playlog_cli.loading.isrc import normalise
from playlog_cli.loading.matches import RowError
from playlog_cli.loading.track_ids import artist_title_id

_TO_END = f"in the {LONGEST_TO_CLOCK // timedelta(hours=1)} hours after the start"
Outcome: TypeAlias = Row | BadRow | SkippedRow


def read_log(source: Source, log_format: LogFormat, station: str | None) -> Iterator[Outcome]:
    """Reads a file by a log format.

    Args:
        source: the file.
        log_format: how it reads.
        station: id of the station of rows for which the format names none.

    Raises:
        RowsError: the file lacks a column, or cannot be read to its end.
    """
    parts = file_parts(log_format.file_name, source.name)
    layout = Layout(
        is_header=header_check(log_format) if log_format.has_header else None,
        paths=[str(column) for column in columns_of(log_format) if column not in parts],
        optional=log_format.optional_columns,
        delimiter=log_format.delimiter,
        quote=log_format.quote,
        encoding=log_format.encoding,
        skip_lines=log_format.skip_lines,
        sheet=log_format.sheet,
        rows=log_format.rows,
        fixed_width=log_format.fixed_width,
    )
    with read_table(source, layout) as table:
        yield from LogReader(log_format, Columns(log_format, table.header, parts), station).rows(table)


class LogReader:
    """Reads the rows of one table.

    Args:
        log_format: how it reads.
        columns: where its columns are.
        station: id of the station of rows for which the format names none.
    """

    def __init__(self, log_format: LogFormat, columns: Columns, station: str | None) -> None:
        self._format = log_format
        self._columns = columns
        self._time = time_reader(log_format.matched_at, "matched_at")
        self._time_indexes = [columns.index(column) for column in log_format.matched_at.columns]
        readers = {name: text_reader(name, text, columns) for name, text in log_format.texts.items()}
        self._station = station or ""
        self._own_station = readers.pop("station_id", None)
        self._texts = [(name, VALIDATED_TYPES.get(name) == "N", read) for name, read in readers.items()]
        self._skips = [skip_reader(skip, columns) for skip in log_format.skips]
        self._headings = [(heading.part, heading_reader(heading, columns)) for heading in log_format.headings]
        self._read_duration = _duration_reader(log_format, columns)
        self._last: dict[str, Draft] = {}
        self._read_end = (
            end_reader(log_format.duration, columns) if isinstance(log_format.duration, EndDuration) else None
        )

    def rows(self, table: Table) -> Iterator[Outcome]:
        """The rows of the table as rows of matches, and those that are bad or skipped."""
        duration = self._format.duration
        local_times = LocalTimes(self._format.time_zone, self._format.ambiguous)
        until_next = UntilNext(duration.at_most if isinstance(duration, NextRowDuration) else None)
        if table.header_row:
            cells = self._columns.complete(table.header_row.cells)
            _check_header(table.header_row, self._time, [cells[index] for index in self._time_indexes])
        for before in table.before:
            self._is_heading(self._columns.complete(before.cells))
        for row in table.rows:
            draft = row if isinstance(row, BadRow) else self._draft(row)
            if isinstance(draft, Draft):
                yield from self._timed(draft, local_times, until_next)
            else:
                if isinstance(row, BadRow):
                    self._mark_unknown(row.line, list(self._last))
                yield draft
        for timed in local_times.finish():
            yield from self._finished(timed, until_next)
        yield from map(self._row, until_next.finish())

    def _timed(self, draft: Draft, local_times: LocalTimes, until_next: UntilNext) -> list[Outcome]:
        found: list[Outcome] = []
        for timed in local_times.add(draft):
            if isinstance(timed, BadLogRow):  # this row: those that wait become drafts
                self._mark_unknown(draft.line, [draft.station])
            found += self._finished(timed, until_next)
            if not isinstance(timed, Draft):
                return found
            if timed.line == draft.line:
                draft = timed  # which may be another object, if its instant is doubtful
        self._last[draft.station] = draft
        return found

    def _draft(self, read: CellRow) -> Draft | BadRow | SkippedRow:
        """A row as it stands. With a time it is a draft even if it becomes no match, because it ends the row before."""
        line = read.line
        row = self._columns.complete(read.cells)
        source = self._columns.source(row)
        if self._columns.is_header_again(row) or self._is_heading(row):
            return SkippedRow(line, source)
        is_skipped = any(skip(row) for skip in self._skips)
        station = None
        try:
            self._columns.check_width(read.cells, has_end=read.has_end)
            station = (self._own_station and self._own_station(row)) or self._station
            at = self._time([row[index] for index in self._time_indexes])
        except (RowError, OverflowError) as problem:
            if is_skipped:
                return SkippedRow(line, source)
            self._mark_unknown(line, list(self._last) if station is None else [station])
            return BadLogRow(line, _problem(problem), source)
        if is_skipped:
            return Draft(line, station, at, None, source)
        if self._own_station and not station:
            self._mark_unknown(line, [each for each in self._last if each])
        try:
            return self._read(line, row, source, at, station)
        except (RowError, OverflowError) as problem:
            return Draft(line, station, at, None, source, _problem(problem))

    def _mark_unknown(self, line: int, stations: Sequence[str]) -> None:
        """Marks the last row of stations: a bad row came after it, of which nobody knows the time or the station."""
        for station in stations:
            if last := self._last.pop(station, None):
                last.unknown_after = line

    def _is_heading(self, row: list[Cell]) -> bool:
        """Whether a row is a heading. Keeps its date for the rows below it."""
        for part, read in self._headings:
            if date := read(row):
                self._columns.set_part(part, date)
                return True
        return False

    def _read(self, line: int, row: list[Cell], source: LogCells, at: datetime, station: str) -> Draft:
        values: dict[str, Value] = {"station_id": station} if station else {}
        for name, is_number, read in self._texts:
            if text := read(row):
                values[name] = Number(text) if is_number else text
        if seconds := self._read_duration(row):
            values["duration_seconds"] = Number(seconds)
        _set_track_id(values, self._format.track_from)
        return Draft(line, station, at, values, source, end=self._read_end(row) if self._read_end else None)

    def _finished(self, timed: Draft | BadRow | SkippedRow, until_next: UntilNext) -> list[Outcome]:
        return [self._row(draft) for draft in until_next.add(timed)] if isinstance(timed, Draft) else [timed]

    def _row(self, draft: Draft) -> Outcome:
        """The row of a match, once its instant and the row after it are known."""
        if draft.values is None:
            return draft.left_out()
        values = draft.values
        matched_at = timestamps.to_text(draft.at)
        if draft.end is not None:
            end = end_instant(draft.at, draft.end, self._format.time_zone)
            if end is None:
                wanted = _TO_END if isinstance(draft.end, time) else "from the start on"
                problem = f"the end is {shown(str(draft.end))}, which is no time {wanted}, {matched_at}"
                return BadLogRow(draft.line, problem, draft.source)
            draft.until_next = end - draft.at
        if draft.unknown_end:
            problem = (
                f"duration_seconds is the time to the next row, line {draft.unknown_end}, of which the time or "
                "the station is not known: correct that line first, and load the file again"
            )
            return BadLogRow(draft.line, problem, draft.source)
        if draft.until_next is not None:
            values["duration_seconds"] = Number(str(draft.until_next.total_seconds()).removesuffix(".0"))
        values["matched_at"] = matched_at
        return Row(
            draft.line,
            values,
            identity=_identity(draft.station, matched_at, values),
            source=draft.source,
            step=draft.step,
            is_longest=draft.is_longest,
            is_open=draft.until_next is None and isinstance(self._format.duration, NextRowDuration),
        )


def _check_header(row: CellRow, read_time: TimeReader, cells: list[Cell]) -> None:
    """Checks that the first row of a file whose columns are numbers is not a play that would be lost.

    Args:
        row: the row.
        read_time: reads a time.
        cells: those of its time.

    Raises:
        RowsError: it has a time.
    """
    try:
        read_time(cells)
    except (RowError, OverflowError):
        return
    raise RowsError(
        f"line {row.line}: the row has a time, so it names no columns: set header = false in the log format"
    )


def _problem(error: RowError | OverflowError) -> str:
    if isinstance(error, RowError):
        return str(error)
    return "the time lies outside of the years 1 to 9999: is its format right?"


def _duration_reader(log_format: LogFormat, columns: Columns) -> Callable[[list[Cell]], str | None]:
    duration = log_format.duration
    if isinstance(duration, ConstantDuration):
        return lambda _: duration.seconds
    if not isinstance(duration, ColumnDuration):
        return lambda _: None
    index = columns.index(duration.column)
    return lambda row: seconds_of(row[index], duration.clock)


def _set_track_id(values: dict[str, Value], track_from: tuple[TrackFrom, ...]) -> None:
    """Sets the ``track_id`` to the first that the row has of what it may be made of."""
    own = values.pop("track_id", None)
    for origin in track_from:
        match origin:
            case TrackFrom.ISRC:
                found = normalise(values.get("isrc", ""))
            case TrackFrom.TRACK_ID:
                found = own
            case TrackFrom.ARTIST_TITLE:
                artist, title = values.get("artist"), values.get("title")
                found = artist_title_id(artist, title) if artist and title else None
        if found:
            values["track_id"] = found
            return


def _identity(station: str, matched_at: str, values: dict[str, Value]) -> str | None:
    """What makes a row the same match as another: a format that names more attributes later must not load it twice."""
    track = values.get("track_id")
    return f"{station}\n{matched_at}\n{track}" if station and track else None

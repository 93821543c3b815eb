"""What each row of a file is: a row of a match, a bad row, a skipped row, or no detection. No AWS."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from playlog_cli.loading.acrcloud.detections import (
    CustomFiles,
    Detection,
    detection_of,
    is_of_acrcloud,
    results_of,
    row_of,
)
from playlog_cli.loading.acrcloud.streams import Streams
from playlog_cli.loading.files.row import BadRow, Row, SkippedRow
from playlog_cli.loading.files.rows import read_rows
from playlog_cli.loading.files.sources import Source
from playlog_cli.loading.formats.model import LogFormat
from playlog_cli.loading.formats.reading.rows import read_log
from playlog_cli.loading.matches import RowError


@dataclass(frozen=True)
class Options:
    """What a user says about the files.

    Attributes:
        station: id for rows that name no station.
        custom_files: what a station's own uploads in ACRCloud's results are.
        encoding: of text that is neither UTF-8 nor UTF-16 with a byte order mark.
        log_format: how the files read; None for files that are known by their content.
    """

    station: str | None = None
    custom_files: CustomFiles = CustomFiles.REFUSE
    encoding: str | None = None
    log_format: LogFormat | None = None


PLAIN = Options()
"""A user says nothing about the files."""


@dataclass(frozen=True, slots=True)
class NoDetection:
    """A result of ACRCloud's in which nothing was recognized.

    Attributes:
        line: physical line of the file, from 1, on which its document begins.
    """

    line: int


Outcome: TypeAlias = Row | BadRow | SkippedRow | NoDetection


def outcomes(source: Source, options: Options, gap: timedelta) -> Iterator[Outcome]:
    """Reads a file to its end. Rows may come in another order than in the file, if they hang on their neighbours.

    Args:
        source: the file.
        options: what the user says about it.
        gap: the stack's ``AiringGapSeconds``.

    Raises:
        RowsError: the file is empty, has no usable header, or cannot be read to its end.
    """
    if options.log_format:
        yield from read_log(source, options.log_format, options.station)
        return
    streams = Streams(gap)
    for row in read_rows(source, options.encoding):
        if isinstance(row, BadRow):
            yield row
        elif is_of_acrcloud(row):
            for found in _detections(row, options):
                if isinstance(found, Detection):
                    yield from map(row_of, streams.add(found))
                else:
                    yield found
        else:
            yield from _members(row)
    yield from map(row_of, streams.finish())


def _detections(document: Row, options: Options) -> Iterator[Detection | BadRow | NoDetection]:
    try:
        results = results_of(document)
    except RowError as problem:
        yield BadRow(document.line, str(problem))
        return
    for result in results:
        try:
            yield detection_of(result, options.station, options.custom_files) or NoDetection(result.line)
        except RowError as problem:
            yield BadRow(result.line, str(problem))


def _members(row: Row) -> list[Row]:
    """The row, or the matches in it if it is a document like ``{"data": [...]}``."""
    data = row.values.get("data")
    if "matched_at" in row.values or not isinstance(data, list):
        return [row]
    return [Row(row.line, {name: value for name, value in each.items() if value is not None}) for each in data]

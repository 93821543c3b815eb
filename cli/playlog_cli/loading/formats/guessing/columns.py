"""Which column is which attribute, by its name and its values. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import permutations, product

from playlog_cli.loading.formats.guessing.sample import Sample
from playlog_cli.loading.formats.guessing.values import (
    Guess,
    are_excel_times,
    clock_formats,
    date_formats,
    duration_format,
    is_isrc_column,
    moment_formats,
)
from playlog_cli.loading.formats.reading.times import EXCEL, parse_time_text

# What columns are called in English, German, French, Italian and Spanish, without spaces and punctuation.
_NAMES = {
    "artist": "artist artists artistname interpret interpreten performer performers künstler artiste artista "
    "interprète featuredartist creator band",
    "title": "title titel songtitle song track tracktitle tracktitel musiktitel trackname titre titolo título "
    "soundrecordingtitle songname name",
    "album": "album albumtitle albumtitel albumname release disk disc",
    "label": "label marketinglabel recordlabel labelname",
    "isrc": "isrc isrccode isrcnumber",
    "station_id": "stationid station sender stationname channel channelid stream service",
    "track_id": "trackid cart cartnumber cartno mediaid songid",
}
_DURATIONS = (
    "duration durationseconds length len dauer länge laenge spieldauer sendedauer durée durata duración "
    "playedduration runtime trackduration durationms lengthms"
)
_ENDS = "end endtime ends enddate stop stoptime ende fin fine endzeit"
_KINDS = "type typ kind category kategorie class klasse catégorie categoria group gruppe art"
_STARTS = (
    "starttime start starts startdate datetime timestamp playedat playtime airtime airdate begin beginn startzeit "
    "date datum sendedatum day tag time zeit uhrzeit sendezeit heure hora fecha data ora when"
)
_MOST_CANDIDATES = 12
_UNIT = re.compile(r"\s*[(\[].*?[)\]]")
_YEAR = re.compile(r"(19|20)\d\d")  # of a release, which is no album
_WORDS = re.compile(r"[A-Z]?[^\W\dA-Z]+|[A-Z]+")  # of a name like iso_end_timestamp or endTime
_NO_VALUES = frozenset(["n/a", "na", "none", "null", "nan", "unknown", "not found", "not available", "-", "--"])
_RANKS = {name: rank for rank, name in enumerate(_STARTS.split())}


@dataclass(frozen=True, slots=True)
class Times:
    """Where the time may come from.

    Attributes:
        columns: positions of the columns that are joined.
        guesses: formats that the values may have; more than one if the file does not tell.
        texts: the values, joined.
        others: other columns that hold a date and time, or the date and time of the day of two of them.
    """

    columns: tuple[int, ...]
    guesses: tuple[Guess, ...]
    texts: tuple[str, ...]
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Duration:
    """Where the duration may come from: a column of durations, or of ends."""

    column: int
    guess: Guess
    is_end: bool = False


def attribute_columns(sample: Sample) -> dict[str, int]:
    """The columns of names and ids, by attribute. An ISRC is known by its values, too."""
    found: dict[str, int] = {}
    around = set(range(len(sample.columns))) - set(sample.own)  # of a programme, which may have a title as well
    for attribute, names in _NAMES.items():
        column = _named(sample, names, set(found.values()) | (around if attribute != "station_id" else set()))
        is_year = attribute == "album" and column is not None and all(map(_YEAR.fullmatch, sample.values(column)))
        if column is not None and not is_year:
            found[attribute] = column
    for column in range(len(sample.columns)):
        if "isrc" not in found and column not in found.values() and is_isrc_column(sample.values(column)):
            found["isrc"] = column
    return found


def duration_of(sample: Sample, taken: set[int]) -> Duration | None:
    """Where the duration may come from; None if no column is called like that."""
    column = _named(sample, _DURATIONS, taken)
    if column is not None and (guess := duration_format(sample.values(column))):
        return Duration(column, guess)
    column = _named(sample, _ENDS, taken)
    if column is None:
        return None
    values = sample.values(column)
    guesses = moment_formats(values) or clock_formats(values)
    return Duration(column, guesses[0], is_end=True) if guesses else None


def no_values(sample: Sample, duration: Duration | None) -> Counter[str]:
    """Texts that seem to mean an empty cell, with their numbers: well-known ones, and durations without a digit."""
    found = Counter(cell for row in sample.rows for cell in row if cell.casefold() in _NO_VALUES)
    if duration:
        lengths = sample.values(duration.column)
        found |= Counter(text for text in lengths if not any(map(str.isdigit, text)))
    return found


def kind_column(sample: Sample, taken: set[int]) -> int | None:
    """A column that says what kind of thing was broadcast."""
    return _named(sample, _KINDS, taken)


def times_of(sample: Sample, taken: set[int]) -> Times | None:
    """Where the time may come from: one column, or a date and a time of the day. A row's own columns come first."""
    candidates = [column for column in _by_name(sample) if column not in taken]
    moments = {column: found for column in candidates if (found := moment_formats(sample.values(column)))}
    apart = _date_and_clock(sample, candidates)
    own = [column for column in moments if column in sample.own]
    if own:
        others = [column for column in own[1:] if not _is_end(sample.columns[column])]
        return _moment(sample, own[0], moments[own[0]], (*others, *(apart.columns if apart else ())))
    return apart or next((_moment(sample, column, guesses) for column, guesses in moments.items()), None)


def _moment(sample: Sample, column: int, guesses: Sequence[Guess], others: tuple[int, ...] = ()) -> Times:
    """A column with a date and time."""
    values = sample.values(column)
    return Times((column,), _distinct(guesses, values), tuple(values), others)


def _date_and_clock(sample: Sample, candidates: Sequence[int]) -> Times | None:
    """A column with a date and one with a time of the day, which is a row's own."""
    for date, clock in permutations(candidates[:_MOST_CANDIDATES], 2):
        joined = _joined(sample, date, clock)
        if joined and are_excel_times(sample.values(date), sample.values(clock)):
            return Times((date, clock), (Guess(EXCEL, joined[0]),), tuple(joined))
    dates = [(column, found) for column in candidates if (found := date_formats(sample.values(column)))]
    clocks = [(column, found) for column in candidates if (found := clock_formats(sample.values(column)))]
    for (date, days), (clock, hours) in product(dates, clocks):
        if date != clock and clock in sample.own and (joined := _joined(sample, date, clock)):
            guesses = [Guess(f"{day.format} {hour.format}", joined[0]) for day, hour in product(days, hours)]
            return Times((date, clock), _distinct(guesses, joined), tuple(joined))
    return None


def _joined(sample: Sample, date: int, clock: int) -> list[str]:
    """Dates and times of the day, of the rows that have both."""
    return [f"{row[date]} {row[clock]}" for row in sample.rows if row[date] and row[clock]]


def read_as(texts: Sequence[str], time_format: str) -> list[datetime]:
    """The times that the texts are by a format, without those that are not."""
    found = []
    for text in texts:
        try:
            match time_format:
                case "iso":
                    time = datetime.fromisoformat(text)
                case "unix" | "unix-ms":
                    time = datetime.fromtimestamp(float(text) / (1_000 if time_format == "unix-ms" else 1), UTC)
                case _:
                    time = parse_time_text(text, time_format)
            found.append((time.astimezone(UTC) if time.tzinfo else time).replace(tzinfo=None))
        except (ValueError, OverflowError):
            continue
    return found


def _by_name(sample: Sample) -> list[int]:
    """The columns, those first that are called like a beginning."""

    def rank(column: int) -> int:
        name = sample.columns[column]
        rank = min(_RANKS.get(folded, len(_RANKS)) for folded in _folded_names(name))
        return rank + _is_end(name) * len(_RANKS)

    return sorted(range(len(sample.columns)), key=lambda column: (rank(column), column))


def _is_end(name: str) -> bool:
    """Whether a column is called like an end: ``iso_end_timestamp``, ``endTime``."""
    words = _WORDS.findall(name.rpartition(".")[2].replace("_", " "))
    return not {word.casefold() for word in words}.isdisjoint(_ENDS.split())


def _distinct(guesses: Sequence[Guess], texts: Sequence[str]) -> tuple[Guess, ...]:
    """The guesses by which the texts are different times."""
    found: dict[tuple[datetime, ...], Guess] = {}
    for guess in guesses:
        times = () if guess.format in ("iso", "unix", "unix-ms") else tuple(read_as(texts, guess.format))
        found.setdefault(times, guess)
    return tuple(found.values())


def _named(sample: Sample, names: str, taken: set[int]) -> int | None:
    """The first column that is called by one of the names, the first name first."""
    if not sample.has_header:
        return None
    folded = [_folded_names(column) for column in sample.columns]
    for name in names.split():
        for column, found in enumerate(folded):
            if column not in taken and name in found:
                return column
    return None


def _folded_names(column: str) -> tuple[str, ...]:
    """A column's name without case, spaces and punctuation, also without a unit like ``(s)``, and before a slash.

    Of a path like ``song.title``, also its last member.
    """
    name = column.casefold()
    without_unit = _UNIT.sub("", name)
    forms = (name, name.rpartition(".")[2], without_unit, without_unit.partition("/")[0])
    return tuple("".join(filter(str.isalnum, form)) for form in forms)

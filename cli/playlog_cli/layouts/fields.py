"""Where the cells of a layout come from: a play, its track, the period, and the user's settings. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from playlog_cli.catalog.entry import Entry
from playlog_cli.layouts.model import Unit
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.listing.listed_play import ListedPlay
from playlog_cli.tabular.cells import Value

CATALOG, SETTING = "catalog.", "setting."
DURATIONS = ("seconds", "h:mm:ss", "hh:mm:ss", "m:ss")


@dataclass(frozen=True, slots=True)
class Row:
    """A row before it is written: plays that it stands for, with their names.

    Attributes:
        play: the play, or the first of the plays.
        entry: what the catalog says about the track.
        plays: how many plays the row stands for.
        seconds: how long all of them were heard.
    """

    play: ListedPlay
    entry: Entry
    plays: int
    seconds: Decimal


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all rows have in common.

    Attributes:
        period: of the plays.
        settings: of the user, by name.
    """

    period: Period
    settings: Mapping[str, str]


_OF_PLAY: dict[str, Callable[[Row], Value]] = {
    "played_at": lambda row: row.play.played_at,
    "stopped_at": lambda row: row.play.stopped_at,
    "play_id": lambda row: row.play.play_id,
    "station_program_id": lambda row: row.play.program_id,
    "source": lambda row: row.play.source,
    "match_count": lambda row: row.play.match_count,
    "avg_confidence_score": lambda row: row.play.confidence,
    "flagged": lambda row: row.play.flagged,
    "duration": lambda row: row.play.seconds,
}
_OF_STATION: dict[str, Callable[[Row], Value]] = {"station_id": lambda row: row.play.station_id}
_OF_TRACK: dict[str, Callable[[Row], Value]] = {
    "track_id": lambda row: row.play.track_id,
    "title": lambda row: row.entry.title,
    "artist": lambda row: row.entry.artist,
    "album": lambda row: row.entry.album,
    "label": lambda row: row.entry.label,
    "isrc": lambda row: row.entry.isrc,
    "composers": lambda row: row.entry.composers,
    "plays": lambda row: row.plays,
    "total_duration": lambda row: row.seconds,
}
_OF_PERIOD: dict[str, Callable[[Period], date]] = {
    "from": lambda period: period.start,
    "to": lambda period: period.end - timedelta(days=1),
}
_BY_UNIT = {
    Unit.PLAY: {**_OF_PLAY, **_OF_STATION, **_OF_TRACK},
    Unit.TRACK: _OF_TRACK,
    Unit.TRACK_AND_STATION: {**_OF_STATION, **_OF_TRACK},
}
TIMES = ("played_at", "stopped_at", "from", "to")
LENGTHS = ("duration", "total_duration")
NUMBERS = (*LENGTHS, "match_count", "avg_confidence_score", "plays")
# The only values that some fields have. No other field is compared with a list of all its values.
VALUES = {"source": ("Radio", "Streaming"), "flagged": ("true", "false")}


def is_field(name: str, unit: Unit) -> bool:
    """Whether rows of a unit have a field of this name."""
    return name in _BY_UNIT[unit] or name in _OF_PERIOD or name.startswith((CATALOG, SETTING))


def field_names(unit: Unit) -> str:
    """The fields that rows of a unit have, for messages."""
    return ", ".join([*_BY_UNIT[unit], *_OF_PERIOD, f"{CATALOG}COLUMN", f"{SETTING}NAME"])


def value_of(name: str, row: Row, around: Surroundings) -> Value:
    """The value of a field; None if there is none."""
    if name.startswith(CATALOG):
        return row.entry.more.get(name.removeprefix(CATALOG).lower()) or None
    if name.startswith(SETTING):
        return around.settings[name.removeprefix(SETTING)] or None
    if name in _OF_PERIOD:
        return _OF_PERIOD[name](around.period)
    value = _BY_UNIT[Unit.PLAY][name](row)
    return None if value == "" else value


def text_of(value: Value, form: str | None, around: Surroundings) -> str:
    """A value as the file has it, before quotes.

    Args:
        value: of a field.
        form: of a time, as ``strftime`` has it, or of a duration; None for the usual form.
        around: the period, for its time zone.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            local = value.astimezone(around.period.zone)
            return local.strftime(form) if form else local.isoformat()
        case date():
            return value.strftime(form) if form else value.isoformat()
        case Decimal():
            return _duration(value, form) if form else format(value.normalize(), "f")
        case _:
            return str(value)


def _duration(seconds: Decimal, form: str) -> str:
    whole = int(seconds.quantize(Decimal(1), ROUND_HALF_UP))
    minutes, rest = divmod(whole, 60)
    match form:
        case "seconds":
            return str(whole)
        case "m:ss":
            return f"{minutes}:{rest:02}"
        case "h:mm:ss":
            return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
        case _:
            return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"

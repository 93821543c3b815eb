"""From ACRCloud's broadcast-monitoring results to detections, and to rows of matches. Pure.

A result comes as the callback posts it (``stream_id``, ``status``, ``data``), as the Console API answers it (a list as
``data``), or bare (``status``, ``metadata``). Source: ACRCloud's documentation, "Music (Broadcast Monitoring with
Broadcast Database)", "Streams Results", "Custom Files" and "Custom Streams Monitoring API".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from playlog.domain import timestamps

from playlog_cli.errors import shown
from playlog_cli.loading.files.json_rows import BrokenJsonError, json_object
from playlog_cli.loading.files.row import Number, Row, Value
from playlog_cli.loading.isrc import normalise
from playlog_cli.loading.matches import RowError, number

NO_RESULT = 1001  # ACRCloud, "Error Codes": the audio was listened to, and nothing was recognized


@dataclass(frozen=True, slots=True)
class Result:
    """What ACRCloud says of one piece of audio.

    Attributes:
        line: of the file, on which the document begins that it is from.
        station: the stream or channel, if the document names one.
        content: ``status`` and ``metadata``.
        is_detection: false where the callback says that there is none.
    """

    line: int
    station: str | None
    content: dict[str, Value]
    is_detection: bool = True


class CustomFiles(StrEnum):
    """What a station's own uploads, ACRCloud's ``custom_files``, are."""

    MUSIC = "music"
    IGNORE = "ignore"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Detection:
    """What was heard, as ACRCloud says.

    Attributes:
        line: of the file, on which the document begins that it is from.
        station: id of the station.
        matched_at: when the detected audio began, in UTC.
        duration: seconds, as the result has them; None if it has none.
        candidates: the recordings that it may be, the best score first. Of equal scores, one with an ISRC is first, and
            then the lower ACRID, in whatever order they are listed.
        choice: position of the candidate that was heard.
        track_id: id of the recording, if a neighbouring detection of the same recording gave it.
    """

    line: int
    station: str
    matched_at: datetime
    duration: Number | None
    candidates: tuple[dict[str, Value], ...]
    choice: int = 0
    track_id: str | None = None

    @property
    def heard(self) -> dict[str, Value]:
        """The candidate that was heard."""
        return self.candidates[self.choice]


def is_of_acrcloud(row: Row) -> bool:
    """Whether a row is a document of ACRCloud's, with one result or several, and no match."""
    content = row.values
    if "matched_at" in content:
        return False
    data = content.get("data")
    if _is_bare(content) or (isinstance(data, list) and not _are_matches(data)):
        return True
    return _station(content) is not None and bool(content.keys() & {"data", "stream_url"})


def results_of(row: Row) -> list[Result]:
    """The results that a document of ACRCloud's holds.

    Raises:
        RowError: the document is none of those that are known.
    """
    return list(_results(row.line, row.values, None))


def detection_of(result: Result, station: str | None, custom_files: CustomFiles) -> Detection | None:
    """The detection that a result is.

    Args:
        result: of a document.
        station: id for a result that names no stream and no channel.
        custom_files: what the station's own uploads are.

    Returns:
        None if nothing was recognized, or only own uploads that are to be ignored.

    Raises:
        RowError: the result is an error of ACRCloud's, lacks what a match must have, or holds what is not known here.
    """
    code = _code(result.content)
    if code == NO_RESULT or not result.is_detection:
        return None
    if code:
        message = shown(result.content["status"].get("msg"))
        raise RowError(f"ACRCloud's status is {code}, {message}: that is an error and not a detection")
    metadata = result.content.get("metadata")
    if not isinstance(metadata, dict):
        raise RowError("metadata is missing: a result of ACRCloud's must have it")
    candidates = _candidates(metadata, custom_files)
    if not candidates:
        return None
    heard_on = result.station or station
    if not heard_on:
        raise RowError("the result names no stream_id or channel_id: name the station with --station")
    ranked = tuple(sorted(candidates, key=_rank))
    best = ranked[0]
    if not recordings(best):
        raise RowError(f"the music {shown(best.get('title'))} has neither an ISRC nor an acrid: it must have one")
    return Detection(result.line, heard_on, _time(metadata), _numeric(metadata.get("played_duration")), ranked)


def row_of(detection: Detection) -> Row:
    """A detection as a row.

    Its ``match_id`` is made of the station, the time and the best candidate. So the same detection is the same match,
    however it was fetched and whatever came before it.
    """
    best, heard = detection.candidates[0], detection.heard
    isrcs, invalid = _isrcs(heard), invalid_isrcs(detection)
    matched_at = timestamps.to_text(detection.matched_at)
    values = {
        "match_id": f"{detection.station}/{matched_at}/{best.get('acrid') or recordings(best)[0]}",
        "station_id": detection.station,
        "track_id": detection.track_id or recordings(heard)[0],
        "matched_at": matched_at,
        "duration_seconds": detection.duration,
        "avg_confidence_score": _numeric(heard.get("score")),
        "title": _text(heard.get("title")),
        "artist": _names(heard.get("artists")) or _names(heard.get("artist")),  # own uploads have "artist"
        "album": _names(heard.get("album")),
        "label": _names(heard.get("label")),
        "composers": _composers(heard),
        "isrc": isrcs[0] if isrcs else next(iter(invalid), None),
        "acrid": heard.get("acrid"),
        "isrcs": isrcs if len(isrcs) > 1 else None,
    }
    kept = {name: value for name, value in values.items() if value is not None}
    return Row(detection.line, kept, invalid_isrcs=len(invalid))


def recordings(candidate: dict[str, Value]) -> list[str]:
    """The ids of a candidate's recording: its valid ISRCs in the order listed, then its ACRID."""
    acrid = candidate.get("acrid")
    return [*_isrcs(candidate), *([acrid] if isinstance(acrid, str) and acrid.strip() else [])]


def invalid_isrcs(detection: Detection) -> list[str]:
    """What the recording has as ISRCs that are not valid ones."""
    return [text for text in _isrc_texts(detection.heard) if normalise(text) is None]


def _results(line: int, content: dict[str, Value], station: str | None) -> Iterator[Result]:
    station = _station(content) or station
    if _is_bare(content):
        yield Result(line, station, content)
        return
    data, is_detection = content.get("data"), content.get("status") != Number("0")
    if isinstance(data, str) and data.strip():  # as the callback's form has it
        try:
            data = json_object(data.encode(errors="surrogatepass"))
        except BrokenJsonError as broken:
            raise RowError(f"data is no result of ACRCloud's: {broken}") from None
    match data:
        case dict():
            yield Result(line, _station(data) or station, data, is_detection)
        case list():
            for member in data:
                if not isinstance(member, dict):
                    raise RowError("data holds what is no object: it must hold results of ACRCloud's")
                yield from _results(line, member, station)
        case _ if is_detection:
            found = "missing" if data is None else shown(data)
            raise RowError(f"data is {found}: it must be a result of ACRCloud's, or a list of them")
        case _:
            yield Result(line, station, {}, is_detection)


def _are_matches(data: list[Value]) -> bool:
    return bool(data) and all(isinstance(member, dict) and "matched_at" in member for member in data)


def _is_bare(content: dict[str, Value]) -> bool:
    return isinstance(content.get("metadata"), dict) or isinstance(content.get("status"), dict)


def _station(content: dict[str, Value]) -> str | None:
    for name in ("stream_id", "channel_id"):
        match content.get(name):
            case str(text) | Number(text) if text.strip():
                return text
    return None


def _code(content: dict[str, Value]) -> int | None:
    status = content.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    return int(code.text) if isinstance(code, Number) and code.text.isdecimal() else None


def _candidates(metadata: dict[str, Value], custom_files: CustomFiles) -> list[dict[str, Value]]:
    music = _objects(metadata, "music")
    if music:
        return music
    own = _objects(metadata, "custom_files")
    if own and custom_files is CustomFiles.REFUSE:
        raise RowError(
            "the result holds custom_files and no music: say what the station's own uploads are, with "
            "--custom-files music or --custom-files ignore"
        )
    if own:
        return own if custom_files is CustomFiles.MUSIC else []
    if unknown := [name for name, value in metadata.items() if isinstance(value, list) and value]:
        raise RowError(f"metadata holds {unknown[0]} and no music: it must hold music or custom_files")
    return []


def _objects(metadata: dict[str, Value], name: str) -> list[dict[str, Value]]:
    found = metadata.get(name) or []
    if not isinstance(found, list) or not all(isinstance(candidate, dict) for candidate in found):
        raise RowError(f"metadata.{name} is not a list of objects: it must list what was recognized")
    return found


def _rank(candidate: dict[str, Value]) -> tuple[Decimal, bool, str]:
    score = _numeric(candidate.get("score"))
    exact = number(score.text) if score else None
    return -Decimal(exact or 0), not _isrcs(candidate), str(candidate.get("acrid"))


def _isrcs(candidate: dict[str, Value]) -> list[str]:
    """The valid ISRCs, in the order listed. The first is ACRCloud's own choice."""
    valid = (normalise(text) for text in _isrc_texts(candidate))
    return list(dict.fromkeys(isrc for isrc in valid if isrc))


def _isrc_texts(candidate: dict[str, Value]) -> list[str]:
    """The ISRCs as ACRCloud writes them: one text, or a list of texts."""
    ids = candidate.get("external_ids")
    isrc = ids.get("isrc") if isinstance(ids, dict) else candidate.get("isrc")
    return [text for text in (isrc if isinstance(isrc, list) else [isrc]) if isinstance(text, str) and text.strip()]


def _names(value: Value) -> str | None:
    """Names of artists or of an album: a text, an object with a ``name``, or a list of these."""
    members = value if isinstance(value, list) else [value]
    names = [member.get("name") if isinstance(member, dict) else member for member in members]
    return ", ".join(name for name in names if isinstance(name, str) and name.strip()) or None


def _composers(candidate: dict[str, Value]) -> str | None:
    """The composers, as a catalog has them."""
    contributors = candidate.get("contributors")
    found = contributors.get("composers") if isinstance(contributors, dict) else None
    names = found if isinstance(found, list) else []
    return "; ".join(name for name in names if isinstance(name, str) and name.strip()) or None


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _numeric(value: Value) -> Number | None:
    """A number, which older results write as text."""
    match value:
        case Number():
            return value
        case str(text) if text.strip():
            return Number(text)
        case _:
            return None


def _time(metadata: dict[str, Value]) -> datetime:
    text = metadata.get("timestamp_utc")
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise RowError(f"metadata.timestamp_utc is {shown(text)}: it must be a time like '2021-01-07 10:18:45'")
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)

"""From ACRCloud's broadcast-monitoring results to rows of matches.

A result comes as the callback posts it (``stream_id``, ``status``, ``data``), as the Console API answers it (a list as
``data``), or bare (``status``, ``metadata``). Source: ACRCloud's documentation, "Music (Broadcast Monitoring with
Broadcast Database)", "Streams Results" and "Custom Streams Monitoring API".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from playlog.domain import timestamps

from playlog_cli.errors import shown
from playlog_cli.loading.json_rows import BrokenJsonError, json_object
from playlog_cli.loading.matches import RowError, number
from playlog_cli.loading.row import Number, Row, Value

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


def is_of_acrcloud(row: Row) -> bool:
    """Whether a row is a document of ACRCloud's, with one result or several, and no match."""
    content = row.values
    if "matched_at" in content:
        return False
    if _is_bare(content) or isinstance(content.get("data"), list):
        return True
    return _station(content) is not None and bool(content.keys() & {"data", "stream_url"})


def results_of(row: Row) -> list[Result]:
    """The results that a document of ACRCloud's holds.

    Raises:
        RowError: the document is none of those that are known.
    """
    return list(_results(row.line, row.values, None))


def row_of(result: Result, station: str | None) -> Row | None:
    """The match that a result is, as a row.

    Of several candidates one was heard, so that they are one match: that of the best score. Where two score the same,
    it is one with an ISRC before one without, and then the lower ACRID, in whatever order they are listed.

    Args:
        result: of a document.
        station: id for a result that names no stream and no channel.

    Returns:
        The row, its ``match_id`` made of station, time and ACRID, so that the same detection is the same match however
        it was fetched. None if nothing was heard.

    Raises:
        RowError: the result is an error of ACRCloud's, or lacks what a match must have.
    """
    code = _code(result.content)
    if code == NO_RESULT or not result.is_detection:
        return None
    if code:
        said = shown(result.content["status"].get("msg"))
        raise RowError(f"ACRCloud's status is {code}, {said}: that is an error and no detection")
    metadata = result.content.get("metadata")
    if not isinstance(metadata, dict):
        raise RowError("metadata is missing: a result of ACRCloud's must have it")
    candidates = _candidates(metadata)
    if not candidates:
        return None
    heard_on = result.station or station
    if not heard_on:
        raise RowError("the result names no stream_id or channel_id: say with --station which it is")
    best = min(candidates, key=_rank)
    matched_at = _time(metadata)
    isrcs, acrid = _isrcs(best), best.get("acrid")
    track = isrcs[0] if isrcs else acrid
    if not isinstance(track, str) or not track.strip():
        raise RowError(f"the music {shown(best.get('title'))} has neither an ISRC nor an acrid: it must have one")
    values = {
        "match_id": f"{heard_on}/{timestamps.to_text(matched_at)}/{acrid or track}",
        "station_id": heard_on,
        "track_id": track,
        "matched_at": timestamps.to_text(matched_at),
        "duration_seconds": _numeric(metadata.get("played_duration")),
        "avg_confidence_score": _numeric(best.get("score")),
        "title": best.get("title"),
        "artists": _artists(best),
        "acrid": acrid,
        "isrcs": isrcs if len(isrcs) > 1 else None,  # one is the track_id
    }
    return Row(result.line, {name: value for name, value in values.items() if value is not None})


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


def _candidates(metadata: dict[str, Value]) -> list[dict[str, Value]]:
    music = metadata.get("music") or []
    if not isinstance(music, list) or not all(isinstance(candidate, dict) for candidate in music):
        raise RowError("metadata.music is no list of objects: it must list what was recognized")
    if not music and metadata.get("custom_files"):
        raise RowError(
            "the result holds custom_files and no music: which of your own files are songs cannot be told, "
            "so load those as matches"
        )
    return music


def _rank(candidate: dict[str, Value]) -> tuple[Decimal, bool, str]:
    score = _numeric(candidate.get("score"))
    exact = number(score.text) if score else None
    return -Decimal(exact or 0), not _isrcs(candidate), str(candidate.get("acrid"))


def _isrcs(candidate: dict[str, Value]) -> list[str]:
    """The ISRCs in the order listed, of which the first is ACRCloud's own choice: text, or a list of texts."""
    ids = candidate.get("external_ids")
    isrc = ids.get("isrc") if isinstance(ids, dict) else None
    return [text for text in (isrc if isinstance(isrc, list) else [isrc]) if isinstance(text, str) and text.strip()]


def _artists(candidate: dict[str, Value]) -> str | None:
    artists = candidate.get("artists")
    names = [artist.get("name") for artist in artists if isinstance(artist, dict)] if isinstance(artists, list) else []
    return ", ".join(name for name in names if isinstance(name, str)) or None


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

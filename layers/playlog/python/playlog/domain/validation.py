"""Is a match valid, and if not, what is wrong with which value?

The rules and their order are those of docs/contract.md. Pure: no clock, no network.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from playlog.domain import timestamps
from playlog.domain.failure import Failure
from playlog.domain.match import Item, Match
from playlog.domain.plain_values import plain
from playlog.schema import CARRIED, VALIDATED_TYPES, ReasonCode

SOURCES = ("Radio", "Streaming")
LONGEST_SECONDS = 86_400
FUTURE_ALLOWED = timedelta(hours=24)


class _InvalidError(Exception):
    def __init__(self, code: ReasonCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def validate(item: Item, *, now: datetime, default_duration: timedelta) -> Match | Failure:
    """Validates a match by its own data alone.

    Args:
        item: the match as the index holds it. It may hold anything: one invalid item must not break its page.
        now: the time of the run, with an offset.
        default_duration: length of a match without ``duration_seconds``.

    Returns:
        The match, or the first failure in the order of ``ReasonCode``.
    """
    try:
        return _match(item, now, default_duration)
    except _InvalidError as error:
        return Failure(item, error.code, str(error))
    except Exception as error:  # noqa: BLE001 - one match must not stop the others
        return Failure(item, ReasonCode.UNEXPECTED, f"validating it raised {type(error).__name__}: {error}")


def _match(item: Item, now: datetime, default_duration: timedelta) -> Match:
    values = _values(item)
    # In the order of ReasonCode.
    track_id = _text(values, "track_id", ReasonCode.MISSING_TRACK)
    station_id = _text(values, "station_id", ReasonCode.MISSING_STATION)
    matched_at = _time(values, now)
    duration = _duration(values, default_duration)
    confidence = _confidence(values)
    source = _source(values)
    return Match(
        match_id=values["match_id"],
        station_id=station_id,
        track_id=track_id,
        matched_at=matched_at,
        duration=duration,
        source=source,
        carried={name: values[name] for name in CARRIED if name in values},
        avg_confidence_score=confidence,
        item=item,
    )


def _values(item: Item) -> dict[str, Any]:
    """The values of the validated attributes. An attribute of type NULL counts as absent."""
    values = {}
    for name, attribute in item.items():
        wanted = VALIDATED_TYPES.get(name)
        if wanted is None:
            continue
        if wanted in attribute:
            values[name] = attribute[wanted]
        elif "NULL" not in attribute:
            raise _malformed(item)
    return values


def _malformed(item: Item) -> _InvalidError:
    """Names the first attribute with a wrong type, in the order of the contract."""
    name, found, value = next(
        (name, found, plain({found: value}))
        for name, wanted in VALIDATED_TYPES.items()
        for found, value in item.get(name, {}).items()
        if found not in (wanted, "NULL")
    )
    return _InvalidError(
        ReasonCode.MALFORMED,
        f"{name} is of type {found} ({_shown(value)}): it must be of type {VALIDATED_TYPES[name]}",
    )


def _text(values: dict[str, Any], name: str, code: ReasonCode) -> str:
    if name not in values:
        raise _InvalidError(code, f"{name} is absent: it must name one")
    text: str = values[name]
    if not text.strip():
        raise _InvalidError(code, f"{name} is {_shown(text)}: it must not be blank")
    return text


def _time(values: dict[str, Any], now: datetime) -> datetime:
    text = values.get("matched_at", "")
    try:
        matched_at = timestamps.from_text(text)
    except ValueError:
        wanted = "it must be an ISO 8601 time with an offset, of the years 1 to 9999, like 2026-03-14T08:00:00+01:00"
        raise _InvalidError(ReasonCode.INVALID_TIME, f"matched_at is {_shown(text)}: {wanted}") from None
    if matched_at > now + FUTURE_ALLOWED:
        wanted = f"it must be at most 24 hours after now ({timestamps.to_text(now)})"
        raise _InvalidError(ReasonCode.INVALID_TIME, f"matched_at is {_shown(text)}: {wanted}")
    return matched_at


def _duration(values: dict[str, Any], default: timedelta) -> timedelta:
    if "duration_seconds" not in values:
        return default
    seconds = Decimal(values["duration_seconds"])
    # Rounded to a microsecond, the precision of a play's times.
    microseconds = round(seconds * 1_000_000) if 0 < seconds <= LONGEST_SECONDS else 0
    if not microseconds:
        wanted = f"it must be above 0 and at most {LONGEST_SECONDS}"
        raise _InvalidError(ReasonCode.INVALID_DURATION, f"duration_seconds is {seconds}: {wanted}")
    return timedelta(microseconds=microseconds)


def _confidence(values: dict[str, Any]) -> Decimal | None:
    if "avg_confidence_score" not in values:
        return None
    score = Decimal(values["avg_confidence_score"])
    if not 0 <= score <= 100:
        raise _InvalidError(ReasonCode.INVALID_CONFIDENCE, f"avg_confidence_score is {score}: it must be from 0 to 100")
    return score


def _source(values: dict[str, Any]) -> str:
    source: str = values.get("source", SOURCES[0])
    if source not in SOURCES:
        wanted = "it must be " + " or ".join(SOURCES)
        raise _InvalidError(ReasonCode.INVALID_SOURCE, f"source is {_shown(source)}: {wanted}")
    return source


def _shown(value: object) -> str:
    """The value, quoted and shortened for a sentence."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}… ({len(text):,} characters)"

"""Every attribute of the tables and every reason code, once (docs/contract.md, The three tables).

Everything else that lists attributes or codes is derived from this module or tested against it: validation, the
converter's templates, the PynamoDB models, the audit, the report, the exports and the tables in docs/. Two lists that
only people's edits write are not here: ``mended`` on a match and ``edited`` on a play.

Add an attribute or a code here first; CONTRIBUTING.md lists the files that follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """Types of DynamoDB, as its JSON names them."""

    TEXT = "S"
    NUMBER = "N"
    FLAG = "BOOL"
    DOCUMENT = "M"


class Owner(StrEnum):
    """Who writes an attribute first."""

    WRITER = "the detection system"
    CONVERTER = "ConvertMatches"
    STORE_FAILURES = "StoreFailures"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a table.

    Attributes:
        name: as in the table.
        type: the type that it must have.
        owner: who writes it first.
        required: whether every item has it.
        is_time: whether the text is an ISO 8601 time.
        carried: whether a new play takes it from the match that creates it, if that has it. Only of MatchCache.
        for_people: a name for people: conversion ignores it, whatever its type, so no play carries it. Only of
            MatchCache.
    """

    name: str
    type: Type
    owner: Owner
    required: bool = False
    is_time: bool = False
    carried: bool = False
    for_people: bool = False


_WRITER, _CONVERTER, _STORE = Owner.WRITER, Owner.CONVERTER, Owner.STORE_FAILURES

MATCH_CACHE: Sequence[Attribute] = (
    Attribute("match_id", Type.TEXT, _WRITER, required=True),
    Attribute("unprocessed_shard", Type.TEXT, _WRITER),
    Attribute("matched_at", Type.TEXT, _WRITER, required=True, is_time=True),
    Attribute("track_id", Type.TEXT, _WRITER, required=True),
    Attribute("station_id", Type.TEXT, _WRITER, required=True),
    Attribute("station_program_id", Type.TEXT, _WRITER, carried=True),
    Attribute("source", Type.TEXT, _WRITER),
    Attribute("duration_seconds", Type.NUMBER, _WRITER),
    Attribute("avg_confidence_score", Type.NUMBER, _WRITER),
    Attribute("processed", Type.FLAG, _WRITER),
    Attribute("processed_at", Type.TEXT, _CONVERTER, is_time=True),
    Attribute("play_id", Type.TEXT, _CONVERTER),
    Attribute("attempts", Type.NUMBER, _STORE),
    Attribute("failed_reason", Type.TEXT, _STORE),
    Attribute("expires_at", Type.NUMBER, _CONVERTER),
    Attribute("title", Type.TEXT, _WRITER, for_people=True),
    Attribute("artist", Type.TEXT, _WRITER, for_people=True),
    Attribute("album", Type.TEXT, _WRITER, for_people=True),
    Attribute("label", Type.TEXT, _WRITER, for_people=True),
    Attribute("isrc", Type.TEXT, _WRITER, for_people=True),
)

PLAY_LOG: Sequence[Attribute] = (
    Attribute("station_id", Type.TEXT, _CONVERTER, required=True),
    Attribute("play_id", Type.TEXT, _CONVERTER, required=True),
    Attribute("track_id", Type.TEXT, _CONVERTER, required=True),
    Attribute("station_program_id", Type.TEXT, _CONVERTER),
    Attribute("source", Type.TEXT, _CONVERTER, required=True),
    Attribute("match_id", Type.TEXT, _CONVERTER, required=True),
    Attribute("match_count", Type.NUMBER, _CONVERTER, required=True),
    Attribute("played_at", Type.TEXT, _CONVERTER, required=True, is_time=True),
    Attribute("start_time", Type.TEXT, _CONVERTER, required=True, is_time=True),
    Attribute("stop_time", Type.TEXT, _CONVERTER, required=True, is_time=True),
    Attribute("duration_seconds", Type.NUMBER, _CONVERTER, required=True),
    Attribute("avg_confidence_score", Type.NUMBER, _CONVERTER),
    # The mean's parts, so that a further match changes the mean exactly.
    Attribute("confidence_sum", Type.NUMBER, _CONVERTER),
    Attribute("confidence_count", Type.NUMBER, _CONVERTER),
    Attribute("active", Type.FLAG, _CONVERTER, required=True),
    Attribute("claimed", Type.FLAG, _CONVERTER, required=True),
    Attribute("flagged", Type.FLAG, _CONVERTER, required=True),
    Attribute("bridged", Type.FLAG, _CONVERTER),
    # From then on, its matches may be gone: the audit must know, whatever the stack's setting is by then.
    Attribute("matches_expire_at", Type.NUMBER, _CONVERTER),
    Attribute("is_archived", Type.FLAG, _CONVERTER, required=True),
    Attribute("created_at", Type.TEXT, _CONVERTER, required=True, is_time=True),
    Attribute("updated_at", Type.TEXT, _CONVERTER, required=True, is_time=True),
)

FAILED_PLAY_LOG: Sequence[Attribute] = (
    Attribute("match_id", Type.TEXT, _STORE, required=True),
    Attribute("attempt", Type.NUMBER, _STORE, required=True),
    Attribute("reason_code", Type.TEXT, _STORE, required=True),
    Attribute("reason", Type.TEXT, _STORE, required=True),
    Attribute("will_retry", Type.FLAG, _STORE, required=True),
    Attribute("failed_at", Type.TEXT, _STORE, required=True, is_time=True),
    Attribute("stored_at", Type.TEXT, _STORE, required=True, is_time=True),
    Attribute("match", Type.DOCUMENT, _STORE, required=True),
)

STATION_GUARD: Sequence[Attribute] = (
    Attribute("station_id", Type.TEXT, _CONVERTER, required=True),
    Attribute("version", Type.NUMBER, _CONVERTER, required=True),
    Attribute("reach_seconds", Type.NUMBER, _CONVERTER, required=True),
)

# An attribute of MatchCache that must have its type: with another one, the match is MALFORMED.
VALIDATED_TYPES = {each.name: each.type.value for each in MATCH_CACHE if not each.for_people}
# Optional attributes that a new play takes from its first match.
CARRIED = tuple(each.name for each in MATCH_CACHE if each.carried)


class ReasonCode(StrEnum):
    """Why a match could not be converted, in the order in which a match is validated.

    Of several defects, the first in this order is recorded.
    """

    MALFORMED = "MALFORMED"
    MISSING_TRACK = "MISSING_TRACK"
    MISSING_STATION = "MISSING_STATION"
    INVALID_TIME = "INVALID_TIME"
    INVALID_DURATION = "INVALID_DURATION"
    INVALID_CONFIDENCE = "INVALID_CONFIDENCE"
    INVALID_SOURCE = "INVALID_SOURCE"
    REJECTED = "REJECTED"
    UNEXPECTED = "UNEXPECTED"

    @property
    def retryable(self) -> bool:
        """Whether the same match may succeed in a later run although nobody repaired it."""
        return self is ReasonCode.UNEXPECTED


def names(table: Sequence[Attribute]) -> tuple[str, ...]:
    """The names of a table's attributes, in the order of the contract."""
    return tuple(each.name for each in table)

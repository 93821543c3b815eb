"""The tables as PynamoDB models (docs/contract.md, The three tables).

``playlog.schema`` says what each attribute is; a test compares both. The path of every match does not use these models:
see ``playlog.converting.writing.actions``.
"""

from typing import TypeVar

from pynamodb.attributes import (
    BooleanAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

AnyModel = TypeVar("AnyModel", bound=Model)


class _Timeouts:
    # Of one request, in seconds. Retries are playlog.runtime.retry's alone.
    connect_timeout_seconds = 1
    read_timeout_seconds = 2
    max_retry_attempts = 0


class UnprocessedIndex(GlobalSecondaryIndex["MatchCache"]):  # type: ignore[no-untyped-call]
    """The waiting matches. A station's matches are in one partition, in the order of time."""

    class Meta:
        index_name = "unprocessed-index"
        projection = AllProjection()

    unprocessed_shard = UnicodeAttribute(hash_key=True)
    matched_at = UnicodeAttribute(range_key=True)


class MatchCache(Model):
    """One detection of a track on a station, written by the detection system."""

    class Meta(_Timeouts):
        table_name: str

    match_id = UnicodeAttribute(hash_key=True)
    unprocessed_shard = UnicodeAttribute(null=True)
    # As the writer wrote it: with any offset, or not a time at all.
    matched_at = UnicodeAttribute(null=True)
    track_id = UnicodeAttribute(null=True)
    station_id = UnicodeAttribute(null=True)
    station_program_id = UnicodeAttribute(null=True)
    source = UnicodeAttribute(null=True)
    duration_seconds = NumberAttribute(null=True)
    avg_confidence_score = NumberAttribute(null=True)
    processed = BooleanAttribute(null=True)
    processed_at = UTCDateTimeAttribute(null=True)
    play_id = UnicodeAttribute(null=True)
    attempts = NumberAttribute(null=True)
    failed_reason = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)

    unprocessed_index = UnprocessedIndex()


class TrackIndex(GlobalSecondaryIndex["PlayLog"]):  # type: ignore[no-untyped-call]
    """The plays of a track in the order of time."""

    class Meta:
        index_name = "track-index"
        projection = AllProjection()

    track_id = UnicodeAttribute(hash_key=True)
    played_at = UTCDateTimeAttribute(range_key=True)


class PlayLog(Model):
    """One play of a track on a station. Royalties are paid on plays."""

    class Meta(_Timeouts):
        table_name: str

    station_id = UnicodeAttribute(hash_key=True)
    play_id = UnicodeAttribute(range_key=True)
    track_id = UnicodeAttribute()
    station_program_id = UnicodeAttribute(null=True)
    source = UnicodeAttribute()
    match_id = UnicodeAttribute()
    match_count = NumberAttribute()
    played_at = UTCDateTimeAttribute()
    start_time = UTCDateTimeAttribute()
    stop_time = UTCDateTimeAttribute()
    duration_seconds = NumberAttribute()
    avg_confidence_score = NumberAttribute(null=True)
    # The mean's parts, so that a further match changes the mean exactly.
    confidence_sum = NumberAttribute(null=True)
    confidence_count = NumberAttribute(null=True)
    active = BooleanAttribute()
    claimed = BooleanAttribute()
    flagged = BooleanAttribute()
    bridged = BooleanAttribute(null=True)
    # The earliest expires_at of its matches.
    matches_expire_at = NumberAttribute(null=True)
    is_archived = BooleanAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()

    track_index = TrackIndex()


class StationGuard(Model):
    """Keeps concurrent runs apart that write plays of one station: see ``playlog.converting.writing.guard``."""

    class Meta(_Timeouts):
        table_name: str

    station_id = UnicodeAttribute(hash_key=True)
    version = NumberAttribute()
    reach_seconds = NumberAttribute()


class ReasonIndex(GlobalSecondaryIndex["FailedPlayLog"]):  # type: ignore[no-untyped-call]
    """The failures of a reason code in the order of time."""

    class Meta:
        index_name = "reason-index"
        projection = AllProjection()

    reason_code = UnicodeAttribute(hash_key=True)
    failed_at = UTCDateTimeAttribute(range_key=True)


class FailedPlayLog(Model):
    """One failed conversion."""

    class Meta(_Timeouts):
        table_name: str

    match_id = UnicodeAttribute(hash_key=True)
    attempt = NumberAttribute(range_key=True)
    reason_code = UnicodeAttribute()
    reason = UnicodeAttribute()
    will_retry = BooleanAttribute()
    failed_at = UTCDateTimeAttribute()
    stored_at = UTCDateTimeAttribute()
    match: MapAttribute[str, object] = MapAttribute()  # type: ignore[no-untyped-call]

    reason_index = ReasonIndex()


def bind(model: type[AnyModel], table: str) -> type[AnyModel]:
    """A subclass of a model that reads and writes the table of one stack.

    Args:
        model: one of the models above. It is not changed.
        table: name of the table.
    """
    meta = type("Meta", (model.Meta,), {"table_name": table})  # type: ignore[arg-type]
    return type(model)(model.__name__, (model,), {"Meta": meta})  # type: ignore[no-any-return, misc]

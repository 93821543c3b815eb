"""Items, matches and plays to test with, and strategies for whatever DynamoDB can hold."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from playlog.converting.writing import actions
from playlog.domain import timestamps
from playlog.domain.match import Item, Match
from playlog.domain.play import Play, PlayKey
from playlog.schema import VALIDATED_TYPES

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
MATCHED_AT = datetime(2026, 3, 14, 7, tzinfo=UTC)
TABLES = actions.Tables(match_cache="MatchCache", play_log="PlayLog", station_guard="StationGuard")


def make_item(match_id: str = "m-1", /, **attributes: dict[str, Any]) -> Item:
    """A valid match as the index holds it, with only what is required, but for ``attributes``."""
    return {
        "match_id": {"S": match_id},
        "unprocessed_shard": {"S": "0"},
        "matched_at": {"S": "2026-03-14T08:00:00+01:00"},
        "track_id": {"S": "track-1"},
        "station_id": {"S": "station-1"},
        **attributes,
    }


def without(item: Item, name: str) -> Item:
    """The item with one attribute less."""
    return {other: value for other, value in item.items() if other != name}


def make_match(
    match_id: str = "m-1",
    *,
    station_id: str = "station-1",
    track_id: str = "track-1",
    matched_at: datetime = MATCHED_AT,
    seconds: int = 180,
    score: Decimal | None = None,
    station_program_id: str | None = None,
    padding: int = 0,
) -> Match:
    """A valid match.

    Args:
        match_id: key.
        station_id: as in the contract.
        track_id: as in the contract.
        matched_at: with an offset.
        seconds: its duration.
        score: its confidence, 0 to 100.
        station_program_id: as in the contract.
        padding: bytes of text in an attribute of the writer's own.
    """
    return Match(
        match_id=match_id,
        station_id=station_id,
        track_id=track_id,
        matched_at=matched_at,
        duration=timedelta(seconds=seconds),
        source="Radio",
        carried={} if station_program_id is None else {"station_program_id": station_program_id},
        avg_confidence_score=score,
        item=make_item(
            match_id,
            station_id={"S": station_id},
            track_id={"S": track_id},
            matched_at={"S": timestamps.to_text(matched_at)},
            **({"padding": {"S": "x" * padding}} if padding else {}),
        ),
    )


def make_play(
    scores: Sequence[Decimal] = (), *, match_count: int = 1, seconds: int = 180, flagged: bool = False
) -> Play:
    """A play of ``make_match()``'s airing.

    Args:
        scores: confidences of those of its matches that have one.
        match_count: how many matches it accounts for.
        seconds: its duration.
        flagged: as in the contract.
    """
    return Play(
        PlayKey("station-1", "2026-03-14T07:00:00.000000+0000#track-1"),
        "track-1",
        start_time=MATCHED_AT,
        stop_time=MATCHED_AT + timedelta(seconds=seconds),
        match_count=match_count,
        confidence_sum=sum(scores, Decimal(0)),
        confidence_count=len(scores),
        flagged=flagged,
    )


# --- Whatever DynamoDB can hold, in its wire format. ---


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Numbers of DynamoDB: up to 38 digits, of a magnitude from 1E-130 to 9.9E+125."""
    digits = draw(st.integers(-(10**38) + 1, 10**38 - 1))
    return str(Decimal(digits).scaleb(draw(st.integers(-130, 88))))


# UTF-8 has no surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)

_scalars = st.one_of(
    texts.map(lambda text: {"S": text}),
    numbers().map(lambda number: {"N": number}),
    st.binary(max_size=30).map(lambda content: {"B": content}),
    st.booleans().map(lambda truth: {"BOOL": truth}),
    st.just({"NULL": True}),
    st.lists(texts, min_size=1, max_size=3, unique=True).map(lambda members: {"SS": members}),
    st.lists(numbers(), min_size=1, max_size=3, unique=True).map(lambda members: {"NS": members}),
    st.lists(st.binary(max_size=9), min_size=1, max_size=3, unique=True).map(lambda members: {"BS": members}),
)


def _nested(values: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.lists(values, max_size=3).map(lambda members: {"L": members}),
        st.dictionaries(texts, values, max_size=3).map(lambda members: {"M": members}),
    )


attribute_values = st.recursive(_scalars, _nested, max_leaves=6)

_right_values: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "S": texts.map(lambda text: {"S": text}),
    "N": numbers().map(lambda number: {"N": number}),
    "BOOL": st.booleans().map(lambda truth: {"BOOL": truth}),
}


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Matches with anything in them, but for the key, which DynamoDB itself checks."""
    own: Item = draw(
        st.dictionaries(texts.filter(lambda name: name not in VALIDATED_TYPES), attribute_values, max_size=4)
    )
    named: Item = draw(
        st.fixed_dictionaries(
            {"match_id": texts.filter(bool).map(lambda text: {"S": text})},
            optional={
                name: _right_values[kind] | attribute_values
                for name, kind in VALIDATED_TYPES.items()
                if name != "match_id"
            },
        )
    )
    usual: Item = make_item() if draw(st.booleans()) else {}
    return {**own, **usual, **named}


# As detection systems write them: enough places for a double.
scores = st.decimals(min_value=0, max_value=100, places=15)

"""Which matches become plays, and what is said of the others: each rule of the contract, and its edges."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playlog.domain import timestamps
from playlog.domain.failure import Failure
from playlog.domain.match import Item, Match
from playlog.domain.plain_values import plain
from playlog.domain.validation import validate
from playlog.schema import VALIDATED_TYPES, ReasonCode

from tests.support.builders import NOW, attribute_values, items, make_item, texts, without

DEFAULT = timedelta(seconds=180)

# A defect of each code, in the contract's order.
DEFECTS: dict[str, dict[str, dict[str, Any]]] = {
    "MALFORMED": {"attempts": {"S": "none"}},
    "MISSING_TRACK": {"track_id": {"S": ""}},
    "MISSING_STATION": {"station_id": {"S": ""}},
    "INVALID_TIME": {"matched_at": {"S": "yesterday"}},
    "INVALID_DURATION": {"duration_seconds": {"N": "0"}},
    "INVALID_CONFIDENCE": {"avg_confidence_score": {"N": "101"}},
    "INVALID_SOURCE": {"source": {"S": "Television"}},
}
A_VALUE_OF_EACH_TYPE: dict[str, Any] = {
    "S": "text",
    "N": "1",
    "B": b"\x00",
    "BOOL": True,
    "SS": ["a"],
    "NS": ["1"],
    "BS": [b"a"],
    "L": [{"S": "a"}],
    "M": {"a": {"S": "b"}},
}


def judged(item: Item) -> Match | Failure:
    return validate(item, now=NOW, default_duration=DEFAULT)


def valid(item: Item) -> Match:
    verdict = judged(item)
    assert isinstance(verdict, Match), verdict
    return verdict


def failed(item: Item) -> Failure:
    verdict = judged(item)
    assert isinstance(verdict, Failure), verdict
    return verdict


def test_a_match_comes_through_with_all_that_it_says() -> None:
    item = make_item(
        "m-7",
        station_program_id={"S": "morning"},
        source={"S": "Streaming"},
        duration_seconds={"N": "201.5"},
        avg_confidence_score={"N": "87.25"},
        processed={"BOOL": False},
        attempts={"N": "2"},
    )

    assert judged(item) == Match(
        match_id="m-7",
        station_id="station-1",
        track_id="track-1",
        matched_at=datetime(2026, 3, 14, 7, tzinfo=UTC),
        duration=timedelta(seconds=201, milliseconds=500),
        source="Streaming",
        carried={"station_program_id": "morning"},
        avg_confidence_score=Decimal("87.25"),
        item=item,
    )


def test_a_match_that_says_only_what_it_must_is_a_radio_match_of_the_default_length() -> None:
    match = valid(make_item())

    assert match.duration == DEFAULT
    assert match.source == "Radio"
    assert match.carried == {}
    assert match.avg_confidence_score is None


@pytest.mark.parametrize(
    ("name", "value", "code", "shown"),
    [
        ("track_id", {"S": ""}, "MISSING_TRACK", "''"),
        ("track_id", {"S": " \t\n"}, "MISSING_TRACK", r"' \t\n'"),
        ("track_id", {"S": "\u00a0\u3000"}, "MISSING_TRACK", r"'\xa0\u3000'"),
        ("station_id", {"S": ""}, "MISSING_STATION", "''"),
        ("station_id", {"S": "  "}, "MISSING_STATION", "'  '"),
        ("matched_at", {"S": "yesterday"}, "INVALID_TIME", "'yesterday'"),
        ("matched_at", {"S": "2026-03-14"}, "INVALID_TIME", "'2026-03-14'"),
        ("matched_at", {"S": "2026-03-14T08:00:00"}, "INVALID_TIME", "'2026-03-14T08:00:00'"),
        ("matched_at", {"S": "0001-01-01T00:00:00+01:00"}, "INVALID_TIME", "'0001-01-01T00:00:00+01:00'"),
        ("matched_at", {"S": "9999-12-31T23:59:59-01:00"}, "INVALID_TIME", "'9999-12-31T23:59:59-01:00'"),
        ("matched_at", {"S": "2026-03-15T12:00:00.000001Z"}, "INVALID_TIME", "'2026-03-15T12:00:00.000001Z'"),
        ("duration_seconds", {"N": "0"}, "INVALID_DURATION", "0"),
        ("duration_seconds", {"N": "-0.000001"}, "INVALID_DURATION", "-0.000001"),
        ("duration_seconds", {"N": "86400.000001"}, "INVALID_DURATION", "86400.000001"),
        ("duration_seconds", {"N": "86400." + "0" * 32 + "1"}, "INVALID_DURATION", "86400." + "0" * 32 + "1"),
        ("duration_seconds", {"N": "9E+125"}, "INVALID_DURATION", "9E+125"),
        ("avg_confidence_score", {"N": "-0.000001"}, "INVALID_CONFIDENCE", "-0.000001"),
        ("avg_confidence_score", {"N": "100.000001"}, "INVALID_CONFIDENCE", "100.000001"),
        ("source", {"S": "Television"}, "INVALID_SOURCE", "'Television'"),
        ("source", {"S": "radio"}, "INVALID_SOURCE", "'radio'"),
        ("source", {"S": ""}, "INVALID_SOURCE", "''"),
    ],
)
def test_a_person_reads_which_value_is_wrong_and_what_would_be_right(
    name: str, value: dict[str, Any], code: str, shown: str
) -> None:
    failure = failed(make_item(**{name: value}))

    assert failure.reason_code == code
    assert failure.reason.startswith(f"{name} is {shown}: it must ")


@pytest.mark.parametrize(("name", "code"), [("track_id", "MISSING_TRACK"), ("station_id", "MISSING_STATION")])
def test_what_is_absent_is_said_to_be_absent(name: str, code: str) -> None:
    for item in without(make_item(), name), make_item(**{name: {"NULL": True}}):
        failure = failed(item)

        assert failure.reason_code == code
        assert failure.reason.startswith(f"{name} is absent: it must ")


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("matched_at", "24 hours after now (2026-03-14T12:00:00.000000+0000)"),
        ("duration_seconds", "above 0 and at most 86400"),
        ("avg_confidence_score", "from 0 to 100"),
        ("source", "Radio or Streaming"),
    ],
)
def test_a_reason_says_the_bounds(name: str, bounds: str) -> None:
    beyond = {"matched_at": {"S": "2030-01-01T00:00:00Z"}, "source": {"S": "?"}}

    assert bounds in failed(make_item(**{name: beyond.get(name, {"N": "-1"})})).reason


@pytest.mark.parametrize(
    "name", [name for name in VALIDATED_TYPES if name != "match_id"]
)  # the key's type the table checks
def test_an_attribute_of_another_type_is_malformed_and_named(name: str) -> None:
    for kind, content in A_VALUE_OF_EACH_TYPE.items():
        if kind != VALIDATED_TYPES[name]:
            failure = failed(make_item(**{name: {kind: content}}))

            assert failure.reason_code == "MALFORMED"
            shown = repr(plain({kind: content}))  # as its writer wrote it
            assert failure.reason == f"{name} is of type {kind} ({shown}): it must be of type {VALIDATED_TYPES[name]}"


def test_of_two_attributes_of_another_type_the_first_in_the_contracts_order_is_named() -> None:
    assert failed({"attempts": {"S": "?"}, "match_id": {"S": "m-1"}, "track_id": {"N": "1"}}).reason.startswith(
        "track_id"
    )


@pytest.mark.parametrize(("first", "second"), list(combinations(DEFECTS, 2)))
def test_of_two_defects_the_first_in_the_contracts_order_is_recorded(first: str, second: str) -> None:
    item = make_item(**DEFECTS[second], **DEFECTS[first])

    assert failed(item).reason_code == first


@pytest.mark.parametrize(
    "name", ["station_program_id", "source", "duration_seconds", "avg_confidence_score", "processed", "attempts"]
)
def test_null_counts_as_absent(name: str) -> None:
    item = make_item(**{name: {"NULL": True}})

    assert valid(item) == Match(**{**fields(valid(make_item())), "item": item})


def test_a_time_that_is_null_is_no_time() -> None:
    assert failed(make_item(matched_at={"NULL": True})).reason_code == "INVALID_TIME"


@settings(max_examples=20)
@given(st.dictionaries(texts.filter(lambda name: name not in VALIDATED_TYPES), attribute_values, max_size=4))
def test_attributes_of_the_writers_own_cost_no_play(own: Item) -> None:
    item = {**own, **make_item()}

    assert valid(item) == Match(**{**fields(valid(make_item())), "item": item})


def fields(match: Match) -> dict[str, Any]:
    return {name: getattr(match, name) for name in Match.__slots__}


@pytest.mark.parametrize(
    ("seconds", "duration"),
    [
        ("0.000001", timedelta(microseconds=1)),
        ("1", timedelta(seconds=1)),
        ("201.123456", timedelta(seconds=201, microseconds=123_456)),
        ("2.015E+2", timedelta(seconds=201.5)),
        ("86399.999999", timedelta(days=1) - timedelta(microseconds=1)),
        ("86400", timedelta(days=1)),
        ("86400." + "0" * 33, timedelta(days=1)),
    ],
)
def test_a_duration_within_the_bounds_is_kept_to_the_microsecond(seconds: str, duration: timedelta) -> None:
    assert valid(make_item(duration_seconds={"N": seconds})).duration == duration


@pytest.mark.parametrize("score", ["0", "0.0", "1E-130", "99.999999", "100", "1E+2"])
def test_a_confidence_at_its_bounds_is_valid(score: str) -> None:
    assert valid(make_item(avg_confidence_score={"N": score})).avg_confidence_score == Decimal(score)


@pytest.mark.parametrize("text", ["2026-03-15T12:00:00Z", "2026-03-15T13:00:00+01:00", "0001-01-01T00:00:00Z"])
def test_a_clock_that_is_a_day_ahead_costs_no_play(text: str) -> None:
    assert valid(make_item(matched_at={"S": text})).matched_at == datetime.fromisoformat(text)


@given(items())
def test_one_poisoned_match_never_breaks_its_page(item: Item) -> None:
    verdict = judged(item)

    assert verdict.item is item
    if isinstance(verdict, Failure):
        assert verdict.reason_code is not ReasonCode.UNEXPECTED, verdict.reason
        assert verdict.match_id == item["match_id"]["S"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("matched_at", {"S": "x" * 300_000}),
        ("source", {"S": "😀" * 80_000}),
        ("duration_seconds", {"S": "1" * 300_000}),
        ("track_id", {"L": [{"N": "1"}] * 20_000}),
        ("processed", {"B": bytes(100_000)}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_a_reason_stays_readable_however_long_the_value_is(name: str, value: dict[str, Any]) -> None:
    reason = failed(make_item(**{name: value})).reason

    assert reason.startswith(f"{name} is ")
    assert "characters)" in reason
    assert len(reason) < 300


def test_an_error_of_our_own_costs_one_match_and_not_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_text: str) -> datetime:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(timestamps, "from_text", broken)

    failure = failed(make_item())

    assert failure.reason_code is ReasonCode.UNEXPECTED
    assert "RuntimeError: a defect of ours" in failure.reason


def test_only_what_is_not_the_matchs_own_fault_is_tried_again() -> None:
    assert [code for code in ReasonCode if code.retryable] == [ReasonCode.UNEXPECTED]


@pytest.mark.parametrize(
    ("attempts", "attempt"),
    [
        (None, 1),
        ({"NULL": True}, 1),
        ({"N": "0"}, 1),
        ({"N": "2"}, 3),
        ({"N": "9007199254740993"}, 9007199254740994),
        ({"N": "-5"}, 1),
        ({"N": "1E+38"}, 1),
        ({"S": "none"}, 1),
        ({"L": []}, 1),
    ],
)
def test_every_failure_has_an_attempt_of_its_own_from_1(attempts: dict[str, Any] | None, attempt: int) -> None:
    item = make_item(track_id={"S": ""}, **({} if attempts is None else {"attempts": attempts}))

    assert failed(item).attempt == attempt


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"M": {"$date": {"S": "2026-03-14T08:00:00Z"}}}, "of type M ({'$date': '2026-03-14T08:00:00Z'})"),
        ({"L": [{"N": "1"}, {"NULL": True}, {"BOOL": True}]}, "of type L ([1, None, True])"),
        ({"N": "1741939200"}, "of type N (1741939200)"),
    ],
)
def test_a_value_of_a_wrong_type_is_shown_as_its_writer_wrote_it(value: dict[str, Any], told: str) -> None:
    failure = validate(make_item(matched_at=value), now=NOW, default_duration=timedelta(minutes=3))
    assert isinstance(failure, Failure)
    assert failure.reason == f"matched_at is {told}: it must be of type S"

"""Dead letters: what a person sees of a failed match, and what must never keep a letter from being stored."""

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any
from unittest.mock import create_autospec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playlog.domain.failure import Failure
from playlog.domain.match import Item
from playlog.dynamodb.models import FailedPlayLog, MatchCache
from playlog.failures.dead_letter import LETTER_BYTES, BrokenLetterError, DeadLetter
from playlog.failures.recording import FailureTables, store
from playlog.runtime.retry import Retry
from playlog.schema import ReasonCode
from pynamodb.connection import Connection

from tests.support.builders import NOW, items, make_item

REASON = "track_id is '': it must not be blank"
LETTER: dict[str, Any] = {
    "version": 1,
    "match_id": "m-1",
    "attempt": 2,
    "reason_code": "MISSING_TRACK",
    "reason": REASON,
    "will_retry": False,
    "failed_at": "2026-03-14T12:00:00.000000+0000",
    "match": {"match_id": "m-1", "track_id": ""},
}


def letter_of(item: Item, code: ReasonCode = ReasonCode.MISSING_TRACK, max_attempts: int = 3) -> DeadLetter:
    return DeadLetter.of(Failure(item, code, REASON), max_attempts=max_attempts, now=NOW)


def told(item: Item) -> dict[str, Any]:
    """The match as StoreFailures is told of it."""
    message = letter_of(item).to_json()
    assert message.isascii()
    assert len(message) <= LETTER_BYTES == 256 * 1024
    match: dict[str, Any] = json.loads(message)["match"]
    assert DeadLetter.from_json(message).match == match
    return match


def test_a_letter_says_what_the_contract_says() -> None:
    item = make_item(track_id={"S": ""}, attempts={"N": "1"})

    assert json.loads(letter_of(item).to_json()) == {
        **LETTER,
        "match": {
            "match_id": "m-1",
            "unprocessed_shard": "0",
            "matched_at": "2026-03-14T08:00:00+01:00",
            "track_id": "",
            "station_id": "station-1",
            "attempts": 1,
        },
    }


def test_a_letter_that_is_read_is_the_letter_that_was_written() -> None:
    letter = letter_of(make_item(note={"S": "Café 😀"}, score={"N": "0.1"}, tags={"SS": ["a", "b"]}))

    assert DeadLetter.from_json(letter.to_json()) == letter


@pytest.mark.parametrize(
    ("code", "attempts", "will_retry"),
    [
        (ReasonCode.UNEXPECTED, "0", True),
        (ReasonCode.UNEXPECTED, "1", True),
        (ReasonCode.UNEXPECTED, "2", False),
        (ReasonCode.UNEXPECTED, "7", False),
        (ReasonCode.MISSING_TRACK, "0", False),
        (ReasonCode.REJECTED, "0", False),
    ],
)
def test_a_match_is_tried_again_only_where_that_may_help(code: ReasonCode, attempts: str, will_retry: bool) -> None:
    assert letter_of(make_item(attempts={"N": attempts}), code, max_attempts=3).will_retry is will_retry


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"S": ""}, ""),
        ({"N": "201"}, 201),
        ({"N": "2E+2"}, 200),
        ({"N": "-0.5"}, -0.5),
        ({"N": "9" * 38}, int("9" * 38)),
        ({"N": "0.1234567890123456789012345"}, "0.1234567890123456789012345"),
        ({"NS": ["1", "2.5"]}, [1, 2.5]),
        ({"B": b"\x00\xff"}, base64.b64encode(b"\x00\xff").decode()),
        ({"BS": [b"a"]}, ["YQ=="]),
        ({"SS": ["a", "b"]}, ["a", "b"]),
        ({"BOOL": False}, False),
        ({"NULL": True}, None),
        ({"L": [{"N": "1"}, {"L": []}]}, [1, []]),
        ({"M": {"a": {"M": {"b": {"NULL": True}}}}}, {"a": {"b": None}}),
    ],
    ids=str,
)
def test_triage_sees_plain_values_and_no_number_rounded(value: dict[str, Any], shown: object) -> None:
    assert told(make_item(extra=value))["extra"] == shown
    assert type(told(make_item(extra=value))["extra"]) is type(shown)


@given(items())
def test_whatever_a_match_holds_its_letter_arrives(item: Item) -> None:
    assert told(item) == letter_of(item).match


runs_of_text = st.builds(str.__mul__, st.sampled_from(["a", '"', "\x00", "é", "\u2028", "😀"]), st.integers(0, 90_000))
runs_of_values = st.one_of(
    runs_of_text.map(lambda text: {"S": text}),
    st.integers(0, 200_000).map(lambda size: {"B": bytes(size)}),
    st.integers(0, 20_000).map(lambda count: {"L": [{"N": "0.5"}] * count}),
    runs_of_text.map(lambda text: {"M": {text: {"S": text}}}),
)


@settings(max_examples=20)
@given(st.dictionaries(runs_of_text.map(lambda text: text[:20_000]), runs_of_values, max_size=6))
def test_however_large_a_match_is_its_letter_fits_and_is_readable(own: Item) -> None:
    match = told({**own, **make_item()})

    assert match["match_id"] == "m-1"
    assert match["track_id"] == "track-1"


def test_a_long_text_keeps_its_beginning_and_says_that_it_was_cut() -> None:
    text = "😀" * 87_500  # 350 KB in DynamoDB, 1 MB in ASCII JSON

    match = told(make_item(note={"S": text}))

    assert match["note"].startswith("😀" * 1_000)
    assert match["note"].endswith("… [cut: it was 87,500 characters long]")
    assert match["track_id"] == "track-1"


def test_a_reason_that_quotes_a_whole_item_still_fits_into_letter_record_and_match() -> None:
    failure = Failure(make_item(), ReasonCode.UNEXPECTED, "ValueError: Invalid isoformat string: " + "x" * 350_000)

    letter = DeadLetter.of(failure, max_attempts=3, now=NOW)

    assert len(letter.to_json()) <= LETTER_BYTES
    assert letter.reason.startswith("ValueError: Invalid isoformat string: xxx")
    assert letter.reason.endswith("… [cut: it was 350,038 characters long]")
    assert len(letter.reason) < 2_100


def test_a_match_of_very_many_attributes_says_how_many_are_left_out() -> None:
    item = make_item(**{f"attribute-{number:05}": {"S": "x" * 20} for number in range(10_000)})

    match = told(item)

    left_out = match.pop("[cut]")
    assert left_out == f"{len(item) - len(match):,} further attributes"
    assert len(match) > 4_000
    assert match.items() <= {name: value["S"] for name, value in item.items()}.items()


def test_a_match_that_just_fits_is_not_cut() -> None:
    room = LETTER_BYTES - len(letter_of(make_item(note={"S": ""})).to_json())

    assert told(make_item(note={"S": "x" * (room - 20)}))["note"] == "x" * (room - 20)
    assert "[cut" in told(make_item(note={"S": "x" * (room + 1)}))["note"]


def test_a_match_nested_as_deep_as_dynamodb_allows_still_fits_into_its_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(16):
        value = {"M": {"deeper": {"L": [value]}}}
    letter = letter_of(make_item(deep=value))

    record = record_of(letter, monkeypatch)

    assert (
        max(map(depth, record.values())) <= 32
    )  # Developer Guide, "Quotas in Amazon DynamoDB": nested attribute depth
    assert "cut: nested too deep" in letter.to_json()


@pytest.mark.parametrize("name", ["self", "attributes", "default", "null", "attr_name", "hash_key"])
def test_no_name_of_an_attribute_keeps_a_match_from_being_recorded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    letter = letter_of(make_item(**{"note": {"M": {name: {"S": "x"}}}}) | {name: {"S": "y"}})

    record = record_of(letter, monkeypatch)

    assert record["match"]["M"][name] == {"S": "y"}
    assert record["match"]["M"]["note"] == {"M": {name: {"S": "x"}}}


def record_of(letter: DeadLetter, monkeypatch: pytest.MonkeyPatch) -> Item:
    """The FailedPlayLog item that StoreFailures writes of a letter."""
    monkeypatch.setattr(MatchCache.Meta, "table_name", "MatchCache", raising=False)
    monkeypatch.setattr(FailedPlayLog.Meta, "table_name", "FailedPlayLog", raising=False)
    connection = create_autospec(Connection, instance=True)
    tables = FailureTables(MatchCache, FailedPlayLog, connection)
    assert store(letter, tables, Retry(time.monotonic() + 60))
    (put,) = connection.transact_write_items.call_args.kwargs["put_items"]
    record: Item = put["Item"]
    return record


def depth(value: dict[str, Any]) -> int:
    """How many lists and maps stand around the innermost value."""
    ((kind, content),) = value.items()
    if kind not in ("L", "M"):
        return 0
    return 1 + max(map(depth, content if kind == "L" else content.values()), default=0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the message is no JSON"),
        ("not json", "the message is no JSON"),
        ('{"version": 1', "the message is no JSON"),
        ("[" * 100_000, "the message is no JSON"),
        (json.dumps({**LETTER, "match": {"score": float("nan")}}), "the message is no JSON: NaN"),
        ("null", "the message is a JSON NoneType: it must be an object"),
        ("[1]", "the message is a JSON list: it must be an object"),
        ("{}", "version is None: it must be 1"),
        (json.dumps({**LETTER, "version": 2}), "version is 2: it must be 1"),
        (json.dumps({**LETTER, "attempt": 0}), "attempt is 0: it must be 1 or more"),
        (json.dumps({**LETTER, "failed_at": "yesterday"}), "failed_at is no ISO 8601 time with an offset"),
        (json.dumps({**LETTER, "failed_at": "2026-03-14T12:00:00"}), "failed_at is no ISO 8601 time with an offset"),
    ],
    ids=lambda text: text[:40],
)
def test_who_looks_into_the_parking_lot_reads_what_is_wrong_with_a_letter(text: str, why: str) -> None:
    with pytest.raises(BrokenLetterError) as raised:
        DeadLetter.from_json(text)

    assert str(raised.value).startswith(why)


FIELDS = [name for name in LETTER if name != "version"]


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_a_letter_misses_is_named(name: str) -> None:
    rest = {other: value for other, value in LETTER.items() if other != name}

    with pytest.raises(BrokenLetterError, match=f"^{name} is absent"):
        DeadLetter.from_json(json.dumps(rest))


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [None, 1.5, [], "", True, {}, 7, "text"], ids=repr)
def test_a_field_of_another_type_is_named(name: str, value: object) -> None:
    if type(value) is type(LETTER[name]) and value != "":
        value = [value]

    with pytest.raises(BrokenLetterError, match=f"^{name} is "):
        DeadLetter.from_json(json.dumps({**LETTER, name: value}))


def test_a_field_that_a_later_version_adds_does_no_harm() -> None:
    assert DeadLetter.from_json(json.dumps({**LETTER, "new": 1})) == DeadLetter(
        match_id="m-1",
        attempt=2,
        reason_code="MISSING_TRACK",
        reason=REASON,
        will_retry=False,
        failed_at=datetime(2026, 3, 14, 12, tzinfo=UTC),
        match={"match_id": "m-1", "track_id": ""},
    )

"""Times in the tables: text order must be time order, and every reader must find the same instant."""

import doctest
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog.domain import timestamps
from pynamodb.attributes import UTCDateTimeAttribute

offsets = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# A day off either end of the calendar, so that every offset has an instant in UTC.
instants = st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001 - Hypothesis adds the offset
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=offsets,
)


@given(instants)
def test_pynamodb_reads_what_we_write_and_writes_the_same(instant: datetime) -> None:
    attribute = UTCDateTimeAttribute()

    text = timestamps.to_text(instant)

    assert text == attribute.serialize(instant)  # type: ignore[no-untyped-call]
    assert attribute.deserialize(text) == instant  # type: ignore[no-untyped-call]


@given(instants, instants)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    assert (timestamps.to_text(one) < timestamps.to_text(other)) == (one < other)


@given(instants)
def test_an_instant_keeps_its_microseconds_whatever_its_offset(instant: datetime) -> None:
    for text in timestamps.to_text(instant), instant.isoformat(), instant.isoformat(" "):
        assert timestamps.from_text(text) == instant
        assert timestamps.from_text(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14T08:00:00+01:00",
        "2026-03-14T08:00:00.000000+0100",
        "2026-03-14T07:00Z",
        "2026-03-14 02:00:00-05:00",
        "20260314T123000+0530",
        "2026-W11-6T07:00:00+00:00",
    ],
)
def test_a_writer_may_choose_any_iso_8601_form_and_offset(text: str) -> None:
    assert timestamps.from_text(text) == datetime(2026, 3, 14, 7, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T08:00:00+00:00", "1773475200"])
def test_what_is_no_time_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|day is out of range"):
        timestamps.from_text(text)


@pytest.mark.parametrize("text", ["2026-03-14T08:00:00", "2026-03-14"])
def test_a_time_without_an_offset_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' has no offset"):
        timestamps.from_text(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_a_time_off_the_end_of_the_calendar_is_an_error_that_can_be_told(text: str) -> None:
    with pytest.raises(ValueError, match="out of range in UTC"):
        timestamps.from_text(text)


def test_the_examples_in_the_docstrings_hold() -> None:
    outcome = doctest.testmod(timestamps)

    assert outcome.attempted > 0
    assert outcome.failed == 0

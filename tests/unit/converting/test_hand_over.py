"""What an event asks of a run: a run that hands over what it should not piles up, one that never does falls behind."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playlog.converting.hand_over import Plan, is_worth_a_start, plan
from playlog.converting.run import SECONDS_KEPT, EventError

from tests.support.aws import ROOT, TEMPLATE
from tests.support.builders import NOW

SCHEDULED: dict[str, Any] = json.loads((ROOT / "events" / "scheduled.json").read_text())
TIMEOUT: int = TEMPLATE.resources["ConvertMatchesFunction"].properties["Timeout"]


def planned(event: dict[str, Any], *, now: datetime = NOW) -> Plan:
    return plan(event, 8, now, TIMEOUT * 1_000)


def test_a_scheduled_run_hands_over_in_time_for_the_others_to_be_of_use() -> None:
    asked = planned(SCHEDULED)

    assert asked.shards == list("01234567")
    assert asked.seconds_alone == 22
    handed_over_at = NOW + timedelta(seconds=asked.seconds_alone)
    assert (asked.until - handed_over_at).total_seconds() - SECONDS_KEPT > 3 * asked.seconds_alone


def test_all_runs_have_ended_when_the_next_scheduled_run_begins() -> None:
    assert planned(SCHEDULED).until <= NOW + timedelta(minutes=2)


@pytest.mark.parametrize(
    "event",
    [{}, {"shards": ["0"]}, {"until": "2026-03-14T12:01:00Z"}, {**SCHEDULED, "until": "2026-03-14T12:01:00Z"}],
    ids=["a person's", "a drain's", "one handed over", "one handed over with all that the schedule sends"],
)
def test_no_other_run_hands_over(event: dict[str, Any]) -> None:
    assert planned(event).seconds_alone == math.inf


def test_a_run_that_was_handed_over_ends_when_it_was_told_to() -> None:
    asked = planned({"shards": ["3"], "until": "2026-03-14T13:01:00.000000+0100"})

    assert asked.shards == ["3"]
    assert asked.was_handed_over
    assert asked.until == datetime(2026, 3, 14, 12, 1, tzinfo=UTC)


def test_it_ends_within_the_functions_time_whatever_it_was_told() -> None:
    assert planned({"until": "2026-03-14T23:00:00Z"}).until == NOW + timedelta(seconds=TIMEOUT)


@given(st.integers(0, 130))
def test_a_run_begins_no_later_than_it_gets_something_done(seconds_late: int) -> None:
    until = planned(SCHEDULED).until

    left_to_begin_requests = TIMEOUT - seconds_late - SECONDS_KEPT

    assert is_worth_a_start(until, NOW + timedelta(seconds=seconds_late)) is (left_to_begin_requests >= 5)


@pytest.mark.parametrize(
    "until",
    [None, 5, "", "soon", "12:01", "2026-03-14T12:01:00", {"S": "2026-03-14T12:01:00Z"}],
    ids=repr,
)
def test_a_time_that_is_none_is_an_error_that_says_what_would_be_right(until: object) -> None:
    with pytest.raises(EventError) as error:
        planned({"shards": ["3"], "until": until})

    right = 'it must be an ISO 8601 time with an offset, like "2026-03-14T08:01:50Z"'
    assert str(error.value) == f"until is {until!r}: {right}"


@pytest.mark.parametrize("shards", [[], ["8"], "3"], ids=repr)
def test_shards_that_there_are_not_are_an_error_with_a_time_too(shards: object) -> None:
    with pytest.raises(EventError, match="shards"):
        planned({"shards": shards, "until": "2026-03-14T12:01:00Z"})

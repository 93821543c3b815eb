"""The judge of the other tests finds every violation: one that it missed would go unnoticed."""

from collections.abc import Callable

import pytest
from playlog.domain.match import Item

from tests.support.builders import make_item, without
from tests.support.invariants import Tables, violations

SHARDS = 8
PLAY_ID = "2026-03-14T07:00:00.000000+0000#track-1"
PLAYED: Item = {"processed": {"BOOL": True}, "processed_at": {"S": "now"}, "play_id": {"S": PLAY_ID}}

WAITING: Item = make_item("waiting", processed={"BOOL": False})
FIRST: Item = {**without(make_item("first"), "unprocessed_shard"), **PLAYED}
SECOND: Item = {**without(make_item("second"), "unprocessed_shard"), **PLAYED}
FAILED: Item = {
    **without(make_item("failed"), "unprocessed_shard"),
    "attempts": {"N": "2"},
    "failed_reason": {"S": "track_id is absent"},
}
PLAY: Item = {
    "station_id": {"S": "station-1"},
    "play_id": {"S": PLAY_ID},
    "match_id": {"S": "first"},
    "match_count": {"N": "2"},
}
RECORD: Item = {
    "match_id": {"S": "failed"},
    "attempt": {"N": "2"},
    "reason": {"S": "track_id is absent"},
    "will_retry": {"BOOL": False},
}


def judged(
    *,
    waiting: Item = WAITING,
    first: Item = FIRST,
    second: Item = SECOND,
    failed: Item = FAILED,
    plays: tuple[Item, ...] = (PLAY,),
    failures: tuple[Item, ...] = (RECORD,),
) -> list[str]:
    """The violations found in valid tables, with the given changes."""
    return violations(Tables([waiting, first, second, failed], list(plays), list(failures)), SHARDS)


def test_tables_that_keep_the_law_are_not_accused() -> None:
    assert judged() == []


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        (lambda: judged(waiting=without(WAITING, "unprocessed_shard")), "waiting is in no state"),
        (lambda: judged(waiting={**WAITING, "unprocessed_shard": {"S": "8"}}), "waiting is stranded"),
        (lambda: judged(waiting=without(WAITING, "matched_at")), "waiting is stranded"),
        (lambda: judged(waiting={**WAITING, "play_id": {"S": PLAY_ID}}), "waiting waits and has play_id"),
        (lambda: judged(waiting={**WAITING, "attempts": {"N": "1"}}), "waiting has 1 attempts and no record"),
        (lambda: judged(waiting={**WAITING, "failed_reason": {"S": "x"}}), "waiting is waiting and failed at once"),
        (lambda: judged(first={**FIRST, "unprocessed_shard": {"S": "0"}}), "first is waiting and played at once"),
        (lambda: judged(first=make_item("first")), "first waits, and play"),
        (lambda: judged(second=make_item("second")), "says 2 matches and has 1"),
        (lambda: judged(second=without(SECOND, "processed_at")), "second is played and has no processed_at"),
        (lambda: judged(second={**SECOND, "play_id": {"S": "another"}}), "second is played, and there is no play"),
        (lambda: judged(plays=()), "first is played, and there is no play"),
        (lambda: judged(plays=({**PLAY, "match_count": {"N": "3"}},)), "says 3 matches and has 2"),
        (lambda: judged(plays=(PLAY, {**PLAY, "play_id": {"S": "again"}})), "says 2 matches and has 0"),
        (lambda: judged(plays=({**PLAY, "match_id": {"S": "gone"}},)), "created by match gone, which is not of it"),
        (lambda: judged(failed={**FAILED, **PLAYED}), "failed is played and failed at once"),
        (lambda: judged(failed=without(FAILED, "failed_reason")), "failed is in no state"),
        (lambda: judged(failures=()), "failed has failed, and there is no record of attempt 2"),
        (lambda: judged(failures=({**RECORD, "attempt": {"N": "1"}},)), "there is no record of attempt 2"),
        (lambda: judged(failures=({**RECORD, "reason": {"S": "other"}},)), "its record says {'S': 'other'}"),
        (lambda: judged(failures=({**RECORD, "will_retry": {"BOOL": True}},)), "says that it is tried again"),
    ],
)
def test_each_way_to_break_the_law_is_found(tables: Callable[[], list[str]], says: str) -> None:
    assert any(says in sentence for sentence in tables()), tables()

"""What an operator can do on the deployed stack: prove that the invariants hold, and retry what has failed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playlog_cli.auditing.audit import Audit, audit
from playlog_cli.auditing.repair import repair_match, repairs_of
from playlog_cli.failures.history import history_of, list_failures
from playlog_cli.failures.parking_lot import list_parked, redrive
from playlog_cli.failures.records import Selection
from playlog_cli.failures.retrying import retry
from playlog_cli.stacks.convert import convert
from playlog_cli.stacks.stack import Stack

from tests.e2e import tables
from tests.e2e.tables import away_from_the_schedule, wait_for
from tests.e2e.test_dead_letters import letter
from tests.integration.cli.breaches import Breach, break_the_law
from tests.support.builders import make_item


@pytest.fixture
def apart(stack: Stack) -> Iterator[Stack]:
    """The stack with tables that no run reads or writes."""
    with away_from_the_schedule(stack, "audit") as these:
        yield replace(
            stack,
            match_cache_table=these.match_cache,
            play_log_table=these.play_log,
            failed_play_log_table=these.failed_play_log,
        )


def look(stack: Stack) -> Audit:
    return audit(stack, lambda _table, _items: None)


def test_one_breach_of_each_kind_is_found_with_its_keys(apart: Stack) -> None:
    expected = break_the_law(apart)
    found = look(apart)
    assert [Breach(each.kind, each.match_id, each.play_id, each.attempt) for each in found.violations] == expected


def test_a_stranded_match_is_mended_and_the_others_left_to_a_person(apart: Stack) -> None:
    expected = break_the_law(apart)
    assert [each.match_id for each in repairs_of(apart, look(apart)) if repair_match(apart, each)] == ["stranded"]
    assert len(look(apart).violations) == len(expected) - 1


def test_a_mended_match_is_played_and_the_law_holds_at_every_step(stack: Stack) -> None:
    these = tables.of(stack)
    these.put(
        [
            make_item("audit-played", station_id={"S": "audit"}),
            make_item("audit-joined", station_id={"S": "audit"}),
            make_item("audit-failed", station_id={"S": "audit"}, source={"S": "TV"}),
        ]
    )
    assert look(stack).violations == []

    def has_failed() -> bool:
        convert(stack)
        return "failed_reason" in these.match("audit-failed")

    wait_for(has_failed, within=60, what="the match fails")
    assert look(stack).violations == []
    listed = list_failures(stack, Selection(station_id="audit"), limit=10)
    assert listed.counts == {"INVALID_SOURCE": 1}
    assert [(each.match_id, each.now) for each in listed.newest] == [("audit-failed", "failed")]

    these.put([these.match("audit-failed") | {"source": {"S": "Streaming"}}])
    now = datetime.now(UTC)
    assert history_of(stack, "audit-failed", now).defect is None
    assert retry(stack, [{"audit-failed": these.match("audit-failed")}], now).retried == 1
    assert look(stack).violations == []

    def is_played() -> bool:
        convert(stack)
        return these.match("audit-failed").get("processed") == {"BOOL": True}

    wait_for(is_played, within=60, what="the mended match is played")
    assert look(stack).violations == []
    history = history_of(stack, "audit-failed", now)
    assert (history.state, [each.attempt for each in history.attempts]) == ("played", [1])


def test_a_parked_letter_is_looked_at_sent_back_and_stored(stack: Stack) -> None:
    these = tables.of(stack)
    these.put([make_item("audit-parked", source={"S": "Cinema"}, unprocessed_shard={"S": "7"})])
    stack.sqs.send_message(QueueUrl=stack.parking_lot_queue_url, MessageBody=letter("audit-parked"))
    assert "audit-parked" in [each.match_id for each in list_parked(stack, limit=10).letters]
    assert redrive(stack).moved >= 1
    wait_for(lambda: "failed_reason" in these.match("audit-parked"), within=60, what="the letter is stored")
    assert "audit-parked" not in [each.match_id for each in list_parked(stack, limit=10).letters]
    assert look(stack).violations == []

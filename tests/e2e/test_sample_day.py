"""A broadcast day through the deployed stack, with nobody doing anything by hand: schedule, functions, queue."""

from collections import Counter
from pathlib import Path

import pytest
from playlog.domain.match import Item
from playlog_cli.loading.load import load_files
from playlog_cli.stacks.stack import Stack

from samples.make_airplay import Day, make_day
from tests.e2e import tables
from tests.e2e.tables import ROOT, wait_for
from tests.support import invariants
from tests.support.reporting.answers import check_same_answers, run_command

SCHEDULE_SECONDS = 60


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day()


@pytest.fixture(scope="module")
def converted(stack: Stack, day: Day) -> invariants.Tables:
    """What the tables hold once none of the day's matches waits."""
    result = load_files(stack, [ROOT / "samples" / "airplay.csv"], lambda _progress: None)
    assert result.ok

    ids = {row.match_id for row in day.rows}

    def those_of_the_day(items: list[Item]) -> list[Item]:
        return [item for item in items if item["match_id"]["S"] in ids]

    def nothing_waits() -> invariants.Tables | None:
        found = tables.of(stack).items()
        matches = those_of_the_day(found.matches)
        if any("unprocessed_shard" in match for match in matches):
            return None
        return invariants.Tables(matches, those_of_the_day(found.plays), those_of_the_day(found.failures))

    return wait_for(nothing_waits, within=3 * SCHEDULE_SECONDS, what="the schedule converts the day")


def test_every_match_of_the_day_is_in_exactly_one_state(stack: Stack, converted: invariants.Tables, day: Day) -> None:
    assert len(converted.matches) == len(day.rows)
    assert invariants.violations(converted, stack.shards) == []


def test_every_airing_of_the_day_is_paid_once(converted: invariants.Tables, day: Day) -> None:
    assert len(converted.plays) == day.expected_plays
    assert sum(int(play["match_count"]["N"]) for play in converted.plays) == len(day.rows) - len(day.reason_codes)


def test_every_match_that_cannot_be_paid_is_known_and_why(converted: invariants.Tables, day: Day) -> None:
    codes = {failure["match_id"]["S"]: failure["reason_code"]["S"] for failure in converted.failures}

    assert codes == day.reason_codes
    assert Counter(codes.values()) == day.expected_failures
    assert {int(failure["attempt"]["N"]) for failure in converted.failures} == {1}
    assert not any(failure["will_retry"]["BOOL"] for failure in converted.failures)


def test_a_failure_holds_the_match_as_the_detection_system_wrote_it(converted: invariants.Tables, day: Day) -> None:
    rows = {row.match_id: row for row in day.rows}

    for failure in converted.failures:
        row, told = rows[failure["match_id"]["S"]], failure["match"]["M"]
        assert told["matched_at"] == {"S": row.matched_at}
        assert told["title"] == {"S": row.title}


@pytest.mark.usefixtures("converted", "no_schedule")
def test_each_command_says_the_same_of_the_day_and_of_its_export(day: Day, tmp_path: Path) -> None:
    dates = ["--from", "2026-03-14", "--to", "2026-03-15", "--time-zone", "Asia/Tokyo"]
    catalog = (ROOT / "samples" / "catalog.csv").read_text("utf-8")
    answers = check_same_answers(run_command, tmp_path, dates, catalog)
    stations = {row.station_id for row in day.rows}  # other tests have plays on this day, too
    assert 0 < sum(play["station_id"] in stations for play in answers["plays"]) <= day.expected_plays
    assert answers["audit"][1]["plays"] >= day.expected_plays

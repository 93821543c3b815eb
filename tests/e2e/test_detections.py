"""Ten-second detections through a stack that joins them: one airing is one play, however late a match of it comes."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playlog.domain.match import Item
from playlog_cli.embedded.ministack import deployed
from playlog_cli.loading.load import load_files
from playlog_cli.stacks.convert import ConvertResult, convert
from playlog_cli.stacks.stack import Stack, find_stack

from samples.make_detections import GAP, Play, make_afternoon
from tests.e2e import tables
from tests.e2e.tables import ROOT
from tests.support import invariants
from tests.support.reporting.answers import check_same_answers, run_command

# The schedule does not fire while the test lasts: it is the test that runs the converter.
PARAMETERS = {"AiringGapSeconds": str(GAP), "ScheduleExpression": "rate(1 day)"}
PORTIONS = 5
DATES = ["--from", "2026-03-15", "--to", "2026-03-16", "--time-zone", "UTC"]


@pytest.fixture(scope="module")
def joining() -> Iterator[Stack]:
    """The deployed stack, with a gap."""
    with deployed("e2e-detections", PARAMETERS):
        yield find_stack()


def test_detections_that_arrive_in_portions_late_and_out_of_order_become_the_plays_that_were_meant(
    joining: Stack, tmp_path: Path
) -> None:
    header, *lines = (ROOT / "samples" / "detections.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    size = -(-len(lines) // PORTIONS)
    runs: list[ConvertResult] = []

    for begin in range(0, len(lines), size):
        portion = tmp_path / "portion.csv"
        portion.write_text("".join([header, *lines[begin : begin + size]]), encoding="utf-8")
        assert load_files(joining, [portion], lambda _progress: None).ok
        runs.append(convert(joining))

    found = tables.of(joining).items()
    meant = make_afternoon().plays
    assert sorted(map(shown, found.plays)) == sorted(map(expected, meant))
    assert not any(play["flagged"]["BOOL"] for play in found.plays)
    assert invariants.violations(found, joining.shards) == []
    assert [state for match in found.matches for state in invariants.states(match)] == ["played"] * len(lines)
    assert sum(run.plays for run in runs) == len(meant)
    assert sum(run.processed for run in runs) == len(lines)
    assert max(moved_back(found.plays)) > 0, "no match came before the start of a play that was written"

    answers = check_same_answers(run_command, tmp_path, DATES, (ROOT / "samples/catalog.csv").read_text("utf-8"))
    assert answers["audit"] == (0, answers["audit"][1])
    assert len(answers["plays"]) == len(meant)


def shown(play: Item) -> tuple[str, str, datetime, datetime, int]:
    """What musicians are paid by, as it stands in PlayLog."""
    return (
        play["station_id"]["S"],
        play["track_id"]["S"],
        datetime.fromisoformat(play["start_time"]["S"]),
        datetime.fromisoformat(play["stop_time"]["S"]),
        int(play["match_count"]["N"]),
    )


def expected(play: Play) -> tuple[str, str, datetime, datetime, int]:
    """The same, as it was meant."""
    start, stop = datetime.fromisoformat(play.start_time), datetime.fromisoformat(play.stop_time)
    return play.station_id, play.track_id, start, stop, play.match_count


def moved_back(plays: list[Item]) -> Iterator[float]:
    """By how many seconds each play starts before it did when it was created."""
    for play in plays:
        created = datetime.fromisoformat(play["play_id"]["S"].partition("#")[0])
        yield (created - datetime.fromisoformat(play["start_time"]["S"])).total_seconds()

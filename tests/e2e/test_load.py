"""The history of an old system on the deployed stack: plays and failures come over, and the schedule takes the rest."""

from pathlib import Path

from playlog_cli.loading.load import load_files
from playlog_cli.stacks.convert import convert
from playlog_cli.stacks.stack import Stack

from tests.e2e import tables
from tests.e2e.tables import wait_for
from tests.support import invariants

COLUMNS = "id,track_id,station_id,station_program_id,matched_at,avg_confidence_score,processed,failed_reason"
PLAYS = 300  # of two matches each: several transactions, side by side


def test_a_history_comes_over_once_and_what_waited_is_played(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "matchcache.csv"
    heard = [f"{n % 7},history-{n % 3},,2024-03-01 {n // 60:02}:{n % 60:02}:00.5+00" for n in range(PLAYS)]
    rows = [f"history-{n}-{twin},{what},{60 + twin},t," for n, what in enumerate(heard) for twin in (0, 1)]
    waits = f"history-waits,{heard[0]},70,f,"
    failed = f"history-failed,{heard[0]},70,f,Track matching query does not exist."
    path.write_text("\n".join([COLUMNS, *rows, waits, failed, ""]))
    (first,) = load_files(stack, [path], lambda _progress: None).files
    (second,) = load_files(stack, [path], lambda _progress: None).files
    assert (first.added, first.played, first.failed) == (2 * PLAYS + 2, 2 * PLAYS, 1)
    assert first.plays in (PLAYS, PLAYS - 1)  # the schedule may have made one of what waits
    assert (second.added, second.already_there) == (0, 2 * PLAYS + 2)
    these = tables.of(stack)

    def is_played() -> bool:
        convert(stack)
        return these.match("history-waits").get("processed") == {"BOOL": True}

    wait_for(is_played, within=60, what="what waited is played")
    items = these.items()
    assert invariants.violations(items, stack.shards) == []
    plays = [play for play in items.plays if play["station_id"]["S"].startswith("history-")]
    assert sorted(int(play["match_count"]["N"]) for play in plays) == [*[2] * (PLAYS - 1), 3]

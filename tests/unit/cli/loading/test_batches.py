"""Batches are written side by side, and each that was written is counted, also when a signal ends the load."""

import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from playlog_cli.loading.batches import BATCHES_AHEAD, Batch, PutMatch, write_ahead
from playlog_cli.loading.load import load_files
from playlog_cli.loading.results import FileResult, Report, Tally
from playlog_cli.signals import ending_on_signals
from playlog_cli.stacks.stack import Stack

BATCHES: list[Batch] = [[PutMatch(line, {"match_id": {"S": f"m-{line}"}})] for line in range(3 * BATCHES_AHEAD)]


class InterruptedPool(ThreadPoolExecutor):
    """A pool of threads in which a signal comes while a batch is handed over."""

    def submit(self, *arguments: Any) -> Future[Any]:  # type: ignore[override]
        """Hands a batch over."""
        future = super().submit(*arguments)
        if arguments[1] is BATCHES[BATCHES_AHEAD + 2]:
            signal.raise_signal(signal.SIGTERM)
        return future


class Counts:
    """Counts batches that were written, and those that somebody heard of."""

    def __init__(self, signal_at: int | None = None) -> None:
        self.written: list[Batch] = []
        self.heard = 0
        self._signal_at = signal_at

    def write(self, batch: Batch) -> Tally:
        """Writes a batch."""
        self.written.append(batch)
        return Tally(added=len(batch))

    def hear(self, tally: Tally) -> None:
        """Hears of a batch, at one of which a signal comes."""
        if self.heard == self._signal_at:
            self._signal_at = None
            signal.raise_signal(signal.SIGTERM)
        self.heard += tally.added


@pytest.mark.parametrize(
    ("make_pool", "counts"),
    [
        pytest.param(InterruptedPool, Counts(), id="handed over"),
        pytest.param(ThreadPoolExecutor, Counts(signal_at=2), id="counted"),
    ],
)
def test_a_batch_that_a_signal_meets_is_counted(
    make_pool: Callable[[int], ThreadPoolExecutor], counts: Counts, capsys: pytest.CaptureFixture[str]
) -> None:
    with make_pool(1) as pool, pytest.raises(SystemExit) as ended, ending_on_signals("load again"):
        write_ahead(pool, counts.write, BATCHES, counts.hear)

    assert ended.value.code == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "playlog: interrupted: load again\n"
    assert 0 < counts.heard == len(counts.written) < len(BATCHES)


def test_batches_that_nothing_ends_are_all_counted() -> None:
    counts = Counts()
    with ThreadPoolExecutor(4) as pool:
        write_ahead(pool, counts.write, BATCHES, counts.hear)

    assert counts.heard == len(counts.written) == len(BATCHES)


def test_the_result_of_a_file_that_a_signal_meets_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = Stack(
        "s", boto3.Session(), "a", "b", "c", "d", "e", "f", "g", 8, timedelta(minutes=3), Decimal(0)
    )  # of which nothing is asked
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text("matched_at,station_id,track_id\n,fm-1,t\n")
    results: list[FileResult] = []

    def keep(result: FileResult) -> None:
        signal.raise_signal(signal.SIGTERM)
        results.append(result)

    with pytest.raises(SystemExit), ending_on_signals("load again"):
        load_files(stack, [tmp_path], lambda _: None, report=Report(result=keep))

    assert [(Path(each.file).name, each.bad) for each in results] == [("1.csv", 1)]
    assert capsys.readouterr().err == "playlog: interrupted: load again\n"

"""Batches are written side by side, and each that was written is counted, also when a signal ends the load."""

import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from playlog_cli.loading.batches import BATCHES_AHEAD, Batch, PutMatch, write_ahead
from playlog_cli.loading.results import Tally
from playlog_cli.signals import ending_on_signals

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

"""Matches to write, in batches, several of which are written in parallel."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TypeAlias

from playlog.domain.match import Item, Match
from playlog.dynamodb.limits import TRANSACTION_ACTIONS, TRANSACTION_BYTES, item_bytes

from playlog_cli.loading import history
from playlog_cli.loading.results import NotPlayed, Tally
from playlog_cli.signals import whole_step

# Transactions of 100 conditional puts, from a few threads. On AWS they cost one write unit a match more than PutItem,
# some 0.6 dollars a million. Against the embedded AWS they are 6 times as fast (7,000 matches a second to 1,100), and
# while a run is on there the only way: it answers one request at a time, and those of a run take long.
WRITERS = 4


BATCHES_AHEAD = 2 * WRITERS  # how far reading may be ahead of writing: this bounds the memory


PLAYED_TOGETHER = 200  # matches of an old system: some four transactions, of which all but the last are full


@dataclass(frozen=True)
class PutMatch:
    """A match that waits or has failed, as it is put."""

    line: int
    match: Item
    record: Item | None = None  # of a match that has failed
    not_played: NotPlayed | None = None

    @property
    def items(self) -> list[Item]:
        return [self.match] if self.record is None else [self.match, self.record]


@dataclass(frozen=True)
class PlayedMatch:
    """A match that was played, which is put together with its play."""

    line: int
    match: Match


# Of either kind: what one thread writes at a time.
Batch: TypeAlias = list[PutMatch] | list[PlayedMatch]


def put_failed(line: int, failed: history.Failed) -> PutMatch:
    not_played = NotPlayed(line, failed.match_id, failed.reason) if failed.was_played else None
    return PutMatch(line, failed.item, failed.record, not_played)


def make_batches(matches: Iterable[PutMatch | PlayedMatch]) -> Iterator[Batch]:
    """Splits the matches: what is put into what one transaction takes, and what was played into some transactions."""
    puts: list[PutMatch] = []
    plays: list[PlayedMatch] = []
    actions = put_bytes = play_bytes = 0
    for match in matches:
        if isinstance(match, PlayedMatch):
            # In an export by time, the matches of a play stay together, and no two threads write at one play.
            is_enough = len(plays) >= PLAYED_TOGETHER and match.match.matched_at != plays[-1].match.matched_at
            if is_enough or play_bytes > TRANSACTION_BYTES:
                yield plays
                plays, play_bytes = [], 0
            plays.append(match)
            play_bytes += item_bytes(match.match.item)
            continue
        size = sum(map(item_bytes, match.items))
        if actions + len(match.items) > TRANSACTION_ACTIONS or put_bytes + size > TRANSACTION_BYTES:
            yield puts
            puts, actions, put_bytes = [], 0, 0
        puts.append(match)
        actions += len(match.items)
        put_bytes += size
    if puts:
        yield puts
    if plays:
        yield plays


def write_ahead(
    pool: Executor, write: Callable[[Batch], Tally], batches: Iterable[Batch], written: Callable[[Tally], None]
) -> None:
    """Writes side by side, reading only so far ahead: ``Executor.map`` would read the whole file at once.

    Args:
        pool: of the threads that write.
        write: writes a batch.
        batches: what is written.
        written: receives what became of each batch, also of those that are being written when something ends this.
    """
    pending: deque[Future[Tally]] = deque()
    try:
        for batch in batches:
            with whole_step():
                pending.append(pool.submit(write, batch))
            if len(pending) > BATCHES_AHEAD:
                _take_first(pending, written)
        while pending:
            _take_first(pending, written)
    finally:
        with whole_step():
            for task in [task for task in pending if not task.cancel()]:
                if task.exception() is None:
                    written(task.result())


def _take_first(pending: deque[Future[Tally]], written: Callable[[Tally], None]) -> None:
    """Waits for the first task, and removes it. One that failed stays, and its error is raised."""
    tally = pending[0].result()
    with whole_step():
        pending.popleft()
        written(tally)

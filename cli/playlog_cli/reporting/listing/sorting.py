"""Sorts more plays than fit into memory: sorted runs in temporary files, merged whenever they are read."""

import pickle
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from heapq import merge
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from playlog_cli.reporting.listing.listed_play import DIGESTS, ListedPlay, digest_of
from playlog_cli.stacks.tables import batched
from playlog_cli.tabular.scratch import explained_scratch

RUN = 50_000  # plays that are sorted in memory: about 50 MB
_BATCH = 500  # plays that are read from a run at once


class SortedPlays:
    """Plays in the order of time, then of station and play. They can be read several times.

    Attributes:
        count: how many.
        digest: of all of them (see ``digest_of``).
    """

    def __init__(self, runs: list[Path], count: int, digest: int) -> None:
        self._runs = runs
        self.count = count
        self.digest = digest

    def __iter__(self) -> Iterator[ListedPlay]:
        with ExitStack() as stack:
            files = [stack.enter_context(run.open("rb")) for run in self._runs]
            yield from merge(*map(_read, files), key=_order)


@contextmanager
def sorted_plays(plays: Iterable[ListedPlay], run: int = RUN) -> Iterator[SortedPlays]:
    """Sorts plays in a temporary folder.

    Args:
        plays: in any order.
        run: how many are held in memory.

    Yields:
        The sorted plays, readable until the block ends.

    Raises:
        CommandError: there is no room for temporary files.
    """
    with TemporaryDirectory(prefix="playlog-") as folder:
        runs: list[Path] = []
        count = digest = 0
        for batch in batched(plays, run):
            batch.sort(key=_order)
            runs.append(Path(folder, f"{len(runs)}.run"))
            count += len(batch)
            digest = (digest + sum(map(digest_of, batch))) % DIGESTS
            with explained_scratch():
                _write(runs[-1], batch)
        yield SortedPlays(runs, count, digest)


def _order(play: ListedPlay) -> tuple[object, ...]:
    return play[:3]


def _write(path: Path, plays: list[ListedPlay]) -> None:
    iterator = iter(plays)
    with path.open("wb") as file:
        while some := [tuple(play) for play in islice(iterator, _BATCH)]:
            pickle.dump(some, file, pickle.HIGHEST_PROTOCOL)


def _read(file: BinaryIO) -> Iterator[ListedPlay]:
    # The files are this process's own, in a folder that only its user may read.
    while file.peek(1):  # type: ignore[attr-defined]
        yield from (ListedPlay(*values) for values in pickle.load(file))  # noqa: S301  # nosec B301

"""A preview is confirmed once, also if two confirmations come at the same moment."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from playlog_cli.errors import CommandError
from playlog_cli.web.desk import KEPT, Shelf

THREADS, ROUNDS = 4, 200


@pytest.fixture
def often_interrupted() -> Iterator[None]:
    """Threads give way to each other as often as Python allows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-9)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often_interrupted")
def test_of_several_confirmations_at_the_same_moment_one_finds_the_preview() -> None:
    shelf: Shelf[int] = Shelf("preview")
    together = Barrier(THREADS)

    def confirm(key: str) -> bool:
        together.wait()
        try:
            shelf.take(key)
        except CommandError:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(ROUNDS):
            key = shelf.put(number)
            assert sum(pool.map(confirm, [key] * THREADS)) == 1


def test_the_oldest_previews_are_forgotten() -> None:
    shelf: Shelf[int] = Shelf("preview")
    keys = [shelf.put(number) for number in range(KEPT + 1)]
    with pytest.raises(CommandError, match="this preview is no longer known"):
        shelf.get(keys[0])
    assert [shelf.get(each) for each in keys[1:]] == list(range(1, KEPT + 1))

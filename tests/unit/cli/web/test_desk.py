"""A preview is confirmed once, also if two confirmations come at the same moment."""

from collections.abc import Callable

import pytest
from playlog_cli.errors import CommandError
from playlog_cli.web.desk import KEPT, Shelf


class LockWithOthers:
    """A lock. Another thread gets it as soon as it is free, and does its work first."""

    def __init__(self) -> None:
        self.others: list[Callable[[], object]] = []

    def __enter__(self) -> None:
        """Takes the lock."""

    def __exit__(self, *_: object) -> None:
        """Frees the lock."""
        if self.others:
            self.others.pop()()


def test_of_two_confirmations_at_the_same_moment_one_finds_the_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = LockWithOthers()
    monkeypatch.setattr("playlog_cli.web.desk.Lock", lambda: lock)
    shelf: Shelf[str] = Shelf("preview")
    key = shelf.put("a preview")
    found: list[str] = []

    def confirm() -> None:
        try:
            found.append(shelf.take(key))
        except CommandError as error:
            found.append(error.message)

    lock.others.append(confirm)
    confirm()
    assert sorted(found) == ["a preview", "this preview is no longer known: start again"]


def test_the_oldest_previews_are_forgotten() -> None:
    shelf: Shelf[int] = Shelf("preview")
    keys = [shelf.put(number) for number in range(KEPT + 1)]
    with pytest.raises(CommandError, match="this preview is no longer known"):
        shelf.get(keys[0])
    assert [shelf.get(each) for each in keys[1:]] == list(range(1, KEPT + 1))

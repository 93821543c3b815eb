"""Remembers answers of AWS for a while, so that a page that refreshes itself does not ask, and pay, each time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

AnswerT = TypeVar("AnswerT")

MOST_ANSWERS = 2000


class Memo:
    """Answers by key.

    Args:
        now: the clock, with an offset.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._answers: dict[object, tuple[datetime, Any]] = {}
        self._lock = Lock()

    def get(self, key: object, lifetime: timedelta, ask: Callable[[], AnswerT]) -> AnswerT:
        """The remembered answer, or a new one. An error is not remembered.

        Args:
            key: what was asked.
            lifetime: how old a remembered answer may be.
            ask: asks AWS. Two requests at the same time may both ask.
        """
        with self._lock:
            kept = self._answers.get(key)
        if kept and self._now() - kept[0] <= lifetime:
            remembered: AnswerT = kept[1]
            return remembered
        new = ask()
        with self._lock:
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            self._answers[key] = (self._now(), new)
        return new

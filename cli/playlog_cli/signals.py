"""What Ctrl-C and SIGTERM do to a command that writes: it ends soon, says what to do, and leaves nothing half done."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from playlog_cli.terminal import err

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Step:
    """What the main thread is at: a step that is done whole, or one that a signal may end anywhere."""

    is_whole = False
    signal: int | None = None  # the one that came during a whole step


@contextmanager
def ending_on_signals(advice: str) -> Iterator[None]:
    """Makes Ctrl-C, SIGTERM and SIGHUP unwind the block, with exit status 128 + the signal's number.

    The first signal prints a line. The block may still wait for what it has begun, so a second one ends the process at
    once.

    Args:
        advice: what the user can do then.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, _end_at_once)
        err.print(f"playlog: interrupted: {advice}", soft_wrap=True)
        if _Step.is_whole:
            _Step.signal = number
        else:
            raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def whole_step() -> Iterator[None]:
    """Lets a first signal end the block only after its last line: for what would be wrong if only half of it happened.

    Python runs a signal's handler between any two instructions of the main thread, so that a result could be lost
    between the call that returns it and the line that keeps it.
    https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers
    """
    _Step.is_whole = True
    try:
        yield
    finally:
        _Step.is_whole = False
        if number := _Step.signal:
            _Step.signal = None
            raise SystemExit(128 + number)


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)

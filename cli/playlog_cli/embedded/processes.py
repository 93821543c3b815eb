"""End processes, so that none is left behind."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import psutil

GRACE_SECONDS = 2.0  # from SIGTERM to SIGKILL: no process that is stopped here has anything to save


def started(pid: int) -> str | None:
    """When a process began, as the system says; None if it has ended."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.NoSuchProcess:
        return None


def end_group(pid: int) -> None:
    """Ends a process that leads a group, and all processes of the group."""
    with _signals_ignored():
        _signal_group(pid, signal.SIGTERM)
        with suppress(psutil.Error):
            psutil.Process(pid).wait(GRACE_SECONDS)
        _signal_group(pid, signal.SIGKILL)
        with suppress(psutil.Error):
            psutil.Process(pid).wait(GRACE_SECONDS)


def exit_on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    """A handler of signals that ends this process with its usual clean-up."""
    raise SystemExit(128 + number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # no process is left; macOS says the second of zombies
        os.killpg(pid, number)


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Stopping takes seconds at most, and a second Ctrl-C must not leave half of the group running."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

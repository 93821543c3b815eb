"""Starts, recognises and ends processes, so that nothing is left running and nobody else's process is touched."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import psutil

GRACE_SECONDS = 2.0  # from SIGTERM to SIGKILL: nothing that is ended here has anything to save
# psutil computes the start of a process from the system's clock, which may be corrected meanwhile.
CLOCK_TOLERANCE_SECONDS = 2.0


def started_at(pid: int) -> float | None:
    """When a process began, in epoch seconds; None if it has ended, also if it only waits to be reaped."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def is_same_process(pid: int, began: float) -> bool:
    """Whether a process is still alive, and not another one that was given its pid.

    Args:
        pid: its pid.
        began: its ``started_at``, in epoch seconds.
    """
    now = started_at(pid)
    return now is not None and abs(now - began) <= CLOCK_TOLERANCE_SECONDS


def end_group(leader: int) -> None:
    """Ends all processes of a group: SIGTERM first, and SIGKILL after ``GRACE_SECONDS``.

    Args:
        leader: pid of the process that leads the group. It may have ended already.
    """
    with _signals_ignored():
        for process in (members := _members(leader)):
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        psutil.wait_procs(members, timeout=GRACE_SECONDS)
        deadline = time.monotonic() + GRACE_SECONDS
        while (members := _members(leader)) and time.monotonic() < deadline:  # one may have started another meanwhile
            for process in members:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(members, timeout=GRACE_SECONDS)


@contextmanager
def unwinding_on_signals() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP unwind the block as Ctrl-C does."""
    before = {number: signal.signal(number, _exit) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _members(leader: int) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _is_member(process, leader)]


def _is_member(process: psutil.Process, leader: int) -> bool:
    try:
        return os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):
        return False


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Ending takes seconds at most, and a second Ctrl-C must not leave half of the processes running."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)

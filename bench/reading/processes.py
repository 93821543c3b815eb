"""Run a command in a process of its own, and say what it cost."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playlog_cli.errors import CommandError

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """What a run of a command cost.

    Attributes:
        cpu_seconds: user and system time.
        wall_seconds: from its start to its end. Other programs on the machine make it longer.
        megabytes: the most memory that it had resident.
        load: programs that wanted a processor when it ended, on average over a minute.
    """

    cpu_seconds: float
    wall_seconds: float
    megabytes: float
    load: float


def cost_of(command: Sequence[str], output: Path) -> Cost:
    """Runs a command, which starts no other programs.

    Args:
        command: program and arguments.
        output: a file for what it writes to standard output.

    Raises:
        CommandError: it ended with an error.
    """
    began, peak = time.perf_counter(), 0.0
    with output.open("wb") as out:
        process = subprocess.Popen(command, stdout=out)  # noqa: S603 - a command of ours
        try:
            while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
                peak = max(peak, _peak_megabytes(process.pid))
                time.sleep(POLL_SECONDS)
        except BaseException:
            process.kill()
            process.wait()
            raise
    _, status, used = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CommandError(f"{' '.join(command)} ended with status {process.returncode}")
    wall = time.perf_counter() - began
    return Cost(used.ru_utime + used.ru_stime, wall, peak, os.getloadavg()[0])


def _peak_megabytes(pid: int) -> float:
    """From /proc: the peak that the system reports at the end includes that of the process that started it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1_024 / 1e6 for line in lines if line.startswith("VmHWM:")), 0.0)

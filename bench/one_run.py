"""One invocation of the converter, as Lambda would make it, and what it cost: in a process that runs nothing else.

Started with no packages but those of the layers. Standard input: a line of JSON, as ``task`` below reads it, and a line
more once there are matches. The last line of standard output: JSON.
"""

import importlib
import json
import resource
import sys
import time
from pathlib import Path


class Context:
    """What Lambda tells a handler, with time enough for any backlog."""

    function_name = "bench"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    memory_limit_in_mb = 1024
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Four hours."""
        return 4 * 3_600_000


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_megabytes() -> float:
    """The most memory that this process had resident."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000_000
    # Not getrusage: on Linux it includes what the process that started this one had.
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1_024 / 1_000_000


def main() -> None:
    """Imports the handler, invokes it once for nothing and once for the matches, and says what the latter took.

    The first invocation of a process opens its connections, which belongs to its cold start.
    """
    task = json.loads(sys.stdin.readline())
    sys.path[:1] = task["paths"]  # in place of the checkout, which Lambda does not have
    module, _, function = task["handler"].rpartition(".")
    handler = getattr(importlib.import_module(module), function)
    handler(task["event"], Context)
    Path(task["ready"]).touch()
    sys.stdin.readline()
    cpu, wall = cpu_seconds(), time.perf_counter()
    answer = handler(task["event"], Context)
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    print(json.dumps({"answer": answer, "cpu_seconds": cpu, "seconds": wall, "peak_megabytes": peak_megabytes()}))


if __name__ == "__main__":
    main()

"""A run in a process of its own, which says what it cost: ``python -m tests.e2e.one_run``.

Environment: that of ConvertMatchesFunction. Standard output: JSON, as ``Outcome``.
"""

import json
import os
import resource
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from playlog.converting.run import SECONDS_KEPT, convert, shards_of
from playlog.runtime.retry import CLIENT_CONFIG, Retry
from playlog.runtime.settings import ConvertSettings

from tests.support.clients import client_of


@dataclass(frozen=True)
class Outcome:
    """What a run did and what it cost.

    Attributes:
        answer: what the function would have returned.
        requests: how many it sent, by operation.
        peaks: the most memory that its process had resident so far, in megabytes, at each of its requests.
    """

    answer: dict[str, Any]
    requests: dict[str, int]
    peaks: list[float]


def run() -> Outcome:
    """Converts all that waits, within ten minutes."""
    requests: Counter[str] = Counter()
    peaks: list[float] = []
    dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
    sqs = boto3.client("sqs", config=CLIENT_CONFIG)

    def count(event_name: str, **_: Any) -> None:
        requests[event_name.rpartition(".")[2]] += 1
        peaks.append(peak_megabytes())

    for client in (dynamodb, sqs):
        client.meta.events.register("before-send.*", count)
    settings = ConvertSettings.from_environment(os.environ)
    shards = shards_of({}, settings.unprocessed_shards)
    answer = convert(
        shards, settings, client_of(dynamodb), sqs, Retry.within(600_000, seconds_kept=SECONDS_KEPT)
    ).as_answer()
    return Outcome(answer, dict(requests), [*peaks, peak_megabytes()])


def peak_megabytes() -> float:
    """The most memory that this process had resident."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000_000
    # Not getrusage: on Linux it includes what the process that started this one had.
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1_024 / 1_000_000


if __name__ == "__main__":
    print(json.dumps(asdict(run())))

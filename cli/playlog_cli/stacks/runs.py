"""The last runs of the converter, from its log: how each ended, also those that were too broken to say so."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from playlog.domain import timestamps

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# How far back runs are looked for: the short look is quick, and nearly always enough.
LOOK_BACK = (timedelta(minutes=30), timedelta(days=1))
# All lines but those of the failures, of which a run may write thousands.
LINES = '-"will_retry"'
# A run takes 110 s at most. One that has no end after twice that never wrote it.
LONGEST = timedelta(seconds=220)

_LAMBDA_LINE = re.compile(r"(START|END|REPORT) RequestId: (\S+)")
_DURATION = re.compile(r"\tDuration: ([\d.]+) ms")
_TIMED_OUT = re.compile(r"Task timed out after [\d.]+ seconds")


@dataclass(frozen=True)
class RunFacts:
    """A run.

    Attributes:
        started_at: in UTC.
        age_seconds: from then to now.
        seconds: how long it took; None while it is under way.
        outcome: ``succeeded``, ``failed``, ``under way``, or ``unknown`` where the log has no end of it.
        message: what it said of itself, or what ended it.
    """

    started_at: str
    age_seconds: float
    seconds: float | None
    outcome: str
    message: str


def last_runs(logs: "CloudWatchLogsClient", log_group: str, now: datetime, most: int) -> list[RunFacts]:
    """Reads the last runs off the log.

    Args:
        logs: client.
        log_group: of the converter.
        now: the time that ages are told from, with an offset.
        most: runs wanted.

    Returns:
        Those of the last half hour, or, if there are none, of the last day: the newest first.

    Raises:
        ClientError: there is no such log group, or it may not be read.
    """
    for look_back in LOOK_BACK:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=log_group,
            startTime=int((now - look_back).timestamp() * 1000),
            filterPattern=LINES,
        )
        events = (event for page in pages for event in page["events"])
        if runs := sorted(_runs(events, now), key=lambda run: run.age_seconds):
            return runs[:most]
    return []


@dataclass(frozen=True)
class _Invocation:
    """What stands in a log stream from a START to the next."""

    request_id: str
    started: datetime
    lines: list[str]


def _runs(events: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[RunFacts]:
    """The runs that log events tell of."""
    open_in: dict[str, _Invocation] = {}
    invocations: list[_Invocation] = []
    told: dict[str, str] = {}
    for event in events:
        message = event["message"].rstrip()
        of_lambda = _LAMBDA_LINE.match(message)
        of_run = _parsed(message)
        if of_lambda and of_lambda[1] == "START":
            started = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            invocation = _Invocation(of_lambda[2], started, [])
            open_in[event["logStreamName"]] = invocation
            invocations.append(invocation)
        elif of_run and of_run.get("success"):
            # By its id and not its place: in the embedded AWS it may come after the next START.
            told[of_run["function_request_id"]] = of_run["message"]
        elif event["logStreamName"] in open_in:
            open_in[event["logStreamName"]].lines.append(message)
    for invocation in invocations:
        age = now - invocation.started
        outcome, message = _outcome(invocation.lines, told.get(invocation.request_id), age)
        seconds = next((float(found[1]) / 1000 for line in invocation.lines if (found := _DURATION.search(line))), None)
        yield RunFacts(timestamps.to_text(invocation.started), age.total_seconds(), seconds, outcome, message)


def _outcome(lines: list[str], told: str | None, age: timedelta) -> tuple[str, str]:
    """How a run ended, and what it said: its own line if it wrote one, else what Lambda or Python wrote last."""
    said = ""
    for line in lines:
        if found := _TIMED_OUT.search(line):
            return "failed", found[0]
        if line.startswith("[ERROR]"):
            return "failed", line.splitlines()[0].removeprefix("[ERROR]").strip()
        parsed = _parsed(line)
        if parsed and "SuccessfulRuns" in parsed:
            # With a LogLevel above INFO that is all there is.
            told = told or "{MatchesProcessed[0]:.0f} matches processed, {Plays[0]:.0f} plays created".format(**parsed)
        if parsed is None and line.strip() and not _LAMBDA_LINE.match(line):
            said = line.strip()  # in the embedded AWS a traceback comes line by line, and the error itself is the last
    if told is not None:
        return "succeeded", told
    if said:
        return "failed", said
    if not any(_LAMBDA_LINE.match(line) for line in lines):
        return ("under way", "") if age < LONGEST else ("unknown", "its log has no end of it")
    return "unknown", "its log does not say how it ended"


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None

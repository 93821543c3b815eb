"""The runs of the converter, from its log: how each of the last ones ended, and the counts of the last complete one."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from playlog.domain import timestamps

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# The short period is quick to read, and nearly always enough.
PERIODS = (timedelta(minutes=30), timedelta(days=1))
# All lines but those of the failures, of which a run may write thousands.
LINES_OF_RUNS = '-"will_retry"'
# The last line of each run.
LINES_WITH_COUNTS = "{ $.processed >= 0 }"
# A run takes at most 110 s. If its end is missing after twice that time, it was never written.
LONGEST = timedelta(seconds=220)

_LAMBDA_LINE = re.compile(r"(START|END|REPORT) RequestId: (\S+)")
_DURATION = re.compile(r"\tDuration: ([\d.]+) ms")
_TIMED_OUT = re.compile(r"Task timed out after [\d.]+ seconds")


@dataclass(frozen=True)
class RunFacts:
    """A run and how it ended.

    Attributes:
        started_at: in UTC.
        age_seconds: from then to now.
        seconds: its duration; None while it is under way.
        outcome: ``succeeded``, ``failed``, ``under way``, or ``unknown`` if its end is not in the log.
        message: its own message, or the error that ended it.
    """

    started_at: str
    age_seconds: float
    seconds: float | None
    outcome: str
    message: str


@dataclass(frozen=True)
class LastRun:
    """A complete run and its counts (docs/contract.md, The messages).

    Attributes:
        at: when it ended, in UTC.
        age_seconds: from then to now.
        success: whether the run did its work.
        processed: matches moved to played.
        plays: plays created.
        failed: failures sent.
        waiting: whether it stopped with matches left.
        seconds: its duration.
    """

    at: str
    age_seconds: float
    success: bool
    processed: int
    plays: int
    failed: int
    waiting: bool
    seconds: float


COUNTS = ("success", "processed", "plays", "failed", "waiting", "seconds")
RunT = TypeVar("RunT", RunFacts, LastRun)


def last_runs(logs: "CloudWatchLogsClient", log_group: str, now: datetime, most: int) -> list[RunFacts]:
    """Reads how the last runs ended.

    Args:
        logs: client.
        log_group: log group of the converter.
        now: the time that ages refer to, with an offset.
        most: number of runs wanted.

    Returns:
        The runs of the last half hour or, if there are none, of the last day: the newest first.

    Raises:
        ClientError: there is no such log group, or it may not be read.
    """
    return _newest_first(logs, log_group, now, LINES_OF_RUNS, _runs)[:most]


def last_counts(logs: "CloudWatchLogsClient", log_group: str, now: datetime) -> LastRun | None:
    """Reads the counts of the last complete run.

    Args:
        logs: client.
        log_group: log group of the converter.
        now: the time that ages refer to, with an offset.

    Returns:
        The last run of the last half hour or, if there is none, of the last day.

    Raises:
        ClientError: there is no such log group, or it may not be read.
    """
    return next(iter(_newest_first(logs, log_group, now, LINES_WITH_COUNTS, _counts)), None)


def _newest_first(
    logs: "CloudWatchLogsClient",
    log_group: str,
    now: datetime,
    pattern: str,
    read: Callable[[Iterable[Mapping[str, Any]], datetime], Iterable[RunT]],
) -> list[RunT]:
    for period in PERIODS:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=log_group,
            startTime=int((now - period).timestamp() * 1000),
            filterPattern=pattern,
        )
        events = (event for page in pages for event in page["events"])
        if runs := sorted(read(events, now), key=lambda run: run.age_seconds):
            return runs
    return []


def _counts(events: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[LastRun]:
    """The runs that wrote their counts. Ignores other lines: the embedded AWS does not filter."""
    for event in events:
        line = _parsed(event["message"]) or {}
        counts = {name: line[name] for name in COUNTS if name in line}
        if len(counts) == len(COUNTS):
            at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            yield LastRun(timestamps.to_text(at), (now - at).total_seconds(), **counts)


@dataclass(frozen=True)
class _Invocation:
    """The lines of a log stream from one START to the next."""

    request_id: str
    started: datetime
    lines: list[str]


def _runs(events: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[RunFacts]:
    """The runs in the log events."""
    open_in: dict[str, _Invocation] = {}
    invocations: list[_Invocation] = []
    messages: dict[str, str] = {}
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
            # Found by its id and not by its place: in the embedded AWS it may come after the next START.
            messages[of_run["function_request_id"]] = of_run["message"]
        elif event["logStreamName"] in open_in:
            open_in[event["logStreamName"]].lines.append(message)
    for invocation in invocations:
        if any((_parsed(line) or {}).get("check") for line in invocation.lines):
            continue  # a check of the deployment, and no run
        age = now - invocation.started
        outcome, message = _outcome(invocation.lines, messages.get(invocation.request_id), age)
        seconds = next((float(found[1]) / 1000 for line in invocation.lines if (found := _DURATION.search(line))), None)
        yield RunFacts(timestamps.to_text(invocation.started), age.total_seconds(), seconds, outcome, message)


def _outcome(lines: list[str], message: str | None, age: timedelta) -> tuple[str, str]:
    """How a run ended, and its message: its own if it wrote one, otherwise the last line of Lambda or Python."""
    last_line = ""
    for line in lines:
        if found := _TIMED_OUT.search(line):
            return "failed", found[0]
        if line.startswith("[ERROR]"):
            return "failed", line.splitlines()[0].removeprefix("[ERROR]").strip()
        parsed = _parsed(line)
        if parsed and "SuccessfulRuns" in parsed:
            # With a LogLevel above INFO this is the only line.
            message = message or "{MatchesProcessed[0]:.0f} matches processed, {Plays[0]:.0f} plays created".format(
                **parsed
            )
        if parsed is None and line.strip() and not _LAMBDA_LINE.match(line):
            last_line = line.strip()  # the embedded AWS logs a traceback line by line, and the error comes last
    if message is not None:
        return "succeeded", message
    if last_line:
        return "failed", last_line
    if not any(_LAMBDA_LINE.match(line) for line in lines):
        return ("under way", "") if age < LONGEST else ("unknown", "its end is not in the log")
    return "unknown", "its log does not say how it ended"


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None

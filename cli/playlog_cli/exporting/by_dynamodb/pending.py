"""What DynamoDB is exporting for us, so that a command that was broken off goes on where it was."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from playlog.domain import timestamps

from playlog_cli.exporting.by_dynamodb import point_in_time
from playlog_cli.exporting.by_dynamodb.point_in_time import Window, windows
from playlog_cli.exporting.columns import TABLES
from playlog_cli.exporting.places import Bucket, Place
from playlog_cli.stacks.stack import Stack

NAME = "pending.json"
# After this time, a new export is better than an old one.
_OUTDATED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Pending:
    """Exports that DynamoDB was asked for.

    Attributes:
        stack: the name of the stack.
        region: where it is.
        instant: what all tables are as of, in the format of the tables.
        since: the instant of the export that is brought up to date; None for a full export.
        arns: by the name of the table in the export, one for each window.
    """

    stack: str
    region: str
    instant: str
    since: str | None
    arns: dict[str, list[str]]


def begin_or_go_on(stack: Stack, place: Place, through: Bucket, now: datetime, since: str | None) -> Pending:
    """The exports that a broken-off command asked for, or new ones.

    Args:
        stack: whose tables.
        place: where the export goes.
        through: where DynamoDB writes to.
        now: with an offset.
        since: the instant of the export that is brought up to date; None for a full export.

    Raises:
        CommandError: a table has no point-in-time recovery, or the period is too short.
        ClientError: AWS refuses a call.
    """
    text = place.read_text(NAME)
    found = _read(text) if text else None
    if found and (found.stack, found.region, found.since) == (stack.name, stack.session.region_name, since):
        is_recent = now - timestamps.from_text(found.instant) < _OUTDATED
        states = [point_in_time.state(stack, arn).get("ExportStatus") for arns in found.arns.values() for arn in arns]
        if is_recent and set(states) <= {"IN_PROGRESS", "COMPLETED"}:
            return found
    pending = _begin(stack, through, now.replace(microsecond=0), since)
    place.write_text(NAME, json.dumps(asdict(pending), indent=2) + "\n")
    return pending


def _begin(stack: Stack, through: Bucket, instant: datetime, since: str | None) -> Pending:
    periods: list[Window | None] = [None]
    if since is not None:
        periods = [*windows(timestamps.from_text(since), instant)]
    names = table_names(stack)
    arns = {
        table.name: [point_in_time.start(stack, names[table.name], through, instant, period) for period in periods]
        for table in TABLES
    }
    return Pending(stack.name, stack.session.region_name, timestamps.to_text(instant), since, arns)


def table_names(stack: Stack) -> dict[str, str]:
    """The names of a stack's tables, by their names in an export."""
    return {
        "plays": stack.play_log_table,
        "matches": stack.match_cache_table,
        "failures": stack.failed_play_log_table,
    }


def _read(text: str) -> Pending | None:
    try:
        return Pending(**json.loads(text))
    except (ValueError, TypeError):
        return None

"""Which reason codes FailedPlayLog holds, also those of a stack that is newer than this command."""

from collections.abc import Mapping
from typing import Any

from playlog.schema import ReasonCode

from playlog_cli.stacks.stack import Stack

KNOWN = tuple(code.value for code in ReasonCode)
INDEX = "reason-index"
# A place behind all failures of a code: a scan that continues there begins with the next code.
_BEHIND: dict[str, Any] = {"failed_at": {"S": "~"}, "match_id": {"S": "~"}, "attempt": {"N": "1"}}


def recorded_codes(stack: Stack) -> tuple[str, ...]:
    """The reason codes that failures may have: the known ones in the order of the contract, then others that occur.

    The index can be queried only for a code by name. A scan of it has the failures of a code side by side, so that one
    failure of each code is read, whatever their number.

    Args:
        stack: where.
    """
    found: dict[str, None] = {}
    request: dict[str, Any] = {
        "TableName": stack.failed_play_log_table,
        "IndexName": INDEX,
        "Limit": 1,
        "ProjectionExpression": "reason_code",
    }
    while True:
        answer: Any = stack.dynamodb.scan(**request)
        code = answer["Items"][0]["reason_code"]["S"] if answer["Items"] else None
        # An endpoint that mixes the codes of an index, as MiniStack does, would repeat one.
        if code is None or code in found:
            return tuple(in_order({**dict.fromkeys(KNOWN, 0), **dict.fromkeys(found, 0)}))
        found[code] = None
        request["ExclusiveStartKey"] = {"reason_code": {"S": code}, **_BEHIND}


def in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by reason code: the known codes in the order of the contract, then the others."""
    return {code: counts[code] for code in (*KNOWN, *sorted(counts.keys() - set(KNOWN))) if code in counts}

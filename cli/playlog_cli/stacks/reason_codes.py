"""Which reason codes FailedPlayLog holds, also those of a stack that is newer than this command."""

from collections import Counter
from collections.abc import Mapping

from playlog.schema import ReasonCode

from playlog_cli.stacks.stack import Stack
from playlog_cli.stacks.tables import scan

KNOWN = tuple(code.value for code in ReasonCode)


def recorded_codes(stack: Stack) -> dict[str, int]:
    """Counts all failures by reason code.

    The index can be asked only for a code by name, so the table is read to find every code that occurs.

    Args:
        stack: where.

    Returns:
        A count for each code that occurs: the known codes in the order of the contract, then the others.
    """
    pages = scan(stack.dynamodb, stack.failed_play_log_table, ["reason_code"])
    return in_order(Counter(record["reason_code"]["S"] for page in pages for record in page))


def in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by reason code: the known codes in the order of the contract, then the others."""
    return {code: counts[code] for code in (*KNOWN, *sorted(counts.keys() - set(KNOWN))) if code in counts}

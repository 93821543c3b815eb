"""What a command that uses Athena says about its cost."""

from collections.abc import Callable
from typing import TypeVar

from playlog_cli.exporting.by_athena.athena import Athena
from playlog_cli.exporting.by_athena.cost import LEAST_BYTES, counting_statements, dollars, expected_bytes
from playlog_cli.terminal import counted, err

T = TypeVar("T")


def answered(athena: Athena | None, work: Callable[[], T]) -> T:
    """Does some work. If Athena answers it, says on stderr about what it costs, and afterwards what was billed.

    Args:
        athena: that answers; None if it is not used.
        work: what to do. With Athena, it is done twice: first without rows, to know its statements.

    Returns:
        What the work returns.

    Raises:
        CommandError: Athena cannot answer, or does not see the whole export.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    if athena is None:
        return work()
    statements = athena.plan(work)
    athena.prepare()
    counts = counting_statements(statements, athena.manifest)
    expected = sum(expected_bytes(each, athena.manifest) for each in statements) + LEAST_BYTES * len(counts)
    limit = athena.workgroup.bytes_limit
    err.print(
        f"Athena: {counted(len(statements) + len(counts), 'query', 'queries')} over about {expected:,} bytes: about "
        f"${dollars(expected)}. A query that scans more than {limit:,} bytes is cancelled "
        f"(workgroup {athena.workgroup.name}).",
        soft_wrap=True,
    )
    try:
        athena.check(statements)
        done = work()
        athena.confirm()
    finally:
        more = ", and what the query had scanned that was stopped" if athena.was_stopped else ""
        err.print(f"Athena billed {athena.scanned:,} bytes: ${dollars(athena.scanned)}{more}", soft_wrap=True)
    return done

"""What a command that uses Athena says about its cost."""

from collections.abc import Iterator
from contextlib import contextmanager

from playlog_cli.exporting.athena import BYTES_LIMIT, LEAST_BYTES, Athena
from playlog_cli.terminal import err


@contextmanager
def cost_shown(athena: Athena | None, statements: int) -> Iterator[None]:
    """Says on stderr what Athena may cost at most, and afterwards what it has billed.

    Args:
        athena: that answers; None if it is not used.
        statements: how many it answers at most.
    """
    if athena is None:
        yield
        return
    size = sum(file.size for file in athena.manifest.files)
    most = statements * max(LEAST_BYTES, min(BYTES_LIMIT, size))
    err.print(
        f"Athena: {statements} statements over an export of {size:,} bytes, at most ${athena.dollars(most)}. "
        f"A statement that would scan more than {BYTES_LIMIT:,} bytes is cancelled.",
        soft_wrap=True,
    )
    try:
        yield
    finally:
        err.print(f"Athena scanned {athena.scanned:,} bytes: ${athena.dollars(athena.scanned)}", soft_wrap=True)

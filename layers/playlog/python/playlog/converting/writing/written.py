"""What became of the matches that were to be written."""

from dataclasses import dataclass, field

from playlog.domain.failure import Failure


@dataclass(slots=True)
class Written:
    """What became of the matches of a page.

    Attributes:
        matches: number of matches moved to played.
        plays: number of plays created.
        failures: failures of matches that DynamoDB rejects.
        left: number of matches that still wait, because time ran out or AWS could not decide.
        obstacle: why, in a sentence; None if none is left.
    """

    matches: int = 0
    plays: int = 0
    failures: list[Failure] = field(default_factory=list)
    left: int = 0
    obstacle: str | None = None

    def take_failures(self) -> list[Failure]:
        """Returns the failures, and forgets them."""
        failures, self.failures = self.failures, []
        return failures

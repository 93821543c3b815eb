"""Find the match that DynamoDB rejects: a refused request does not say which of its values is wrong. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from playlog.converting.writing.packing import excess
from playlog.converting.writing.planning import Entry
from playlog.domain.failure import Failure
from playlog.domain.match import Match
from playlog.schema import ReasonCode


@dataclass(frozen=True, slots=True)
class Refusal:
    """A match whose write DynamoDB rejects when it is sent alone.

    Attributes:
        match: whose write it is.
        message: what DynamoDB says.
        excess: which value exceeds a limit of DynamoDB, in a sentence; None if none does.
    """

    match: Match
    message: str
    excess: str | None

    @property
    def failure(self) -> Failure:
        """The failure of the match, if the match is at fault."""
        what = self.excess or f"match_id is {self.match.match_id!r}, and its play cannot be written"
        return Failure(self.match.item, ReasonCode.REJECTED, f"{what}; DynamoDB refuses it: {self.message}")


def isolate(entries: Sequence[Entry], message: str, *, alone: bool) -> Refusal | list[list[Match]]:
    """Finds the match, or says how to go on with the search.

    Args:
        entries: DynamoDB rejects a value in one of them.
        message: what DynamoDB says.
        alone: whether the request held nothing else.

    Returns:
        The match, or smaller groups of matches to send next.
    """
    if len(entries) > 1:
        middle = len(entries) // 2
        halves = entries[:middle], entries[middle:]
        return [[match for entry in half for match in entry.airing.matches] for half in halves]
    (entry,) = entries
    matches = entry.airing.matches
    if alone and len(matches) == 1:
        return Refusal(matches[0], message, excess(entry.airing))
    return [[match] for match in matches]

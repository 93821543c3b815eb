"""Why a match could not be turned into a play."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from playlog.domain.match import Item

# A counter from here on does not count: DynamoDB's numbers have 38 digits, which one more would no longer change.
UNCOUNTABLE = 10**37


class ReasonCode(StrEnum):
    """The reason codes of the contract, in the order in which a match is judged."""

    MALFORMED = "MALFORMED"
    MISSING_TRACK = "MISSING_TRACK"
    MISSING_STATION = "MISSING_STATION"
    INVALID_TIME = "INVALID_TIME"
    INVALID_DURATION = "INVALID_DURATION"
    INVALID_CONFIDENCE = "INVALID_CONFIDENCE"
    INVALID_SOURCE = "INVALID_SOURCE"
    REJECTED = "REJECTED"
    UNEXPECTED = "UNEXPECTED"

    @property
    def retryable(self) -> bool:
        """Whether the same match may succeed in a later run, with nobody having mended it."""
        return self is ReasonCode.UNEXPECTED


@dataclass(frozen=True, slots=True)
class Failure:
    """A match that could not be turned.

    Attributes:
        item: the match as the index holds it.
        reason_code: what is wrong, for machines.
        reason: what is wrong with which value, for people: a sentence.
    """

    item: Item
    reason_code: ReasonCode
    reason: str

    @property
    def match_id(self) -> str:
        """Key of the match in MatchCache."""
        text: str = self.item["match_id"]["S"]
        return text

    @property
    def attempt(self) -> int:
        """Which conversion of the match failed, from 1."""
        # A counter that is no number makes the match MALFORMED. Its failures are counted anew, as those of any other
        # counter that counts nothing: the match would wait for ever if no record could be made of them.
        attempts = int(Decimal(self.item.get("attempts", {}).get("N", "0")))
        return attempts + 1 if 0 <= attempts < UNCOUNTABLE else 1

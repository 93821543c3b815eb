"""A match that could not be converted, and why."""

from dataclasses import dataclass
from decimal import Decimal

from playlog.domain.match import Item
from playlog.schema import ReasonCode

# Counters from here on cannot be incremented exactly: DynamoDB numbers have 38 digits.
UNCOUNTABLE = 10**37


@dataclass(frozen=True, slots=True)
class Failure:
    """A match that could not be converted.

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
        # An invalid counter starts again at 1. Without a record of its failure, the match would wait for ever.
        attempts = int(Decimal(self.item.get("attempts", {}).get("N", "0")))
        return attempts + 1 if 0 <= attempts < UNCOUNTABLE else 1

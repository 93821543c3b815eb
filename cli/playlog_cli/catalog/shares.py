"""Who gets which part of a track's amount, and when. Pure.

A share is an exact fraction: one third is one third, not 33.33 %.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from playlog_cli.errors import shown

WHOLE = Fraction(1)
_FRACTION = re.compile(r"(\d{1,30})\s*/\s*(\d{1,30})")
_NUMBER = re.compile(r"(\d{1,9}(?:[.,]\d{1,18})?)\s*(%?)")
# A share at the beginning, the payee, and possibly the role after the last "as".
_LISTED = re.compile(
    r"(?P<part>\d+\s*/\s*\d+|\d+(?:[.,]\d+)?\s*%?)\s+(?P<payee>\S.*?)(?:\s+as\s+(?P<role>(?:(?!\sas\s).)+))?", re.DOTALL
)
_ADVICE = "write it in percent, as a fraction or as a part of 1, like 50%, 1/3 or 0.5"


class ShareError(Exception):
    """What is wrong with a share, and what would be right."""


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a track's amount that a payee gets.

    Attributes:
        payee: who is paid: a name or an id, as the statements show it.
        part: above 0, at most 1.
        role: why, like ``artist`` or ``label``; empty if nobody said so.
        since: the first day on which it is valid; None for always.
        until: the last day on which it is valid; None for always.
    """

    payee: str
    part: Fraction
    role: str = ""
    since: date | None = None
    until: date | None = None

    def is_valid_on(self, day: date) -> bool:
        """Whether the payee gets the share of a play of this day."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


def shares_on(shares: Iterable[Share], day: date) -> tuple[Share, ...]:
    """The shares of a track that are valid on a day, by payee and role."""
    return tuple(sorted((each for each in shares if each.is_valid_on(day)), key=lambda each: (each.payee, each.role)))


def days_of_change(shares: Iterable[Share]) -> list[date]:
    """The days from which on other shares of a track are valid than on the day before, in order."""
    days = {share.since for share in shares if share.since}
    # After the last day that a date can have, nothing changes: people write 9999-12-31 for "for ever".
    ends = (share.until for share in shares if share.until and share.until < date.max)
    return sorted(days | {last + timedelta(days=1) for last in ends})


def parse_part(text: str) -> Fraction:
    """A share as an exact fraction.

    Raises:
        ShareError: it is not a share.

    Example:
        >>> parse_part("12.5 %"), parse_part("1/3")
        (Fraction(1, 8), Fraction(1, 3))
    """
    part = Fraction(0)
    if found := _FRACTION.fullmatch(text.strip()):
        part = Fraction(int(found[1]), int(found[2])) if int(found[2]) else part
    elif found := _NUMBER.fullmatch(text.strip()):
        part = Fraction(Decimal(found[1].replace(",", "."))) / (100 if found[2] else 1)
    if not 0 < part <= WHOLE:
        raise ShareError(f"share is {shown(text)}: it must be above 0 and at most the whole: {_ADVICE}")
    return part


def parse_shares(text: str) -> tuple[Share, ...]:
    """The shares in one cell of a catalog, like ``60% Anna Ember as artist; 40% Ben Tide``.

    Raises:
        ShareError: one of them is not a share.
    """
    shares = []
    for each in filter(None, (part.strip() for part in text.split(";"))):
        found = _LISTED.fullmatch(each)
        if not found:
            raise ShareError(
                f"shares has {shown(each)}: write the share, the payee and perhaps a role, "
                "like 60% Anna Ember as artist; 40% Ben Tide"
            )
        shares.append(Share(found["payee"].strip(), parse_part(found["part"]), (found["role"] or "").strip()))
    return tuple(shares)


def check_shares(shares: Sequence[Share]) -> None:
    """Checks that no payee has two shares in one role at the same time.

    Raises:
        ShareError: one has.
    """
    last: dict[tuple[str, str], Share] = {}
    for share in sorted(shares, key=lambda each: (each.payee, each.role, each.since or date.min)):
        if share.since and share.until and share.until < share.since:
            raise ShareError(f"valid_to is {share.until}, before valid_from {share.since}: it is the last valid day")
        before = last.get((share.payee, share.role))
        if before and (before.until is None or share.since is None or share.since <= before.until):
            role = f" as {shown(share.role)}" if share.role else ""
            raise ShareError(
                f"{shown(share.payee)} has two shares{role} at the same time: end the first one with valid_to, "
                "or write one share"
            )
        last[share.payee, share.role] = share


def part_in_words(part: Fraction) -> str:
    """A share for people: in percent if that is exact in few digits, else as a fraction.

    Example:
        >>> part_in_words(Fraction(1, 8)), part_in_words(Fraction(1, 3))
        ('12.5 %', '1/3')
    """
    thousandths = part * 100_000
    if thousandths.denominator == 1:
        return f"{format((Decimal(thousandths.numerator) / 1000).normalize(), 'f')} %"
    return f"{part.numerator}/{part.denominator}"

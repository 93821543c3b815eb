"""Who gets what: the amount of each track, divided among its payees. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import WHOLE, Share, part_in_words, shares_on
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.rate_card import NO_RULE, Per, RateCard, Rule, exact_sum
from playlog_cli.statements.splitting import split
from playlog_cli.statements.tallying import Group, Tallies, Tally

ZERO = Decimal(0)


class Held(StrEnum):
    """Why an amount is held back."""

    FLAGGED = "flagged"
    NO_PAYEE = "no payee"
    NOT_WHOLE = "shares do not add up to 100 %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of a track's amount that a payee gets, or that is held back.

    Attributes:
        track_id: for which track.
        rule: name of the rule of the card, or ``no rule``.
        rate: in words, like ``0.0125 per second``; empty without a rule.
        payee: who gets it; empty if it is held back.
        role: why the payee gets it; may be empty.
        share: of the payee; 0 if the part is held back.
        held: why it is held back; None if a payee gets it.
        plays: how many plays the part is for.
        seconds: how long these were heard.
        amount: with the decimal places of the card.
    """

    track_id: str
    rule: str
    rate: str
    payee: str
    role: str
    share: Fraction
    held: Held | None
    plays: int
    seconds: Decimal
    amount: Decimal

    @property
    def order(self) -> tuple[object, ...]:
        """The order of parts. Of equal remainders, the first one gets the unit that is left."""
        held = list(Held).index(self.held) + 1 if self.held else 0
        return self.track_id, self.rule, held, self.payee, self.role, self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackLine:
    """A line of the report by track: the plays of a track that one rule pays.

    Attributes:
        track_id: which track.
        rule: name of the rule of the card, or ``no rule``.
        plays: how many plays count.
        seconds: how long these were heard.
        flagged: how many of the plays are flagged.
        withdrawn: how many plays do not count, because somebody withdrew them.
        shares: who gets which part, in words.
        amount: what the plays come to.
    """

    track_id: str
    rule: str
    plays: int
    seconds: Decimal
    flagged: int
    withdrawn: int
    shares: str
    amount: Decimal


@dataclass(frozen=True)
class Statements:
    """Who gets what for a period.

    Attributes:
        period: which.
        card: what the plays are paid by.
        lines: of the report by track, in order.
        parts: the amounts of the lines, divided, in order.
    """

    period: Period
    card: RateCard
    lines: Sequence[TrackLine]
    parts: Sequence[Part]

    @property
    def total(self) -> Decimal:
        """What the report by track comes to."""
        return self.card.rounded(amount_of(self.lines))

    @property
    def by_payee(self) -> Mapping[str, Sequence[Part]]:
        """The parts of each payee, by payee."""
        found: defaultdict[str, list[Part]] = defaultdict(list)
        for part in self.parts:
            if part.held is None:
                found[part.payee].append(part)
        return dict(sorted(found.items()))

    @property
    def held(self) -> Mapping[Held, Sequence[Part]]:
        """The parts that are held back, by the reason."""
        found = {reason: [part for part in self.parts if part.held is reason] for reason in Held}
        return {reason: parts for reason, parts in found.items() if parts}


def amount_of(parts: Iterable[Part | TrackLine]) -> Decimal:
    """What parts or lines add up to, exactly."""
    return exact_sum(part.amount for part in parts)


def state(tallies: Tallies, catalog: Catalog, card: RateCard, period: Period) -> Statements:
    """Divides the amount of each line of the report by track.

    A line's amount is what the report pays: the plays or seconds times the rate, rounded once. It is divided by the
    plays or seconds of each group, and within a group by the shares.

    Args:
        tallies: the plays of the period.
        catalog: the shares of the tracks.
        card: what a play is paid.
        period: which.
    """
    lines, parts = [], []
    for track_id, rule in {**tallies.groups, **tallies.withdrawn}:
        entry = catalog.entry(track_id)
        groups = tallies.groups.get((track_id, rule), {})
        line = _line(entry, rule, groups, card, tallies.withdrawn.get((track_id, rule), 0))
        lines.append(line)
        parts += _parts(entry, rule, groups, line.amount)
    return Statements(
        period,
        card,
        tuple(sorted(lines, key=lambda line: (line.track_id, line.rule))),
        tuple(sorted(parts, key=lambda part: part.order)),
    )


def name_of(rule: Rule | None) -> str:
    """The name of a rule, also of none."""
    return rule.name if rule else NO_RULE


def shares_in_words(shares: Sequence[Share]) -> str:
    """Shares in one text, in a stated order."""
    ordered = sorted(shares, key=lambda share: (share.payee, share.role, str(share.since)))
    return "; ".join(map(_share_in_words, ordered))


def _share_in_words(share: Share) -> str:
    role = f" as {share.role}" if share.role else ""
    since = f" from {share.since}" if share.since else ""
    until = f" to {share.until}" if share.until else ""
    return f"{part_in_words(share.part)} {share.payee}{role}{since}{until}"


def _line(entry: Entry, rule: Rule | None, groups: Mapping[Group, Tally], card: RateCard, withdrawn: int) -> TrackLine:
    plays = sum(tally.plays for tally in groups.values())
    seconds = _seconds(groups.values())
    return TrackLine(
        track_id=entry.track_id,
        rule=name_of(rule),
        plays=plays,
        seconds=seconds,
        flagged=sum(tally.plays for (_, flagged), tally in groups.items() if flagged),
        withdrawn=withdrawn,
        shares=shares_in_words(entry.shares),
        amount=card.rounded(rule.amount(plays, seconds) if rule else ZERO),
    )


def _parts(entry: Entry, rule: Rule | None, groups: Mapping[Group, Tally], amount: Decimal) -> list[Part]:
    """The parts of a line, in order. Groups in which the same payee has the same share are one part."""
    tallies: defaultdict[tuple[str, str, Fraction, Held | None], list[Tally]] = defaultdict(list)
    for (since, flagged), tally in groups.items():
        valid = shares_on(entry.shares, since)
        if held := _held(valid, flagged=flagged):
            tallies["", "", Fraction(0), held].append(tally)
        else:
            for share in valid:
                tallies[share.payee, share.role, share.part, None].append(tally)
    undivided = sorted(
        (
            Part(
                track_id=entry.track_id,
                rule=name_of(rule),
                rate=f"{rule.rate.normalize():f} per {rule.per}" if rule else "",
                payee=payee,
                role=role,
                share=share,
                held=held,
                plays=sum(tally.plays for tally in of_part),
                seconds=_seconds(of_part),
                amount=amount * 0,
            )
            for (payee, role, share, held), of_part in tallies.items()
        ),
        key=lambda part: part.order,
    )
    amounts = split(amount, [_weight(part, rule) for part in undivided])
    return [replace(part, amount=of_part) for part, of_part in zip(undivided, amounts, strict=True)]


def _held(shares: Sequence[Share], *, flagged: bool) -> Held | None:
    if flagged:
        return Held.FLAGGED
    if not shares:
        return Held.NO_PAYEE
    return None if sum((share.part for share in shares), Fraction(0)) == WHOLE else Held.NOT_WHOLE


def _weight(part: Part, rule: Rule | None) -> Fraction:
    units = Fraction(part.plays) if rule is None or rule.per is Per.PLAY else Fraction(part.seconds)
    return units * (WHOLE if part.held else part.share)


def _seconds(tallies: Iterable[Tally]) -> Decimal:
    return exact_sum(tally.seconds for tally in tallies)

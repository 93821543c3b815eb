"""Make the statements of a period, and the corrections of closed periods."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from playlog_cli.catalog.entry import Catalog
from playlog_cli.lookalikes import lookalikes
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.listing.reading import read_all
from playlog_cli.reporting.rate_card import EXACT, RateCard, exact_sum
from playlog_cli.reporting.sources.source import Progress, Source
from playlog_cli.statements.adjusting import adjust
from playlog_cli.statements.closing import ClosedRun
from playlog_cli.statements.ledger import Adjustment, Days, Ledger
from playlog_cli.statements.statement import Part, Statements, TrackLine, amount_of, state
from playlog_cli.statements.tallying import Tallies, tally


@dataclass(frozen=True)
class Payment:
    """What one payee gets.

    Attributes:
        payee: who.
        parts: for the plays of the period.
        adjustments: of closed periods.
    """

    payee: str
    parts: Sequence[Part] = ()
    adjustments: Sequence[Adjustment] = ()

    @property
    def of_period(self) -> Decimal:
        """For the plays of the period."""
        return amount_of(self.parts)

    @property
    def adjusted(self) -> Decimal:
        """For corrections of closed periods; below 0 if too much was paid."""
        return sum_of(self.adjustments)

    @property
    def amount(self) -> Decimal:
        """Everything."""
        return EXACT.add(self.of_period, self.adjusted)


@dataclass(frozen=True)
class Run:
    """Statements with the corrections of closed periods.

    Attributes:
        statements: of the period.
        stations: of which alone the plays are; none for all.
        catalog: the names of the tracks.
        plays: how many plays were read, with those that were withdrawn.
        digest: of these plays (see ``Tallies``).
        closed: the runs that were corrected.
        adjustments: the corrections.
        corrected: lines of closed periods that have changed, with the days of their period.
    """

    statements: Statements
    stations: tuple[str, ...]
    catalog: Catalog
    plays: int
    digest: int
    closed: Sequence[ClosedRun] = ()
    adjustments: Sequence[Adjustment] = ()
    corrected: Sequence[tuple[Days, TrackLine]] = field(default=())

    @property
    def payments(self) -> list[Payment]:
        """What each payee gets, by payee."""
        parts = self.statements.by_payee
        adjusted: dict[str, list[Adjustment]] = {}
        for each in self.adjustments:
            if each.held is None:
                adjusted.setdefault(each.payee, []).append(each)
        payees = sorted({*parts, *adjusted})
        return [Payment(payee, parts.get(payee, ()), adjusted.get(payee, ())) for payee in payees]

    @property
    def lookalikes(self) -> list[tuple[str, ...]]:
        """Payees whose names differ only in spaces, case or Unicode form: they probably are one payee."""
        return lookalikes(payment.payee for payment in self.payments)

    @property
    def held_adjustments(self) -> list[Adjustment]:
        """Corrections of what is held back."""
        return [each for each in self.adjustments if each.held]

    @property
    def held_amount(self) -> Decimal:
        """What is held back of the period's plays."""
        return self.statements.card.rounded(amount_of(part for part in self.statements.parts if part.held))

    @property
    def ledger(self) -> Ledger:
        """All amounts, for later runs."""
        period = self.statements.period
        of_period = self.statements.lines, self.statements.parts
        return Ledger((period.start, period.end), *of_period, self.adjustments, self.corrected)


def make_statements(
    source: Source,
    period: Period,
    stations: tuple[str, ...],
    catalog: Catalog,
    card: RateCard,
    closed: Sequence[ClosedRun],
    progress: Progress,
) -> Run:
    """Reads the plays of a period and of the closed periods, and divides what they come to.

    Args:
        source: where from.
        period: which.
        stations: of which alone, all different; none for all.
        catalog: names and shares of the tracks, as they are now.
        card: what a play of the period is paid. A closed period keeps its card.
        closed: the runs to correct, in the order in which they were made.
        progress: progress callback.

    Raises:
        CommandError: a play cannot be read: with its key, and with what is wrong.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """

    def counted(which: Period, of_stations: tuple[str, ...], by: RateCard) -> Tallies:
        return tally(read_all(source, which, of_stations, progress), catalog, by, which.zone)

    tallies = counted(period, stations, card)
    adjustments: list[Adjustment] = []
    corrected: list[tuple[Days, TrackLine]] = []
    for run in closed:
        now = state(counted(run.period, run.stations, run.card), catalog, run.card, run.period)
        changed, lines = adjust(run.ledger, [other.ledger for other in closed if other is not run], now)
        adjustments += changed
        corrected += [(run.ledger.days, line) for line in lines]
    return Run(
        statements=state(tallies, catalog, card, period),
        stations=stations,
        catalog=catalog,
        plays=tallies.plays,
        digest=tallies.digest,
        closed=closed,
        adjustments=sorted(adjustments, key=lambda each: each.order),
        corrected=sorted(corrected, key=lambda each: each[0]),
    )


def sum_of(adjustments: Sequence[Adjustment]) -> Decimal:
    """What adjustments add up to, exactly."""
    return exact_sum(each.amount for each in adjustments)

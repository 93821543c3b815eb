"""Make a report: the plays of a period from tables or an export, added up."""

from collections.abc import Sequence

from playlog_cli.exporting.engine import Engine
from playlog_cli.lookalikes import lookalikes
from playlog_cli.reporting.figures import By, Period
from playlog_cli.reporting.forms import Report
from playlog_cli.reporting.rate_card import RateCard
from playlog_cli.reporting.sources.source import Progress, Source
from playlog_cli.reporting.sums.adding import Added, figures_of
from playlog_cli.reporting.sums.digest import plays_and_digest
from playlog_cli.reporting.sums.sql import Selection


def report(
    source: Source,
    period: Period,
    by: Sequence[By],
    stations: Sequence[str],
    tracks: Sequence[str],
    card: RateCard | None,
    progress: Progress,
    *,
    with_digest: bool = False,
) -> Report:
    """Reads the plays of a period and adds them up. It changes nothing.

    Args:
        source: where from.
        period: in which the plays began.
        by: what to group them by.
        stations: of which alone; none for all.
        tracks: of which alone; none for all.
        card: what to pay them by.
        progress: progress callback.
        with_digest: whether the report has the digest of the plays. Athena makes none.

    Raises:
        CommandError: a play cannot be added up: with its key, and with what is wrong.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    selection = Selection(period, tuple(dict.fromkeys(stations)), tuple(dict.fromkeys(tracks)))
    with source.added(selection, progress) as engine:
        added = figures_of(engine, selection, tuple(dict.fromkeys(by)), card)
        plays = plays_and_digest(engine, selection) if with_digest and isinstance(engine, Engine) else None
    of_card = {station for rule in (card.rules if card else ()) for station in rule.stations or ()}
    return Report(
        stack=source.stack,
        region=source.region,
        stations=selection.stations,
        tracks=selection.tracks,
        figures=added.figures,
        failures=source.failures(period, selection.stations, selection.tracks),
        source_notes=source.notes(selection),
        lookalikes=(*lookalikes(added.stations | of_card), *lookalikes(added.tracks)),
        plays=plays,
    )


def add_up(source: Source, selection: Selection, by: Sequence[By], card: RateCard | None, progress: Progress) -> Added:
    """Reads plays and adds them up. It changes nothing.

    Args:
        source: where from.
        selection: which plays.
        by: what to group them by.
        card: what to pay them by.
        progress: progress callback.

    Raises:
        CommandError: a play cannot be added up: with its key, and with what is wrong.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    with source.added(selection, progress) as engine:
        return figures_of(engine, selection, tuple(dict.fromkeys(by)), card)

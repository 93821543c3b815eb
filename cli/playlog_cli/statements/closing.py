"""Closed periods: the folders of earlier runs, which no run changes any more."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playlog_cli.errors import CommandError
from playlog_cli.exporting.places import sha256_of
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.rate_card import RateCard
from playlog_cli.reporting.rate_card_file import load_rate_card
from playlog_cli.statements.ledger import Ledger, LedgerError, read_ledger
from playlog_cli.time_zones import time_zone

MANIFEST, LEDGER, CARD = "manifest.json", "ledger.jsonl", "rate-card.toml"


@dataclass(frozen=True)
class ClosedRun:
    """A folder of statements.

    Attributes:
        folder: where it is.
        period: of its statements.
        stations: of which alone the plays are; none for all.
        card: what the plays were paid by.
        ledger: what was stated.
        digest: SHA-256 of its manifest, in hexadecimal digits.
        order: how many runs there were before it.
    """

    folder: Path
    period: Period
    stations: tuple[str, ...]
    card: RateCard
    ledger: Ledger
    digest: str
    order: int


def find_closed(folder: Path) -> list[ClosedRun]:
    """The runs in a folder of statements, in the order in which they were made.

    Args:
        folder: has a folder for each run. It need not exist yet.

    Raises:
        CommandError: a run has been changed since it was written, or cannot be read.
    """
    return sorted(map(_read, _folders(folder)), key=lambda run: (run.order, run.ledger.days))


def manifests_in(folder: Path) -> dict[str, str]:
    """The SHA-256 of the manifest of each run in a folder of statements, by the name of its folder."""
    return {each.name: sha256_of(each / MANIFEST) for each in _folders(folder)}


def check_period(period: Period, closed: Sequence[ClosedRun], currency: str) -> None:
    """Checks that no play would be paid twice, and that amounts can be added up.

    Raises:
        CommandError: the period has days of a closed one, or the card has another currency.
    """
    for run in closed:
        if period.since < run.period.until and run.period.since < period.until:
            raise CommandError(
                f"the plays from {run.period.start} to before {run.period.end} have statements in {run.folder}, which "
                "are never changed: name a later period, whose statements list the corrections, or another --folder"
            )
        if run.card.currency != currency:
            raise CommandError(
                f"the rate card is in {currency}, and {run.folder} in {run.card.currency}: name another --folder"
            )


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[!.]*") if any((path / name).is_file() for name in (MANIFEST, LEDGER)))


def _read(folder: Path) -> ClosedRun:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        for name in (LEDGER, CARD):
            if sha256_of(folder / name) != manifest["outputs"][name]:
                raise CommandError(
                    f"{folder / name} was changed after it was written: restore it from a copy, because corrections "
                    "are the differences from what was stated"
                )
        with (folder / LEDGER).open(encoding="utf-8") as file:
            ledger = read_ledger(file)
        return ClosedRun(
            folder=folder,
            period=Period(*ledger.days, _zone(manifest)),
            stations=tuple(manifest["stations"]),
            card=load_rate_card(folder / CARD),
            ledger=ledger,
            digest=sha256_of(folder / MANIFEST),
            order=len(manifest["inputs"]["closed"]),
        )
    except (OSError, KeyError, TypeError, ValueError, LedgerError) as error:
        raise CommandError(f"{folder} is no folder of statements ({error}): remove it, or restore it") from None


def _zone(manifest: dict[str, Any]) -> Any:
    zone = time_zone(manifest["period"]["time_zone"])
    if zone is None:
        raise ValueError("unknown time zone")
    return zone

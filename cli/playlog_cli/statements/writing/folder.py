"""Write the statements of a run into a folder of its own, whole or not at all."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from playlog_cli.errors import CommandError
from playlog_cli.exporting.places import sha256_of
from playlog_cli.reporting.files.inputs import InputFile
from playlog_cli.reporting.files.manifest import period_as_json, plays_as_json
from playlog_cli.statements.closing import CARD, LEDGER, MANIFEST, manifests_in
from playlog_cli.statements.ledger import write_ledger
from playlog_cli.statements.making import Run
from playlog_cli.statements.writing.pages import write_statement, write_summary_page
from playlog_cli.statements.writing.rows import write_payment, write_summary

PAYEES = "payees"
_LONGEST_SLUG = 60


def folder_of(parent: Path, run: Run) -> Path:
    """The folder of a run: named by its period."""
    period = run.statements.period
    return parent / f"{period.start}_{period.end}"


def write_run(parent: Path, run: Run, inputs: Mapping[str, InputFile]) -> Path:
    """Writes the statements of a run: pages, CSV, ledger, rate card and manifest.

    Args:
        parent: the folder of all runs; it is made if there is none.
        run: the statements.
        inputs: the files that were read, by what they are. ``rate_card`` is among them.

    Returns:
        The folder of the run.

    Raises:
        CommandError: it is there already, or cannot be written, or another run has ended meanwhile.
    """
    folder = folder_of(parent, run)
    part = parent / f".{folder.name}.{os.getpid()}.part"
    if folder.exists():
        raise CommandError(f"{folder} is there already: statements are never changed. Name another --folder")
    try:
        (part / PAYEES).mkdir(parents=True)
        _write_files(part, run)
        shutil.copyfile(inputs["rate_card"].path, part / CARD)
        _write(part / MANIFEST, lambda file: json.dump(_manifest(part, run, inputs), file, indent=2))
        with _only_one(parent):
            _check_closed(parent, run)
            part.rename(folder)
    except OSError as error:
        raise CommandError(f"--folder {parent} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            shutil.rmtree(part)
    return folder


def file_name(payee: str) -> str:
    """The name of a payee's files, without its end: readable, and different for each payee."""
    ascii_text = unicodedata.normalize("NFKD", payee).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")[:_LONGEST_SLUG]
    digest = hashlib.sha256(payee.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{slug or 'payee'}-{digest}"


@contextmanager
def _only_one(parent: Path) -> Iterator[None]:
    """Lets one process at a time finish a run in a folder. The lock ends with the process."""
    descriptor = os.open(parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check_closed(parent: Path, run: Run) -> None:
    """Checks that no other run has ended since this one began: both would pay the same corrections.

    Raises:
        CommandError: one has.
    """
    now = manifests_in(parent)
    if others := sorted(now.items() ^ {each.folder.name: each.digest for each in run.closed}.items()):
        raise CommandError(
            f"{parent / others[0][0]} was written or changed while this command read the plays: run the command again, "
            "so that it counts what was stated there"
        )


def _write_files(part: Path, run: Run) -> None:
    pages = {payment.payee: f"{PAYEES}/{file_name(payment.payee)}.html" for payment in run.payments}
    for payment in run.payments:
        page = part / pages[payment.payee]
        _write(page, partial(write_statement, payment, run))
        _write(page.with_suffix(".csv"), partial(write_payment, payment, run))
    _write(part / "summary.html", partial(write_summary_page, run, pages))
    _write(part / "summary.csv", partial(write_summary, run))
    _write(part / LEDGER, lambda file: file.writelines(write_ledger(run.ledger)))


def _write(path: Path, write: Callable[[TextIO], None]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write(file)


def _manifest(part: Path, run: Run, inputs: Mapping[str, InputFile]) -> dict[str, Any]:
    """What went in and what came out. It names no time and no machine, so that the same inputs give the same bytes."""
    period = run.statements.period
    outputs = sorted(path.relative_to(part).as_posix() for path in part.rglob("*") if path.is_file())
    return {
        "playlog": version("playlog"),
        "period": period_as_json(period),
        "stations": list(run.stations),
        "total": str(run.statements.total),
        "currency": run.statements.card.currency,
        "inputs": {
            "plays": plays_as_json(run.plays, run.digest),
            **{name: each.as_json for name, each in inputs.items()},
            "closed": {each.folder.name: each.digest for each in run.closed},
        },
        "outputs": {name: sha256_of(part / name) for name in outputs if name != MANIFEST},
    }

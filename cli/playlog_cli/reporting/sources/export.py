"""Plays from an export."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from playlog.domain.match import Item

from playlog_cli.exporting.by_athena.athena import Athena, find_athena
from playlog_cli.exporting.columns import FAILURES, PLAYS, ExportTable
from playlog_cli.exporting.engine import Statements
from playlog_cli.exporting.items import items
from playlog_cli.exporting.manifest import Manifest
from playlog_cli.exporting.opened import open_export, read_manifest
from playlog_cli.exporting.places import place_of
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.plays import is_of
from playlog_cli.reporting.sources.source import Progress
from playlog_cli.reporting.sums import clock
from playlog_cli.reporting.sums.sql import Selection, months_of
from playlog_cli.stacks.reason_codes import in_order
from playlog_cli.stacks.tables import batched

_ITEMS_OF_A_PAGE = 1_000


@dataclass(frozen=True)
class Export:
    """An export, which does not change any more.

    Attributes:
        name: a folder, or ``s3://BUCKET/PREFIX``.
        session: region and credentials for S3.
        manifest: what it holds.
        athena: answers; None if DuckDB does.
    """

    name: str
    session: boto3.Session
    manifest: Manifest
    athena: Athena | None = None

    @classmethod
    def find(cls, name: str, session: boto3.Session, *, by_athena: bool = False) -> "Export":
        """Finds an export.

        Args:
            name: a folder, or ``s3://BUCKET/PREFIX``.
            session: region and credentials for S3.
            by_athena: whether Athena answers.

        Raises:
            CommandError: there is no whole export, or it is not in S3 and Athena is to read it.
        """
        place = place_of(name, session)
        manifest = read_manifest(place)
        return cls(name, session, manifest, find_athena(place, manifest) if by_athena else None)

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return self.manifest.stack

    @property
    def region(self) -> str:
        """Where the stack is."""
        return self.manifest.region

    @property
    def export_sha256(self) -> str:
        """The SHA-256 of the manifest, in hexadecimal digits."""
        return hashlib.sha256(self.manifest.to_json().encode()).hexdigest()

    def notes(self, selection: Selection) -> Sequence[str]:
        """Sentences on how the plays were read."""
        del selection
        of = self.manifest
        return [
            f"Read from an export of the tables as of {of.instant}."
            if of.instant
            else f"Read from an export that began to read the tables at {of.began_at}."
        ]

    def pages(
        self, period: Period, stations: Sequence[str], tracks: Sequence[str], attributes: Sequence[str]
    ) -> Iterator[list[Item]]:
        """The items of the plays that began in a period, page by page."""
        selection = Selection(period, stations, tracks)
        with self._opened(PLAYS, period) as engine:
            yield from batched(items(engine, PLAYS, attributes, selection.condition), _ITEMS_OF_A_PAGE)

    @contextmanager
    def added(self, selection: Selection, progress: Progress) -> Iterator[Statements]:
        """An engine that has the plays of the period's months in its table ``plays``."""
        with self._opened(PLAYS, selection.period) as engine:
            months = months_of(selection.period)
            progress(sum(file.rows for file in self.manifest.files_of(PLAYS.name, months)))
            yield engine

    def failures(self, period: Period, stations: Sequence[str], tracks: Sequence[str]) -> dict[str, int]:
        """Conversions that failed in a period, by reason code, the most frequent first."""
        condition = f"failed_at_us BETWEEN {clock.us(period.since)} AND {clock.us(period.until) - 1}"
        attributes = ["reason_code", *(["match"] if stations or tracks else [])]
        with self._opened(FAILURES, period) as engine:
            failed = items(engine, FAILURES, attributes, condition)
            counts = Counter(item["reason_code"]["S"] for item in failed if is_of(item, stations, tracks))
        return dict(Counter(in_order(counts)).most_common())

    @contextmanager
    def _opened(self, table: ExportTable, period: Period) -> Iterator[Statements]:
        if self.athena:
            yield self.athena
            return
        with open_export(self.name, [table], months_of(period), self.session) as opened:
            yield opened.engine

"""What a source of plays offers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

from playlog.domain.match import Item

from playlog_cli.exporting.by_athena.athena import Athena
from playlog_cli.exporting.engine import Statements
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.sums.sql import Selection

# Progress callback: receives the number of plays just read.
Progress: TypeAlias = Callable[[int], None]


class Source(Protocol):
    """Plays and failures of a stack."""

    @property
    def stack(self) -> str:
        """The name of the stack."""

    @property
    def region(self) -> str:
        """Where the stack is."""

    @property
    def athena(self) -> Athena | None:
        """Athena, if it answers."""

    @property
    def export_sha256(self) -> str | None:
        """The SHA-256 of the manifest of the export; None for tables, which change."""

    def notes(self, selection: Selection) -> Sequence[str]:
        """Sentences on how the plays were read, which a report shows."""

    def pages(
        self, period: Period, stations: Sequence[str], tracks: Sequence[str], attributes: Sequence[str]
    ) -> Iterator[list[Item]]:
        """The items of the plays that began in a period, page by page. With tracks, those of other stations too.

        Args:
            period: which.
            stations: of which alone, all different; none for all.
            tracks: of which alone, all different; none for all.
            attributes: names of the attributes to read.
        """

    def added(self, selection: Selection, progress: Progress) -> AbstractContextManager[Statements]:
        """An engine that has the selected plays, and perhaps others, in its table ``plays``.

        Args:
            selection: which plays.
            progress: progress callback.
        """

    def failures(self, period: Period, stations: Sequence[str], tracks: Sequence[str]) -> dict[str, int]:
        """Conversions that failed in a period, by reason code, the most frequent first.

        Args:
            period: in which they failed.
            stations: of whose matches alone; none for all.
            tracks: of whose matches alone; none for all.
        """

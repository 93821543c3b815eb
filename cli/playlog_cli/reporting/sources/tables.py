"""Plays from the tables of a stack."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from playlog.domain.match import Item

from playlog_cli.exporting.columns import PLAYS
from playlog_cli.exporting.engine import Engine, open_engine
from playlog_cli.exporting.opened import create_view
from playlog_cli.exporting.parts import write_parts
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.plays import ATTRIBUTES, SLACK, failures_of, play_pages
from playlog_cli.reporting.sources.source import Progress
from playlog_cli.reporting.sums.sql import Selection
from playlog_cli.stacks.stack import Stack


@dataclass(frozen=True)
class Tables:
    """The tables of a stack, as they are now.

    Attributes:
        of_stack: whose.
    """

    of_stack: Stack

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return self.of_stack.name

    @property
    def region(self) -> str:
        """Where the stack is."""
        return self.of_stack.session.region_name

    @property
    def athena(self) -> None:
        """DuckDB answers for tables."""
        return

    @property
    def export_sha256(self) -> None:
        """Tables change."""
        return

    def notes(self, selection: Selection) -> Sequence[str]:
        """Sentences on how the plays were read."""
        if selection.tracks:
            return ["Read from an index of tracks, which may lack plays of the last few seconds."]
        if selection.stations:
            return [
                f"Plays were read up to {SLACK.days} days past the period: a match that came late can move the "
                "beginning of a play to an earlier time, and its key stays."
            ]
        return []

    def pages(
        self, period: Period, stations: Sequence[str], tracks: Sequence[str], attributes: Sequence[str]
    ) -> Iterator[list[Item]]:
        """The items of the plays that began in a period, page by page. With tracks, those of other stations too."""
        return play_pages(self.of_stack, period, stations, tracks, attributes)

    @contextmanager
    def added(self, selection: Selection, progress: Progress) -> Iterator[Engine]:
        """An engine that has the selected plays in its table ``plays``."""
        with open_engine() as engine:
            files = []
            for paths in write_parts(engine, PLAYS, self._counted(selection, progress), engine.scratch / "parquet"):
                files += paths
            create_view(engine, PLAYS, files)
            yield engine

    def _counted(self, selection: Selection, progress: Progress) -> Iterator[list[Item]]:
        for page in self.pages(selection.period, selection.stations, selection.tracks, ATTRIBUTES):
            progress(len(page))
            yield page

    def failures(self, period: Period, stations: Sequence[str], tracks: Sequence[str]) -> dict[str, int]:
        """Conversions that failed in a period, by reason code, the most frequent first."""
        return failures_of(self.of_stack, period, stations, tracks)

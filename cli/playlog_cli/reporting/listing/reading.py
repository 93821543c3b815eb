"""Read the plays of a period for a list."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.listing.listed_play import ATTRIBUTES, ListedPlay, listed_play_of
from playlog_cli.reporting.sources.source import Progress, Source


@dataclass(frozen=True, slots=True)
class Choice:
    """Which plays of a period are listed. An empty tuple stands for all, and so does None.

    Attributes:
        stations: of these alone, all different.
        tracks: of these alone, all different.
        sources: of these alone, like ``Radio``.
        flagged: whether the plays are flagged.
        active: False for the plays that were withdrawn.
    """

    stations: tuple[str, ...] = ()
    tracks: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    flagged: bool | None = None
    active: bool = True

    @property
    def as_json(self) -> dict[str, object]:
        """What a manifest says of it."""
        return asdict(self)

    def includes(self, play: ListedPlay) -> bool:
        """Whether a play is listed."""
        return (
            play.active is self.active
            and (self.flagged is None or play.flagged is self.flagged)
            and (not self.sources or play.source in self.sources)
            and (not self.stations or play.station_id in self.stations)
            and (not self.tracks or play.track_id in self.tracks)
        )


def read_plays(source: Source, period: Period, choice: Choice, progress: Progress) -> Iterator[ListedPlay]:
    """The plays of a period, each one once, in no order: a page of them in memory at a time.

    Args:
        source: where from.
        period: in which they began.
        choice: which of them.
        progress: progress callback.

    Raises:
        CommandError: a play cannot be read: with its key, and with what is wrong.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    for page in source.pages(period, choice.stations, choice.tracks, ATTRIBUTES):
        progress(len(page))
        yield from filter(choice.includes, map(listed_play_of, page))


def read_all(source: Source, period: Period, stations: tuple[str, ...], progress: Progress) -> Iterator[ListedPlay]:
    """All plays of a period, also those that were withdrawn, each one once, in no order.

    Args:
        source: where from.
        period: in which they began.
        stations: of which alone, all different; none for all.
        progress: progress callback.

    Raises:
        CommandError: a play cannot be read: with its key, and with what is wrong.
        BotoCoreError, ClientError: AWS cannot be reached or refuses a call.
    """
    for page in source.pages(period, stations, (), ATTRIBUTES):
        progress(len(page))
        yield from map(listed_play_of, page)

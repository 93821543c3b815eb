"""How long a row lasted by the next row of its station. Pure."""

from datetime import timedelta

from playlog_cli.loading.formats.reading.draft import Draft


class UntilNext:
    """Gives each row the time to the next row of its station as its duration.

    Rows may be in ascending or in descending order. A skipped row, such as a jingle, ends the row before it as well. A
    row after which nobody knows when the next one began gets no duration, and the line that is in doubt.

    Args:
        at_most: the longest duration, in seconds; None leaves rows as they are.
    """

    def __init__(self, at_most: int | None) -> None:
        self._at_most = None if at_most is None else timedelta(seconds=at_most)
        self._last: dict[str, Draft] = {}

    def add(self, draft: Draft) -> list[Draft]:
        """Takes a row with its instant. Returns the row before it on its station, whichever of the two is earlier."""
        if self._at_most is None:
            return [draft]
        before = self._last.get(draft.station)
        self._last[draft.station] = draft
        if before is None:
            return []
        span = abs(draft.at - before.at)
        if span:
            draft.step = 1 if before.at < draft.at else -1
            earlier, later = (before, draft) if before.at < draft.at else (draft, before)
            earlier.is_longest = span > self._at_most and (earlier.until_next is None or earlier.is_longest)
            earlier.until_next = min(span, self._at_most, earlier.until_next or span)
            is_doubtful = later.is_doubtful and span <= self._at_most
            earlier.unknown_end = before.unknown_after or (later.line if is_doubtful else earlier.unknown_end)
        return [before]

    def finish(self) -> list[Draft]:
        """The last row of each station. In ascending order, nothing says how long it lasted."""
        return list(self._last.values())

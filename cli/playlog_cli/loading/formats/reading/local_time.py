"""From local times to instants, with a rule for the hour that a clock skips and the hour that it shows twice. Pure.

In spring the clock skips an hour: a time in it is a mistake. In autumn it shows an hour twice. The order of the rows
decides which one is meant where times go back once within that hour: before that it is the first, then the second.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from playlog_cli.errors import shown
from playlog_cli.loading.files.row import BadLogRow, SkippedRow
from playlog_cli.loading.formats.model import Ambiguous
from playlog_cli.loading.formats.reading.draft import Draft

MOST_HELD = 50_000  # rows of one station in an hour that the clock shows twice: this bounds the memory
_ONE_CHANGE = timedelta(hours=12)  # two rows further apart are of two changes of the clock
# An end without a date that is further from the start is a mistake: 08:04:58 after 08:05:00 is not the next day's.
LONGEST_TO_CLOCK = timedelta(hours=12)


@dataclass(slots=True)
class _Station:
    """Rows of a station in the hour that is shown twice, until a row after it comes.

    Attributes:
        before: local time of the last row that is not in such an hour.
        held: the rows in it.
    """

    before: datetime | None = None
    held: list[Draft] = field(default_factory=list)


class LocalTimes:
    """Gives each row its instant.

    Args:
        zone: of local times; None if the rows have offsets.
        ambiguous: what a time is that the clock shows twice, where the order of the rows does not decide it.
    """

    def __init__(self, zone: ZoneInfo | None, ambiguous: Ambiguous) -> None:
        self._zone = zone
        self._ambiguous = ambiguous
        self._stations: dict[str, _Station] = {}

    def add(self, draft: Draft) -> list[Draft | BadLogRow | SkippedRow]:
        """Takes a row. Returns the rows whose instants are known now."""
        try:
            return self._add(draft)
        except OverflowError:
            return [_bad(draft, "lies before year 1 or after year 9999 in UTC: is its format right?")]

    def _add(self, draft: Draft) -> list[Draft | BadLogRow | SkippedRow]:
        local = draft.at
        if local.tzinfo is not None:
            draft.at = local.astimezone(UTC)
            return [draft]
        if self._zone is None:
            return [_bad(draft, "has no offset: name its zone with --time-zone, or as time_zone in the log format")]
        first, second = _offsets(local, self._zone)
        if first < second:
            skipped = draft.refused(
                _problem(draft, f"is an hour that the clock skips in {self._zone.key}: is time_zone right?")
            )
            return [replace(skipped, at=(local - first).replace(tzinfo=UTC), is_doubtful=True)]
        station = self._stations.setdefault(draft.station, _Station())
        held = station.held
        if first > second:
            is_full = held and (abs(local - held[-1].at) > _ONE_CHANGE or len(held) >= MOST_HELD)
            decided = self._decide(station, None) if is_full else []
            station.held.append(draft)
            return decided
        draft.at = (local - first).replace(tzinfo=UTC)  # before the others leave: it may be out of range
        decided = self._decide(station, local) if held else []
        station.before = local
        return [*decided, draft]

    def finish(self) -> list[Draft | BadLogRow | SkippedRow]:
        """The rows that wait for a row after them."""
        return [draft for station in self._stations.values() for draft in self._decide(station, None)]

    def _decide(self, station: _Station, after: datetime | None) -> list[Draft | BadLogRow | SkippedRow]:
        assert self._zone is not None
        held, station.held = station.held, []
        if not held:
            return []
        decided: list[Draft | BadLogRow | SkippedRow] = []
        folds = folds_of([draft.at for draft in held], station.before, after)
        for number, draft in enumerate(held):
            found = draft
            if folds:
                fold = folds[number]
            elif self._ambiguous is Ambiguous.ERROR:
                problem = (
                    f"is an hour that the clock shows twice in {self._zone.key}, and the order of the rows does not "
                    'decide which: set ambiguous = "earlier" or "later" in the log format'
                )
                fold, found = 0, replace(draft.refused(_problem(draft, problem)), is_doubtful=True)
            else:
                fold = int(self._ambiguous is Ambiguous.LATER)
            decided.append(replace(found, at=draft.at.replace(tzinfo=self._zone, fold=fold).astimezone(UTC)))
        return decided


def folds_of(times: list[datetime], before: datetime | None, after: datetime | None) -> list[int] | None:
    """Which of the two hours each of a station's times is in, if the order of the rows decides it.

    Args:
        times: local times in an hour that is shown twice, in the order of the rows.
        before: local time of the row before them, if there is one.
        after: local time of the row after them, if there is one.

    Returns:
        0 for the first hour and 1 for the second, for each time; None if the order does not decide it.
    """
    back = [number for number in range(1, len(times)) if times[number] < times[number - 1]]
    forth = [number for number in range(1, len(times)) if times[number] > times[number - 1]]
    readings = []
    if len(back) <= 1 and (before is None or before < times[0]) and (after is None or after > times[-1]):
        readings.append((back, 0))
    if len(forth) <= 1 and (before is None or before > times[0]) and (after is None or after < times[-1]):
        readings.append((forth, 1))
    if len(readings) != 1 or not readings[0][0]:
        return None
    (step,), first = readings[0]
    return [first if number < step else 1 - first for number in range(len(times))]


def end_instant(start: datetime, end: datetime | time, zone: ZoneInfo | None) -> datetime | None:
    """The first instant from a start on that an end may be.

    Args:
        start: instant in UTC.
        end: instant, local time, or time of the day, which is on the day of the start or on the next.
        zone: of local times.

    Returns:
        The instant in UTC; None if there is none, because the end lies before the start, a time of the day lies more
        than ``LONGEST_TO_CLOCK`` after it, the clock skips it, it is outside of the years 1 to 9999 in UTC, or a local
        time has no zone.
    """
    try:
        if isinstance(end, time):
            day = datetime.combine(start.astimezone(zone).date(), end)
            ends = [day, day + timedelta(days=1)] if zone else []
        else:
            ends = [end]
        instants = [instant for each in ends for instant in _instants(each, zone)]
    except OverflowError:  # outside of the years 1 to 9999
        return None
    found = next((instant for instant in instants if instant >= start), None)
    return None if found and isinstance(end, time) and found - start > LONGEST_TO_CLOCK else found


def _instants(local: datetime, zone: ZoneInfo | None) -> list[datetime]:
    """The instants at which the clock shows a time: none, one, or two of them."""
    if local.tzinfo is not None:
        return [local.astimezone(UTC)]
    if zone is None:
        return []
    first, second = _offsets(local, zone)
    return [(local - offset).replace(tzinfo=UTC) for offset in (first, second)] if first >= second else []


def _offsets(local: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """The offsets of the first and of the second time that the clock shows this; a skipped time has the lower first."""
    first, second = zone.utcoffset(local), zone.utcoffset(local.replace(fold=1))
    assert first is not None
    assert second is not None
    return first, second


def _bad(draft: Draft, problem: str) -> BadLogRow | SkippedRow:
    return draft.refused(_problem(draft, problem)).left_out()


def _problem(draft: Draft, problem: str) -> str:
    return f"matched_at is {shown(draft.at.isoformat(' '))}, which {problem}"

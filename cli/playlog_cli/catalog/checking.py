"""Check a catalog against the plays of a period: what is missing or contradicts itself, by what it costs. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import WHOLE, days_of_change, part_in_words, shares_on
from playlog_cli.loading.isrc import normalise
from playlog_cli.lookalikes import lookalikes

ZERO = Decimal(0)


class Problem(StrEnum):
    """What may be wrong with a catalog."""

    NO_ENTRY = "not in the catalog"
    NO_TITLE = "no title"
    NO_ARTIST = "no artist"
    NO_ISRC = "no ISRC"
    INVALID_ISRC = "invalid ISRC"
    TWO_TITLES = "one ISRC with different titles"
    TWO_IDS = "several ids with one ISRC"
    LOOKALIKES = "ids that differ only in spaces, case or Unicode form"
    NO_PAYEE = "no payee"
    NOT_WHOLE = "shares do not add up to 100 %"


@dataclass(frozen=True, slots=True)
class Played:
    """What the plays of a track add up to in the period.

    Attributes:
        plays: how many.
        amount: what they come to; 0 without a rate card.
    """

    plays: int
    amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of one track, or of several that have it together.

    Attributes:
        problem: which.
        tracks: the tracks, sorted.
        detail: the value that is wrong; empty if it is missing.
        plays: plays of these tracks in the period.
        amount: what these plays come to.
    """

    problem: Problem
    tracks: tuple[str, ...]
    detail: str
    plays: int
    amount: Decimal


def check(catalog: Catalog, played: Mapping[str, Played], start: date, end: date) -> list[Finding]:
    """The problems of the tracks that were played, by problem, and those that cost most first.

    Args:
        catalog: which.
        played: what the plays of each track add up to.
        start: the first day of the period.
        end: the day after the last one.
    """
    found = [
        _finding(problem, [track_id], detail, played)
        for track_id in played
        for problem, detail in _of_track(catalog.entries.get(track_id), start, end)
    ]
    found += [_finding(problem, tracks, isrc, played) for problem, isrc, tracks in _of_isrcs(catalog, played)]
    found += [
        _finding(Problem.LOOKALIKES, group, " and ".join(map(repr, group)), played)
        for group in lookalikes([*catalog.entries, *played])
        if not played.keys().isdisjoint(group)
    ]
    order = list(Problem)
    return sorted(found, key=lambda each: (order.index(each.problem), -each.amount, -each.plays, each.tracks))


def _finding(problem: Problem, tracks: Sequence[str], detail: str, played: Mapping[str, Played]) -> Finding:
    sums = [played[track_id] for track_id in tracks if track_id in played]
    amount = sum((each.amount for each in sums), ZERO)
    return Finding(problem, tuple(sorted(tracks)), detail, sum(each.plays for each in sums), amount)


def _of_track(entry: Entry | None, start: date, end: date) -> Iterator[tuple[Problem, str]]:
    if entry is None:
        yield Problem.NO_ENTRY, ""
        return
    if not entry.title:
        yield Problem.NO_TITLE, ""
    if not entry.artist:
        yield Problem.NO_ARTIST, ""
    if not entry.isrc:
        yield Problem.NO_ISRC, ""
    elif normalise(entry.isrc) is None:
        yield Problem.INVALID_ISRC, entry.isrc
    for day in [start, *(day for day in days_of_change(entry.shares) if start < day < end)]:
        valid = shares_on(entry.shares, day)
        part = sum((share.part for share in valid), 0 * WHOLE)
        since = "" if day == start else f" from {day} on"
        if not valid:
            yield Problem.NO_PAYEE, since.strip()
        elif part != WHOLE:
            yield Problem.NOT_WHOLE, f"{part_in_words(part)}{since}"


def _of_isrcs(catalog: Catalog, played: Mapping[str, Played]) -> Iterator[tuple[Problem, str, list[str]]]:
    """ISRCs that several tracks have, of which one was played."""
    by_isrc: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in catalog.entries.values():
        if entry.isrc:
            by_isrc[entry.isrc].append(entry)
    for isrc, entries in by_isrc.items():
        if len(entries) > 1 and any(entry.track_id in played for entry in entries):
            titles = {" ".join(entry.title.casefold().split()) for entry in entries}
            problem = Problem.TWO_TITLES if len(titles) > 1 else Problem.TWO_IDS
            yield problem, isrc, [entry.track_id for entry in entries]

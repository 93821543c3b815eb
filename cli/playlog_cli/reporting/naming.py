"""Names in a report: lines by artist, album, label and payee, made from lines by track. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum

from playlog_cli.catalog.entry import Catalog, Entry
from playlog_cli.catalog.shares import Share
from playlog_cli.reporting.figures import By, Figures, Line, total
from playlog_cli.reporting.rate_card import Rule


class Key(StrEnum):
    """What the lines of a report are grouped by. The catalog makes the last four from the track."""

    TRACK = "track"
    STATION = "station"
    DAY = "day"
    HOUR = "hour"
    ARTIST = "artist"
    ALBUM = "album"
    LABEL = "label"
    PAYEE = "payee"

    @property
    def is_name(self) -> bool:
        """Whether a catalog is needed."""
        return self in (Key.ARTIST, Key.ALBUM, Key.LABEL, Key.PAYEE)


def keys_to_read(by: Sequence[Key]) -> tuple[By, ...]:
    """What plays are grouped by so that ``by_names`` can group them further: the track in place of a name."""
    return tuple(dict.fromkeys(By.TRACK if each.is_name else By(each) for each in by))


def by_names(figures: Figures, by: Sequence[Key], catalog: Catalog) -> Figures:
    """Groups the lines of a report by names.

    Each play remains in exactly one line. A line is rounded once, from its exact amount.

    Args:
        figures: by ``keys_to_read(by)``.
        by: what to group by.
        catalog: the names of the tracks.
    """
    by = tuple(dict.fromkeys(by))
    if by == tuple(figures.by):
        return figures
    groups: defaultdict[tuple[tuple[str, ...], Rule | None], list[Line]] = defaultdict(list)
    for line in figures.lines:
        parts = dict(zip(map(str, figures.by), line.key, strict=True))
        entry = catalog.entry(parts.get(Key.TRACK, ""))
        key = tuple(_name(each, entry, figures) if each.is_name else parts[each] for each in by)
        groups[key, line.rule].append(line)
    lines = [_merged(key, rule, of_group, figures) for (key, rule), of_group in groups.items()]
    return replace(figures, by=by, lines=_in_order(lines, by, figures))


def payees_of(shares: Sequence[Share], start: date, end: date) -> str:
    """Who is paid for a track in a period, as one text; ``no payee`` if nobody is.

    Args:
        shares: of the track.
        start: the first day.
        end: the day after the last one.
    """
    last = end - timedelta(days=1)
    valid = [
        share
        for share in shares
        if (share.since is None or share.since <= last) and (share.until is None or share.until >= start)
    ]
    return " + ".join(sorted({share.payee for share in valid})) or f"no {Key.PAYEE}"


def title_and_artist(entry: Entry) -> str:
    """A track in one text: title and artist, as far as the catalog has them, else its id."""
    return " · ".join(filter(None, (entry.title, entry.artist))) or entry.track_id


def _name(by: Key, entry: Entry, figures: Figures) -> str:
    match by:
        case Key.ARTIST:
            name = entry.artist
        case Key.ALBUM:
            name = entry.album
        case Key.LABEL:
            name = entry.label
        case _:
            name = payees_of(entry.shares, figures.period.start, figures.period.end)
    return name or f"no {by}"


def _merged(key: tuple[str, ...], rule: Rule | None, lines: Sequence[Line], figures: Figures) -> Line:
    sums = total(lines)
    return Line(
        key=key,
        rule=rule,
        plays=sums.plays,
        matches=sums.matches,
        seconds=sums.seconds,
        flagged=sums.flagged,
        exact=sums.exact,
        amount=figures.card.rounded(sums.exact) if figures.card else sums.amount,
    )


def _in_order(lines: Sequence[Line], by: Sequence[Key], figures: Figures) -> tuple[Line, ...]:
    """By station, day and hour; then those with the most plays first; a key's lines in the order of the card."""
    plays: Counter[tuple[str, ...]] = Counter()
    for line in lines:
        plays[line.key] += line.plays
    rules = figures.card.rules if figures.card else ()
    order: dict[Rule | None, int] = {rule: number for number, rule in enumerate(rules)}
    of_time = [number for number, each in enumerate(by) if not each.is_name and each is not Key.TRACK]

    def place(line: Line) -> tuple[object, ...]:
        first = tuple(line.key[number] for number in of_time)
        return first, -plays[line.key], line.key, order.get(line.rule, len(order))

    return tuple(sorted(lines, key=place))

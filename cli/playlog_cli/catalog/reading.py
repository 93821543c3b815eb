"""Read a catalog, and a file of shares."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from pathlib import Path

from playlog_cli.catalog.entry import NAMES, Catalog, Entry
from playlog_cli.catalog.shares import WHOLE, Share, ShareError, check_shares, parse_part, parse_shares
from playlog_cli.errors import CommandError, shown
from playlog_cli.loading.isrc import normalise
from playlog_cli.tabular.reading import TableError, TableRow, read_table

_PAID = ("payee", "shares")


def load_catalog(path: Path, shares: Path | None = None) -> Catalog:
    """Reads a catalog.

    Args:
        path: CSV, JSON Lines or XLSX with a column ``track_id``.
        shares: a file with the shares of some tracks. A track that it names has only the shares of this file.

    Raises:
        CommandError: a file cannot be read or is wrong: with the row, and with what would be right.
    """
    entries: dict[str, Entry] = {}
    for row in read_table("--catalog", path, ["track_id"]):
        try:
            entry = _entry(row)
        except (ShareError, TableError) as error:
            raise CommandError(f"--catalog {path}: row {row.number}: {error}") from None
        if entry.track_id in entries:
            raise CommandError(
                f"--catalog {path}: row {row.number}: track_id {shown(entry.track_id)} was there before: "
                "each track needs one row"
            )
        entries[entry.track_id] = entry
    for track_id, of_track in (load_shares(shares) if shares else {}).items():
        entries[track_id] = replace(entries.get(track_id) or Entry(track_id), shares=of_track)
    return Catalog(entries.values())


def load_shares(path: Path) -> dict[str, tuple[Share, ...]]:
    """Reads the shares of tracks: a row for each share.

    Args:
        path: CSV, JSON Lines or XLSX with the columns ``track_id``, ``payee``, ``share``, and perhaps ``role``,
            ``valid_from`` and ``valid_to`` (the first and the last day).

    Raises:
        CommandError: it cannot be read or is wrong: with the row, and with what would be right.
    """
    shares: defaultdict[str, list[Share]] = defaultdict(list)
    for row in read_table("--shares", path, ["track_id", "payee", "share"]):
        try:
            of_track = shares[_required(row, "track_id")]
            of_track.append(_share(row))
            check_shares(of_track)
        except (ShareError, TableError) as error:
            raise CommandError(f"--shares {path}: row {row.number}: {error}") from None
    return {track_id: tuple(of_track) for track_id, of_track in shares.items()}


def _entry(row: TableRow) -> Entry:
    cells = row.cells
    isrc = cells.get("isrc", "")
    if "payee" in cells and "shares" in cells:
        raise TableError("payee and shares both say who is paid: fill in one of them")
    shares = (Share(cells["payee"], WHOLE),) if "payee" in cells else parse_shares(cells.get("shares", ""))
    check_shares(shares)
    return Entry(
        track_id=_required(row, "track_id"),
        **{name: cells.get(name, "") for name in NAMES if name != "isrc"},
        isrc=normalise(isrc) or isrc,
        shares=shares,
        more={name: cell for name, cell in cells.items() if name not in (*NAMES, *_PAID, "track_id")},
    )


def _share(row: TableRow) -> Share:
    return Share(
        payee=_required(row, "payee"),
        part=parse_part(_required(row, "share")),
        role=row.cells.get("role", ""),
        since=_day(row, "valid_from"),
        until=_day(row, "valid_to"),
    )


def _required(row: TableRow, name: str) -> str:
    if name not in row.cells:
        raise TableError(f"{name} is missing")
    return row.cells[name]


def _day(row: TableRow, name: str) -> date | None:
    text = row.cells.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise TableError(f"{name} is {shown(text)}: it must be a date like 2026-03-01") from None

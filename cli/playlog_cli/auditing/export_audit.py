"""Audit an export: SQL finds what may contradict the invariants, and ``invariants`` decides. One look is enough."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from itertools import groupby
from typing import Any, NamedTuple, Self

from playlog.domain import timestamps
from playlog.domain.match import Item
from playlog.domain.play import PlayKey
from playlog.schema import Attribute

from playlog_cli.auditing import sql
from playlog_cli.auditing.account import Account
from playlog_cli.auditing.audit import Audit
from playlog_cli.auditing.invariants import Kind, Violation, check_match, check_play
from playlog_cli.auditing.items import State, airing_of, attempts, key_of, match_count, play_key, text
from playlog_cli.exporting.columns import FAILURES, MATCHES, PLAYS
from playlog_cli.exporting.engine import Engine, Statements, literal
from playlog_cli.exporting.items import item_of
from playlog_cli.exporting.manifest import Manifest


class Violations:
    """Violations on the disk, in the order of an audit. They can be read several times.

    Args:
        engine: sorts them. It must stay open as long as they are read.
        found: the violations, in any order. One that is found twice counts once.
    """

    def __init__(self, engine: Engine, found: Iterator[Violation]) -> None:
        self._engine = engine
        path = engine.scratch / "violations.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(each)) + "\n" for each in found)
        columns = ", ".join(f"'{name}': '{'HUGEINT' if name == 'attempt' else 'VARCHAR'}'" for name in _NAMES)
        self._engine.connection.execute(f"""
            CREATE OR REPLACE TABLE violations AS
            SELECT DISTINCT *
            FROM read_json({literal(str(path))}, format = 'newline_delimited', columns = {{{columns}}})
        """)
        ((self._count,),) = self._engine.connection.execute("SELECT COUNT(*) FROM violations").fetchall()
        path.unlink()

    def __len__(self) -> int:
        return int(self._count)

    def __iter__(self) -> Iterator[Violation]:
        kinds = " ".join(f"WHEN '{kind}' THEN {number}" for number, kind in enumerate(Kind))
        order = f"CASE kind {kinds} END, sentence"
        for kind, *values in self._engine.rows(f"SELECT {', '.join(_NAMES)} FROM violations ORDER BY {order}"):
            yield Violation(Kind(kind), *values)

    def __contains__(self, violation: object) -> bool:
        return any(each == violation for each in self)


_NAMES = tuple(field.name for field in fields(Violation))


def audit_export(engine: Engine, statements: Statements, manifest: Manifest) -> Audit:
    """Checks the invariants on an export.

    Args:
        engine: sorts the violations.
        statements: answers SQL on the tables of the export: the same engine, or Athena.
        manifest: of the export.

    Returns:
        An audit without queues. Its violations are readable as long as the engine is open.

    Raises:
        CommandError: the disk is full, or a file cannot be read.
    """
    shards = manifest.unprocessed_shards
    counts = {State(name): int(count) for name, count in statements.rows(sql.states(shards))}
    return Audit(
        stack=manifest.stack,
        region=manifest.region,
        matches=manifest.rows(MATCHES.name),
        waiting=counts.get(State.WAITING, 0),
        played=counts.get(State.PLAYED, 0),
        failed=counts.get(State.FAILED, 0),
        stranded=counts.get(State.STRANDED, 0),
        in_two_states=counts.get(State.IN_TWO_STATES, 0),
        plays=manifest.rows(PLAYS.name),
        failures=manifest.rows(FAILURES.name),
        dead_letters=None,
        parking_lot=None,
        violations=Violations(engine, _violations(statements, shards, read_until(manifest))),
        undecided=(),
    )


def read_until(manifest: Manifest) -> float:
    """When the last match was read, in epoch seconds: what expired later is in the export."""
    return timestamps.from_text(manifest.instant or manifest.ended_at).timestamp()


def sources_note(manifest: Manifest) -> str:
    """A sentence on what was audited."""
    if manifest.instant:
        return f"This is an export of all tables as of {manifest.instant}."
    return (
        f"This export was read by a scan from {manifest.began_at} on, and is no snapshot: a violation may be work that "
        "was in flight. `playlog audit` without --export looks twice."
    )


def _violations(engine: Statements, shards: int, now: float) -> Iterator[Violation]:
    for _, rows in groupby(engine.rows(sql.matches(shards)), key=lambda row: row[0]):
        yield from _of_match([_Split(row).match() for row in rows], shards)
    for _, rows in groupby(engine.rows(sql.plays(now, engine.brief)), key=lambda row: row[0]):
        yield from _of_plays(rows, shards, now)


def _of_match(rows: Sequence[tuple[Item, bool, Item | None]], shards: int) -> list[Violation]:
    match, has_play, _ = rows[0]
    record = _last_record(match, [record for _, _, record in rows])
    return check_match(match, {} if has_play else None, record, shards)


def _of_plays(rows: Iterator[Sequence[Any]], shards: int, now: float) -> Iterator[Violation]:
    """Violations of the plays and matches for whose key the same value stands: mostly those of one play."""
    plays: dict[PlayKey, tuple[Item, Item | None, Account]] = {}
    orphans: dict[str, tuple[Item, list[Item | None]]] = {}
    for match_id, of_match in groupby(map(_Suspect.of_row, rows), key=lambda each: each.match_id):
        suspects = list(of_match)  # one for each play and each record
        for play, creator, _, _ in suspects:
            if play is not None and key_of(play) not in plays:
                account = Account(match_count(play), creator=text(play, "match_id"), says=airing_of(play))
                plays[key_of(play)] = play, creator, account
        match = suspects[0].match
        if match is not None and match_id is not None:
            named = play_key(match)
            if named in plays:
                plays[named][2].add(match)
            else:
                orphans[match_id] = match, [each.record for each in suspects]
    for key, (play, creator, account) in plays.items():
        yield from check_play(key, account, play, creator, now) or []
    for match, records in orphans.values():
        yield from check_match(match, None, _last_record(match, records), shards)


def _last_record(match: Item, records: Sequence[Item | None]) -> Item | None:
    """The record of the last attempt of a match, among those that may be it."""
    wanted = str(attempts(match))
    return next((each for each in records if each is not None and each["attempt"]["N"] == wanted), None)


class _Suspect(NamedTuple):
    """A row on a play that may contradict its matches, or on a match that may name no play.

    Attributes:
        play: one of its key; None if there is none.
        creator: the match that the play says created it; None if it is not there.
        match: one that names a play of this key; None if there is none.
        record: one of the match.
    """

    play: Item | None
    creator: Item | None
    match: Item | None
    record: Item | None

    @property
    def match_id(self) -> str | None:
        """Of the match."""
        return None if self.match is None else self.match["match_id"]["S"]

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Self:
        """A row of ``sql.plays``."""
        split = _Split(row[1:])
        return cls(*map(split.item, (sql.PLAY_COLUMNS, sql.MATCH_COLUMNS, sql.MATCH_COLUMNS, sql.RECORD_COLUMNS)))


class _Split:
    """Takes items from the values of a row, from left to right."""

    def __init__(self, row: Sequence[Any]) -> None:
        self._row = row
        self._next = 0

    def item(self, attributes: Sequence[Attribute]) -> Item | None:
        """The next item; None if all its values are NULL."""
        values = self._row[self._next : self._next + len(attributes) + 1]
        self._next += len(values)
        return item_of(attributes, values) or None

    def match(self) -> tuple[Item, bool, Item | None]:
        """A match, whether its play exists, and a record."""
        match = self.item(sql.MATCH_COLUMNS)
        assert match is not None  # the key of each row
        has_play = bool(self._row[self._next])
        self._next += 1
        return match, has_play, self.item(sql.RECORD_COLUMNS)

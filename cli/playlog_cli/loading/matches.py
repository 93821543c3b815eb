"""From a row to a match as MatchCache holds it, or to what is wrong with the row.

A row is bad only if MatchCache or its index cannot hold it, or if it would violate an invariant. Any other defect is
loaded: the converter finds and records it, and a match that was left out would leave no trace.
"""

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from decimal import Context, Decimal, InvalidOperation, Overflow
from functools import lru_cache
from typing import Any, Self

from playlog.domain.match import Item
from playlog.domain.shards import shard_of
from playlog.dynamodb.limits import PARTITION_KEY_BYTES, SORT_KEY_BYTES, item_bytes
from playlog.schema import VALIDATED_TYPES

from playlog_cli.errors import CommandError, shown
from playlog_cli.loading.files.csv_rows import NULL_MARKERS
from playlog_cli.loading.files.row import Number, Row, Value
from playlog_cli.loading.isrc import normalise

MATCH_BYTES = 350 * 1024  # docs/contract.md: the rest of an item's 400 KB is for what playlog adds

# Amazon DynamoDB Developer Guide, "Quotas in Amazon DynamoDB".
NESTING_LEVELS = 32
NUMBER_DIGITS = 38
NUMBER_EXPONENTS = range(-130, 126)

_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_CONTEXT = Context(prec=NUMBER_DIGITS)
_IDS = ("match_id", "station_id", "track_id", "station_program_id")
_WRITTEN_BY_PLAYLOG = ("processed_at", "play_id", "failed_reason")


class RowError(Exception):
    """What is wrong with which value of a row, and what would be right."""


class Seen:
    """What a file has held so far.

    It lies in a temporary database on the disk, which SQLite removes when it is closed, so that memory stays the same
    however long the file is.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._execute("PRAGMA journal_mode = OFF")
        self._execute("CREATE TABLE contents (digest BLOB PRIMARY KEY, times INTEGER) WITHOUT ROWID")
        self._execute("CREATE TABLE matches (id TEXT PRIMARY KEY, digest BLOB, line INTEGER) WITHOUT ROWID")
        self._execute("BEGIN")  # one transaction, never committed: a commit for each row would cost more

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def occurrence(self, digest: bytes) -> int:
        """How many rows of this content there have been, this one included."""
        # Most rows are the first: an insert that returns nothing takes half the time of one that returns the number.
        if self._execute("INSERT OR IGNORE INTO contents VALUES (?, 1)", digest).rowcount:
            return 1
        ((times,),) = self._execute("UPDATE contents SET times = times + 1 WHERE digest = ? RETURNING times", digest)
        return int(times)

    def is_new(self, match_id: str, digest: bytes, line: int) -> bool:
        """Whether this is the first row with this id.

        Raises:
            RowError: a row before it has the id and other content.
        """
        found = self._one("SELECT digest, line FROM matches WHERE id = ?", match_id)
        if not found:
            self._execute("INSERT INTO matches VALUES (?, ?, ?)", match_id, digest, line)
        elif found[0] != digest:
            raise RowError(
                f"match_id is {shown(match_id)}, which line {found[1]} has with other content: "
                "each match needs an id of its own"
            )
        return not found

    def _one(self, query: str, key: str | bytes) -> Any:
        with closing(self._execute(query, key)) as cursor:
            return cursor.fetchone()

    def _execute(self, query: str, *values: str | bytes | int) -> sqlite3.Cursor:
        try:
            return self._database.execute(query, values)
        except sqlite3.Error as error:
            raise CommandError(
                f"the list of rows read so far cannot be kept in the folder for temporary files ({error}): free space "
                "there, or name another folder in TMPDIR, and load the files again, which adds what is missing"
            ) from None


def match_of(row: Row, seen: Seen, shards: int, said: str = "") -> Item | None:
    """Makes the match that a row stands for, as it waits in MatchCache.

    A row without a ``match_id`` gets one from its content and its number among the rows of this content: the same file
    gives the same ids again, and two identical rows are two matches.

    Args:
        row: of the file.
        seen: the rows of this file before it.
        shards: the stack's ``UnprocessedShards``, 1 to 64.
        said: what else the row says, in which two rows of one ``match_id`` may differ.

    Returns:
        The match in DynamoDB's wire format; None if the same match stands in the file before.

    Raises:
        RowError: it cannot be loaded.
    """
    item: Item = {name: _attribute(name, value) for name, value in row.values.items()}
    _check_ids(item)
    _check_state(item)
    _check_key(item, "matched_at", SORT_KEY_BYTES, "it must be a time like 2026-03-14T08:00:00+01:00")
    _check_shard(item, shards)
    identity = row.identity if row.identity and "match_id" not in item else json.dumps(item, sort_keys=True) + said
    digest = hashlib.sha256(identity.encode()).digest()
    if "match_id" in item:
        _check_key(item, "match_id", PARTITION_KEY_BYTES, "it must be text that no other match has, or be left out")
        if not seen.is_new(item["match_id"]["S"], digest, row.line):
            return None
    else:
        start = digest[:16]
        item["match_id"] = {"S": f"{start.hex()}-{seen.occurrence(start)}"}
    # After the digest, so that a file gives the same ids as before these rules.
    _strip_ids(item)
    _normalise_isrc(item)
    item.setdefault("unprocessed_shard", {"S": shard_of(_partitioned_by(item), shards)})
    item["processed"] = {"BOOL": False}
    if (size := item_bytes(item)) > MATCH_BYTES:
        raise RowError(f"the match has {size:,} bytes: it must stay under {MATCH_BYTES:,}")
    return item


def has_invalid_isrc(item: Item) -> bool:
    """Whether the match has an ``isrc`` that is not a valid one."""
    text = item.get("isrc", {}).get("S", "")
    return bool(text.strip()) and normalise(text) is None


@lru_cache(maxsize=4096)  # a file has the same durations and scores again and again
def number(text: str) -> str | None:
    """A decimal number as DynamoDB takes it.

    Returns:
        The number, its value unchanged; None if the text is no number, or one that DynamoDB cannot hold exactly.

    Example:
        >>> number("178"), number("1e500"), number("three minutes")
        ('178', None, None)
    """
    if not _DECIMAL.fullmatch(text.strip()):
        return None
    try:
        value = Decimal(text.strip())
        shortest = value.normalize(_CONTEXT)
    except (InvalidOperation, Overflow):  # an exponent beyond even Decimal's
        return None
    if not value:
        return "0"
    if shortest != value or value.adjusted() not in NUMBER_EXPONENTS:
        return None
    return str(value) if len(value.as_tuple().digits) <= NUMBER_DIGITS else str(shortest)


def _attribute(name: str, value: Value) -> dict[str, Any]:
    if not name:
        raise RowError("an attribute has no name: name it, or leave it out")
    if not name.isascii():
        _utf8(name, name)
    if isinstance(value, str):
        return {"S": value if value.isascii() else _utf8(name, value)}
    if isinstance(value, Number) and VALIDATED_TYPES.get(name) == "N":
        exact = number(value.text)
        return {"S": value.text} if exact is None else {"N": exact}  # the converter records a text as malformed
    return _typed(name, value, 1)


def _typed(name: str, value: Value, level: int) -> dict[str, Any]:
    match value:
        case str():
            return {"S": _utf8(name, value)}
        case Number(text):
            if (exact := number(text)) is None:
                raise RowError(
                    f"{name} holds {shown(text)}: a number must have at most {NUMBER_DIGITS} digits "
                    "and lie within 1E-130 and 9.9E+125"
                )
            return {"N": exact}
        case bool():
            return {"BOOL": value}
        case None:
            return {"NULL": True}
    if level > NESTING_LEVELS:
        raise RowError(f"{name} is nested deeper than {NESTING_LEVELS} levels: DynamoDB takes no more")
    if isinstance(value, list):
        return {"L": [_typed(name, member, level + 1) for member in value]}
    return {"M": {_utf8(name, key): _typed(name, member, level + 1) for key, member in value.items()}}


def _utf8(name: str, text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RowError(f"{shown(name)} holds half a character, {shown(text)}: write \\u escapes in pairs") from None
    return text


def _check_ids(item: Item) -> None:
    for name in _IDS:
        if name in item and (text := item[name].get("S", "")).strip() in NULL_MARKERS:
            raise RowError(
                f"{name} is {shown(text)}, which exports write for no value: leave it out, or write its value"
            )


def _strip_ids(item: Item) -> None:
    """Removes spaces around ids. A blank id remains, so that its failure shows it."""
    for name in _IDS:
        if name in item and (text := item[name].get("S", "").strip()):
            item[name] = {"S": text}


def _normalise_isrc(item: Item) -> None:
    isrc = normalise(item.get("isrc", {}).get("S", ""))
    if isrc:
        item["isrc"] = {"S": isrc}


def _check_state(item: Item) -> None:
    for name in _WRITTEN_BY_PLAYLOG:
        if name in item:
            raise RowError(f"{name} is {_value(item, name)}: playlog writes it, so leave it out")
    if item.get("processed", {"BOOL": False}) != {"BOOL": False}:
        raise RowError(f"processed is {_value(item, 'processed')}: a match is loaded unprocessed, so leave it out")


def _check_key(item: Item, name: str, most_bytes: int, wanted: str) -> None:
    if name not in item:
        raise RowError(f"{name} is missing: {wanted}")
    if "S" not in item[name]:
        raise RowError(f"{name} is {_value(item, name)}, which is no text: {wanted}")
    text = item[name]["S"]
    if not text.strip():
        raise RowError(f"{name} is {shown(text)}, which is blank: {wanted}")
    if (size := len(text.encode())) > most_bytes:
        raise RowError(f"{name} is {shown(text)} and has {size:,} bytes: it must have at most {most_bytes:,}")


def _check_shard(item: Item, shards: int) -> None:
    if "unprocessed_shard" in item and item["unprocessed_shard"] not in [{"S": str(shard)} for shard in range(shards)]:
        raise RowError(
            f"unprocessed_shard is {_value(item, 'unprocessed_shard')}: "
            f"it must be text from '0' to '{shards - 1}', or be left out"
        )


def _partitioned_by(item: Item) -> str:
    """docs/contract.md, MatchCache: the station, or the match itself where there is no station."""
    station: str = item.get("station_id", {}).get("S", "")
    return station if station.strip() else item["match_id"]["S"]


def _value(item: Item, name: str) -> str:
    """The value as the file writes it: text in quotes, a number bare."""
    ((kind, value),) = item[name].items()
    return value if kind == "N" else shown(value)

"""What Athena bills, and what a statement will scan. Pure.

Source: https://aws.amazon.com/athena/pricing/ ($5 per TB scanned in most regions, 10 MB at least for each statement;
a failed statement is free, a cancelled one is billed for what it has scanned).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from playlog_cli.exporting.engine import literal
from playlog_cli.exporting.manifest import Manifest

# A TB is 10^12 bytes here. Where AWS means 2^40, it bills 9 % less than this says.
DOLLARS_PER_BYTE = Decimal(5) / 10**12
LEAST_BYTES = 10_000_000
_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+(plays|matches|failures)\b")
_MONTHS = re.compile(r"\bmonth IN \(([^)]*)\)")
_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a statement reads of a table.

    Attributes:
        table: its name in the export.
        months: of which alone; None for all, and for a table that is not divided by month.
        times: how often. Athena reads a table again for each place in the statement that names it.
    """

    table: str
    months: frozenset[str] | None
    times: int


def readings_of(statement: str) -> list[Reading]:
    """What one of our statements reads, from its text."""
    named = _TABLE.findall(statement)
    lists = [frozenset(_QUOTED.findall(text)) for text in _MONTHS.findall(statement)]
    months = frozenset[str]().union(*lists) if lists else None
    return [Reading(table, months if table == "plays" else None, named.count(table)) for table in dict.fromkeys(named)]


def expected_bytes(statement: str, manifest: Manifest) -> int:
    """About how much a statement scans: the columns that it names, in the files of the months that it reads."""
    scanned = 0
    words = set(_WORD.findall(statement))
    for each in readings_of(statement):
        files = manifest.files_of(each.table, None if each.months is None else sorted(each.months))
        scanned += each.times * sum(file.size for file in files) * _percent(manifest, each.table, words) // 100
    return max(LEAST_BYTES, scanned)


def _percent(manifest: Manifest, table: str, words: set[str]) -> int:
    """Which part of the files of a table some columns are. All of it if the manifest does not say so."""
    sizes = manifest.column_bytes.get(table, {})
    total = sum(sizes.values())
    return -(-100 * sum(size for name, size in sizes.items() if name in words) // total) if total else 100


def counting_statements(statements: Iterable[str], manifest: Manifest) -> dict[str, int]:
    """Statements that count the rows that others read, with what the manifest says about each.

    A count reads no column, so that Athena bills the least that it bills.
    """
    months: dict[str, frozenset[str] | None] = {}
    for each in (reading for statement in statements for reading in readings_of(statement)):
        known = months.get(each.table, frozenset())
        months[each.table] = None if known is None or each.months is None else known | each.months
    counts = {}
    for table, of_months in months.items():
        listed = None if of_months is None else sorted(of_months)
        rows = sum(file.rows for file in manifest.files_of(table, listed))
        condition = "" if listed is None else f" WHERE month IN ({', '.join(map(literal, listed))})"
        counts[f"SELECT COUNT(*) AS total FROM {table}{condition}"] = rows
    return counts


def dollars(scanned: int) -> Decimal:
    """What Athena bills for bytes scanned, in US dollars."""
    return (DOLLARS_PER_BYTE * scanned).quantize(Decimal("0.0001"), rounding=ROUND_CEILING)

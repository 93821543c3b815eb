"""The manifest of an export: what it holds, as of when, and the hash of each file. It is written last. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from playlog_cli.exporting.columns import SCHEMA_VERSION

NAME = "manifest.json"
_FORMAT = "playlog export"


class ManifestError(Exception):
    """A file is no manifest that this version can read. The text says why."""


class Origin(StrEnum):
    """How the items were read."""

    SCAN = "scan"
    POINT_IN_TIME = "point in time"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A Parquet file of an export.

    Attributes:
        table: which items it holds.
        path: within the export.
        rows: how many items it holds.
        size: in bytes.
        sha256: of its content, in hexadecimal.
        month: of its plays, like ``2026-03``; None for other tables.
    """

    table: str
    path: str
    rows: int
    size: int
    sha256: str
    month: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a whole export holds.

    Attributes:
        stack: the name of the stack.
        region: where it is.
        generation: the folder within the export that holds its files.
        origin: how the items were read.
        began_at: when the export began, in the format of the tables.
        ended_at: when the last item was read.
        instant: the moment that all tables are as of; None for a scan, which is no snapshot.
        unprocessed_shards: the stack's parameter of this name, which an audit needs.
        files: all of them.
        keeps_expired: whether it keeps matches that have expired since the first export, and that DynamoDB deleted.
        column_bytes: by table, how large each column is in all files together. Empty if an earlier playlog exported.
    """

    stack: str
    region: str
    generation: str
    origin: Origin
    began_at: str
    ended_at: str
    instant: str | None
    unprocessed_shards: int
    files: Sequence[ExportFile]
    keeps_expired: bool = False
    column_bytes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def rows(self, table: str) -> int:
        """How many items of a table the export holds."""
        return sum(file.rows for file in self.files if file.table == table)

    def files_of(self, table: str, months: Sequence[str] | None = None) -> Iterator[ExportFile]:
        """The files of a table.

        Args:
            table: its name in the export.
            months: of which alone, of a table that is divided by month; None for all.
        """
        for file in self.files:
            if file.table == table and (months is None or file.month is None or file.month in months):
                yield file

    def to_json(self) -> str:
        """The text of the manifest."""
        about: dict[str, Any] = {"format": _FORMAT, "schema_version": SCHEMA_VERSION}
        counts = {table: self.rows(table) for table in sorted({file.table for file in self.files})}
        return json.dumps({**about, **asdict(self), "counts": counts}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a manifest.

        Raises:
            ManifestError: it is not one, or of a newer version.
        """
        try:
            values = json.loads(text)
            if values["format"] != _FORMAT:
                raise ManifestError("it is not the manifest of an export of playlog")
            if values["schema_version"] != SCHEMA_VERSION:
                raise ManifestError(
                    f"its schema_version is {values['schema_version']!r}, and this playlog reads {SCHEMA_VERSION}: "
                    "use the version of playlog that wrote it, or export again"
                )
            return cls(
                **{name: values[name] for name in _TEXTS},
                origin=Origin(values["origin"]),
                unprocessed_shards=int(values["unprocessed_shards"]),
                keeps_expired=bool(values["keeps_expired"]),
                column_bytes={table: dict(sizes) for table, sizes in values.get("column_bytes", {}).items()},
                files=tuple(ExportFile(**_known(file)) for file in values["files"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ManifestError(f"it cannot be read: {type(error).__name__} {error}") from None


_TEXTS = ("stack", "region", "generation", "began_at", "ended_at", "instant")


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("table", "path", "rows", "size", "sha256", "month")}


def generation_name(began: datetime) -> str:
    """The name of the folder of an export that began at a moment. Later ones sort later."""
    return f"{began:%Y%m%dT%H%M%S.%fZ}"

"""The manifest beside a file of plays: what went in and what came out."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.files import write_whole
from playlog_cli.reporting.listing.sorting import SortedPlays


def write_manifest(
    option: str,
    path: Path,
    plays: SortedPlays,
    period: Period,
    inputs: Mapping[str, Any],
    more: Mapping[str, Any] | None = None,
) -> None:
    """Writes ``FILE.manifest.json`` beside a file.

    It names no time and no machine, so that the same inputs give the same bytes.

    Args:
        option: the option that names the file, for messages.
        path: the file, which is written already.
        plays: what the file has.
        period: of the plays.
        inputs: other inputs. A path stands for a file: the manifest has its name and its SHA-256.
        more: what else to say of the file.

    Raises:
        CommandError: it cannot be written.
    """
    content = {
        "playlog": version("playlog"),
        "period": {"from": str(period.start), "to": str(period.end), "time_zone": period.zone.key},
        "inputs": {
            "plays": {"count": plays.count, "sha256_sum": f"{plays.digest:064x}"},
            **{name: _file(value) if isinstance(value, Path) else value for name, value in inputs.items()},
        },
        "output": {**_file(path), **(more or {})},
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_whole(option, path.with_name(f"{path.name}.manifest.json"), lambda file: file.writelines([text]))


def _file(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {"name": path.name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}

"""The manifest beside a file: what went in and what came out.

It names no time and no machine, so that the same inputs give the same bytes.
"""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from playlog_cli.exporting.places import sha256_of
from playlog_cli.reporting.figures import Period
from playlog_cli.reporting.files.inputs import InputFile


def manifest(period: Period, inputs: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    """The text of a manifest.

    Args:
        period: of the plays.
        inputs: what was read, by what it is.
        output: what was written.
    """
    content = {
        "playlog": version("playlog"),
        "period": period_as_json(period),
        "inputs": {name: value.as_json if isinstance(value, InputFile) else value for name, value in inputs.items()},
        "output": output,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def period_as_json(period: Period) -> dict[str, str]:
    """A period as manifests have it."""
    return {"from": str(period.start), "to": str(period.end), "time_zone": period.zone.key}


def output_as_json(path: Path, name: str) -> dict[str, str]:
    """A file that was written, as its manifest has it.

    Args:
        path: where it is for now.
        name: that it gets.
    """
    return {"name": name, "sha256": sha256_of(path)}


def plays_as_json(count: int, digest: int) -> dict[str, Any]:
    """Plays as manifests have them.

    Args:
        count: how many.
        digest: of all of them (see ``digest_of``).
    """
    return {"count": count, "sha256_sum": f"{digest:064x}"}

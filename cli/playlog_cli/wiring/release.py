"""Names what was built: `make build` writes it into the built template, and each version of a function carries it.

The name changes with the commit and with the built files. A role's fingerprint changes with its permissions.
"""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from playlog_cli.errors import CommandError
from playlog_cli.wiring import built_template

ROLES = {"ConvertMatchesPermissions": "ConvertMatchesRole", "StoreFailuresPermissions": "StoreFailuresRole"}
_LENGTH = 12


def stamp(template_path: Path) -> str:
    """Writes the release's name and the roles' fingerprints into a built template.

    Args:
        template_path: of the template that ``sam build`` wrote.

    Returns:
        The name of the release: the commit, and a fingerprint of the built files.

    Raises:
        CommandError: the template has no place for them.
    """
    template = built_template.load(template_path)
    text = template_path.read_text(encoding="utf-8")
    name = f"{_commit()} {_fingerprint(template_path.parent, text)}"
    values = {"ReleaseName": name, **{key: _permissions(template, role) for key, role in ROLES.items()}}
    for key, value in values.items():
        text, count = re.subn(rf"^(      {key}:) .*$", rf"\1 {json.dumps(value)}", text, flags=re.MULTILINE)
        if count != 1:
            raise CommandError(f"{template_path} must have {key} once under Mappings, Release, Built: it has {count}")
    template_path.write_text(text, encoding="utf-8")
    return name


def _permissions(template: built_template.Template, role: str) -> str:
    properties: Mapping[str, Any] = template.resources[role].properties
    kept = {name: value for name, value in properties.items() if name != "Path"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:_LENGTH]


def _fingerprint(build: Path, template: str) -> str:
    digest = hashlib.sha256(
        re.sub(r"^      (ReleaseName|\w+Permissions): .*$", "", template, flags=re.MULTILINE).encode()
    )
    for path in sorted(_files(build)):
        digest.update(str(path.relative_to(build)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:_LENGTH]


def _files(build: Path) -> Iterator[Path]:
    for path in build.rglob("*.py"):
        if path.is_file():
            yield path


def _commit() -> str:
    """The commit of the checkout, with a mark if files differ from it; ``unknown`` outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=7", "--match", ""]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip() or "unknown"

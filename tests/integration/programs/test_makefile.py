"""The Makefile in a folder whose name has blanks and an apostrophe: each recipe reaches its tool."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.aws import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE)
STUB = """#!/bin/sh
printf 'called in %s with %s\\n' "$PWD" "$*" >> calls.log
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile and an uv that only notes its calls."""
    folder = tmp_path / "play log's `copy` $HOME"
    uv = folder / ".tools/uv/bin/uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(STUB)
    uv.chmod(0o755)
    (folder / "layers/dependencies").mkdir(parents=True)
    (folder / "layers/dependencies/requirements.txt").touch()
    shutil.copy(ROOT / "Makefile", folder)
    version = re.search(r"^UV_VERSION := (\S+)", MAKEFILE, re.MULTILINE)
    assert version
    (folder / f".tools/uv.{version[1]}").touch()
    return folder


def make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = ["make", "--no-print-directory", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("target", [target for target in TARGETS if target not in ("help", "clean")])
def test_each_recipe_runs_in_a_folder_with_blanks_and_an_apostrophe(checkout: Path, target: str) -> None:
    done = make(checkout, target)

    assert done.returncode == 0, done.stderr
    assert f"called in {checkout} with " in (checkout / "calls.log").read_text()


def test_the_first_target_works_with_such_a_python(checkout: Path, tmp_path: Path) -> None:
    python = tmp_path / "py thon's"  # without a dollar, which make itself reads in its arguments
    python.write_text(f'#!/bin/sh\necho "$*" >> calls.log\nexec {sys.executable} -c "raise SystemExit(0)"\n')
    python.chmod(0o755)
    for marker in checkout.glob(".tools/uv.*"):
        marker.unlink()
    done = make(checkout, "help", f"PYTHON={python}")
    assert done.returncode == 0, done.stderr

    done = make(checkout, "unit", f"PYTHON={python}")
    assert "No such file or directory" in done.stderr  # this Python installs no uv
    assert "-m venv .tools/uv" in (checkout / "calls.log").read_text()

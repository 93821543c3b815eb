"""An export that is interrupted is never taken for a whole one: what reads it gets the export before, or a message.

Each export runs in a process of its own, and ends by ``kill -9`` or a disk that is full.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from playlog_cli.commands.audit import audit_command
from playlog_cli.commands.report import report_command
from playlog_cli.errors import CommandError
from playlog_cli.exporting.manifest import Manifest
from typer.testing import CliRunner, Result

from tests.support.aws import ROOT
from tests.support.reporting.killed import PLAYS

NEVER = 10**6
DATES = ["--from", "2026-01-01", "--to", "2027-01-01", "--time-zone", "Europe/Berlin", "--by", "track", "--json"]
KILLED = -9


def export(folder: Path, moment: int = NEVER, *, size: int = 0) -> subprocess.CompletedProcess[str]:
    """Exports to a folder, in a process that is killed at a moment."""
    command = [sys.executable, "-m", "tests.support.reporting.killed", str(folder), str(moment), str(size)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that nothing interrupted, with the moments at which it could have been killed in ``moments.json``."""
    folder = tmp_path_factory.mktemp("undisturbed")
    done = export(folder)
    assert done.returncode == 0, done.stderr
    (folder / "moments.json").write_text(done.stdout.splitlines()[-1])
    return folder


@pytest.fixture
def moments(undisturbed: Path) -> list[str]:
    """All moments at which an export into an empty folder can be killed."""
    found: list[str] = json.loads((undisturbed / "moments.json").read_text())
    return found


@pytest.fixture
def earlier(undisturbed: Path, tmp_path: Path) -> Path:
    """A folder with an export."""
    return shutil.copytree(undisturbed, tmp_path / "earlier")


@pytest.fixture
def read() -> Callable[..., Result]:
    app = typer.Typer()
    app.command("report")(report_command)
    app.command("audit")(audit_command)
    return lambda name, folder: CliRunner().invoke(
        app, [name, "--export", str(folder), *(DATES if name == "report" else ["--json"])]
    )


def hashes(folder: Path) -> list[str]:
    manifest = Manifest.from_json((folder / "manifest.json").read_text())
    return sorted(file.sha256 for file in manifest.files)


def json_of(result: Result) -> Any:
    values = json.loads(result.stdout)
    return {name: value for name, value in values.items() if name not in ("made_at", "notes")}


def test_a_killed_export_is_a_message_and_the_next_one_is_as_if_nothing_had_been(
    tmp_path: Path, undisturbed: Path, moments: list[str], read: Callable[..., Result]
) -> None:
    folder = tmp_path / "killed"
    in_a_file = next(number for number, moment in enumerate(moments) if moment.startswith("os.rename part-"))
    for moment in (in_a_file, moments.index("os.rename manifest.json.part")):
        assert export(folder, moment).returncode == KILLED
        for command in ("report", "audit"):
            result = read(command, folder)
            assert isinstance(result.exception, CommandError)
            assert "was broken off: it has no manifest.json" in str(result.exception)

    assert export(folder).returncode == 0

    assert hashes(folder) == hashes(undisturbed)
    assert json_of(read("report", folder))["total"]["plays"] == PLAYS
    assert [each.name for each in folder.iterdir() if each.is_dir()] == [
        Manifest.from_json((folder / "manifest.json").read_text()).generation
    ]


def test_a_killed_export_leaves_the_one_before_as_it_is(
    earlier: Path, undisturbed: Path, moments: list[str], read: Callable[..., Result]
) -> None:
    manifest = (earlier / "manifest.json").read_text()
    before = json_of(read("report", earlier))

    replaced = moments.index("os.rename manifest.json.part")
    assert export(earlier, replaced).returncode == KILLED
    assert (earlier / "manifest.json").read_text() == manifest
    assert json_of(read("report", earlier)) == before

    # The manifest has changed hands, and the files of the export before are still there.
    assert export(earlier, replaced + 1).returncode == KILLED
    assert (earlier / "manifest.json").read_text() != manifest
    assert json_of(read("report", earlier)) == before
    assert hashes(earlier) == hashes(undisturbed)


def test_a_disk_that_is_full_is_a_message(tmp_path: Path, read: Callable[..., Result]) -> None:
    done = export(tmp_path, size=3_000)

    assert done.returncode == 1
    assert done.stderr.startswith("playlog: ")
    assert "Traceback" not in done.stderr
    assert isinstance(read("report", tmp_path).exception, CommandError)


def test_no_room_for_the_manifest_leaves_the_export_before(earlier: Path, read: Callable[..., Result]) -> None:
    before = json_of(read("report", earlier))
    (earlier / "manifest.json.part").symlink_to("/dev/full")

    done = export(earlier)

    assert done.returncode == 1
    assert "No space left on device. The export is not finished; an earlier one in this folder" in done.stderr
    assert json_of(read("report", earlier)) == before

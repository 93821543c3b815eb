"""Files for accountants are written whole or not at all, and the same inputs give the same bytes. Real processes."""

import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from playlog_cli.commands.export import export_command
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner

from tests.integration.cli.test_report import CARD, DATES, MARCH, fail, play_item, put
from tests.support.aws import Aws

pytest_plugins = ["tests.support.aws_fixture"]

ROOT = Path(__file__).parents[4]
PLAYLOG = Path(sys.executable).parent / "playlog"
MANIFEST = ".manifest.json"
CATALOG = (
    "track_id,title,artist,album,label,isrc,composers,performances,own_recording,shares\n"
    "a,=Snow,Zoé,Winter,Fjord,USAB12345678,A. Ferrant,12,nein,1/3 Anna as artist; 2/3 Ben\n"
    "b,<b>Rain</b>,Ben,Autumn,Fjord,,B,3,nein,100% Cleo\n"
)
LAYOUTS = {
    "soundexchange": ["service=WXYZ", "category=A"],
    "suisa": ["station=Radio X"],
    "npr-ds": [],
    "playlog": [],
}
LISTS = ["--csv", "p.csv", "--jsonl", "p.jsonl", "--xlsx", "p.xlsx", "--parquet", "p.parquet"]
REPORT = ["report", *DATES, "--by", "track", "--catalog", "catalog.csv", "--rate-card", "card.toml"]
STATEMENTS = ["statements", *DATES, "--catalog", "catalog.csv", "--rate-card", "card.toml", "--folder", "out"]
PLAYS = ["plays", *DATES, "--catalog", "catalog.csv"]
COMMANDS = {
    "lists": [*PLAYS, *LISTS],
    "report": [*REPORT, "--csv", "r.csv", "--html", "r.html"],
    "statements": STATEMENTS,
    **{
        name: [*PLAYS, "--station", "s", "--layout", name, *(word for each in given for word in ("--set", each))]
        for name, given in LAYOUTS.items()
    },
}


@pytest.fixture
def export(stack: Stack, aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An export of some plays of March, which a process can read without AWS."""
    put(
        aws,
        play_item("a", MARCH.since, source={"S": "Streaming"}),
        play_item("b", MARCH.since + timedelta(hours=1), source={"S": "Streaming"}, flagged={"BOOL": True}),
        play_item("b", MARCH.since + timedelta(hours=2), "t"),
        play_item("c", MARCH.since + timedelta(days=20)),
        play_item("a", MARCH.until),
    )
    fail(aws, "INVALID_SOURCE", MARCH.since)
    monkeypatch.setattr("playlog_cli.commands.export.find_stack", lambda *_, **__: stack)
    command = typer.Typer()
    command.command()(export_command)
    assert CliRunner().invoke(command, ["--to", str(tmp_path / "export")]).exit_code == 0
    return tmp_path / "export"


def folder_with_inputs(path: Path) -> Path:
    path.mkdir()
    (path / "catalog.csv").write_text(CATALOG)
    (path / "card.toml").write_text(CARD)
    return path


def playlog(
    arguments: list[str], folder: Path, *, before: Callable[[], None] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PLAYLOG, *arguments],
        cwd=folder,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1", **environment},
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("catalog.csv", "card.toml")
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_inputs_give_the_same_bytes(export: Path, tmp_path: Path, name: str) -> None:
    arguments = [*COMMANDS[name], "--export", str(export)]
    one, two = folder_with_inputs(tmp_path / "one"), folder_with_inputs(tmp_path / "other name")
    first = playlog(arguments, one, TZ="Asia/Tokyo", PYTHONHASHSEED="1")
    second = playlog(arguments, two, TZ="America/Lima", PYTHONHASHSEED="2", LC_ALL="C", COLUMNS="40")
    assert first.returncode == second.returncode <= 1, first.stderr
    assert "Traceback" not in first.stderr
    assert files(one) == files(two) != {}
    today = f"{datetime.now(UTC):%Y-%m-%d}".encode()
    export_began = json.loads((export / "manifest.json").read_text())["began_at"].encode()
    for path, content in files(one).items():
        parts = [content.replace(export_began, b"")]
        if path.endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(content)) as book:
                parts = [book.read(each) for each in book.namelist()]
                assert {each.date_time[0] for each in book.infolist()} == {1980}
        assert not any(today in part for part in parts), f"{path} says when it was made"
    if name != "statements":
        results = [path for path in files(one) if not path.endswith(MANIFEST)]
        assert sorted(files(one)) == sorted([*results, *(path + MANIFEST for path in results)])
        for path in results:
            manifest = json.loads(files(one)[path + MANIFEST])
            assert manifest["output"]["name"] == path
            assert manifest["output"]["sha256"] == hashlib.sha256(files(one)[path]).hexdigest()
            assert manifest["inputs"]["catalog"]["sha256"] == hashlib.sha256(CATALOG.encode()).hexdigest()


def test_a_report_and_statements_on_the_same_plays_name_the_same_digest(export: Path, tmp_path: Path) -> None:
    folder = folder_with_inputs(tmp_path / "one")
    for name in ("report", "statements"):
        assert playlog([*COMMANDS[name], "--export", str(export)], folder).returncode == 0
    manifests = [folder / "r.html.manifest.json", *folder.glob("out/*/manifest.json")]
    first, second = (json.loads(path.read_text())["inputs"]["plays"] for path in manifests)
    assert first == second
    assert first["count"] == 4


def killed(arguments: list[str], folder: Path) -> list[dict[str, bytes]]:
    """What is in the folder after each moment at which a command was killed, and last after one that was not."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.reporting.killing", str(folder / "out"), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = [{name: bytes.fromhex(content) for name, content in each.items()} for each in json.loads(ended.stdout)]
    assert len(found) > 5, "it was not killed between its changes"
    return found


def seen(found: dict[str, bytes]) -> dict[str, bytes]:
    """The files that a person sees: those in folders that are not hidden, and are not hidden themselves."""
    return {name: content for name, content in found.items() if not any(part[0] == "." for part in Path(name).parts)}


@pytest.mark.parametrize(
    ("arguments", "old"),
    [
        ([*PLAYS, "--csv", "out/p.csv", "--jsonl", "out/p.jsonl"], ["p.csv", "p.jsonl"]),
        ([*REPORT, "--csv", "out/r.csv", "--html", "out/r.html"], ["r.csv"]),
        ([*PLAYS, "--layout", "playlog", "--folder", "out"], []),
    ],
    ids=["lists over old ones", "a report over an old one", "a layout"],
)
def test_a_file_with_a_manifest_is_whole_whenever_the_command_is_killed(
    export: Path, tmp_path: Path, arguments: list[str], old: list[str]
) -> None:
    folder = folder_with_inputs(tmp_path / "one")
    (folder / "out").mkdir()
    for name in old:
        (folder / "out" / name).write_text("of last month")
        (folder / "out" / (name + MANIFEST)).write_text(
            json.dumps({"output": {"sha256": hashlib.sha256(b"of last month").hexdigest()}})
        )
    *broken_off, whole = (seen(each) for each in killed([*arguments, "--export", str(export)], folder))
    for found in broken_off:
        for name, content in found.items():
            if name.endswith(MANIFEST):
                told = json.loads(content)["output"]["sha256"]
                assert told == hashlib.sha256(found[name.removesuffix(MANIFEST)]).hexdigest()
            else:
                assert content in (b"of last month", whole[name]), f"{name} is broken"
    assert not any(name.startswith(".") for name in os.listdir(folder / "out"))


def test_statements_are_there_whole_or_not_at_all_whenever_the_command_is_killed(export: Path, tmp_path: Path) -> None:
    folder = folder_with_inputs(tmp_path / "one")
    (folder / "out").mkdir()
    *broken_off, whole = (seen(each) for each in killed([*STATEMENTS, "--export", str(export)], folder))
    assert all(found in ({}, whole) for found in broken_off)
    assert len(whole) == 3 * 2 + 5


def test_a_run_after_a_killed_one_works(export: Path, tmp_path: Path) -> None:
    folder = folder_with_inputs(tmp_path / "one")
    left = folder / "out/.2026-03-01_2026-04-01.1.part"
    (left / "payees").mkdir(parents=True)
    (left / "manifest.json").write_text("{}")
    ended = playlog([*STATEMENTS, "--export", str(export)], folder)
    assert ended.returncode == 0, ended.stderr
    assert [path.name for path in (folder / "out").glob("[!.]*")] == ["2026-03-01_2026-04-01"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk on which little is free."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("name", ["lists", "report", "statements", "suisa"])
def test_a_full_disk_is_one_message_and_leaves_what_was_there(
    export: Path, tmp_path: Path, small_disk: Path, name: str
) -> None:
    folder = folder_with_inputs(tmp_path / "one")
    (small_disk / "r.html").write_text("of last month")
    (small_disk / "filler").write_bytes(b"x" * 8_000)
    arguments = [str(small_disk / word) if word.startswith(("p.", "r.", "out")) else word for word in COMMANDS[name]]
    if name == "suisa":
        (small_disk / "more").write_bytes(b"x" * 4_000)
        arguments += ["--folder", str(small_disk)]
    before = files(small_disk)
    ended = playlog([*arguments, "--export", str(export)], folder)
    assert ended.returncode == 1
    assert "cannot be written: No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert files(small_disk) == before


@pytest.mark.parametrize("name", ["lists", "report", "statements", "suisa"])
def test_a_folder_that_nobody_may_write_to_is_one_message(export: Path, tmp_path: Path, name: str) -> None:
    folder = folder_with_inputs(tmp_path / "one")
    locked = folder / "locked"
    locked.mkdir(mode=0o555)
    if os.access(locked, os.W_OK):  # of root
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", locked], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("root may write to every folder here")
    try:
        arguments = [f"locked/{word}" if word.startswith(("p.", "r.", "out")) else word for word in COMMANDS[name]]
        arguments += ["--folder", "locked"] * (name == "suisa")
        ended = playlog([*arguments, "--export", str(export)], folder)
    finally:
        subprocess.run(["umount", locked], capture_output=True, check=False)
    assert ended.returncode == 1
    assert "cannot be written" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(locked.iterdir()) == []


def test_no_room_for_temporary_files_is_one_message(export: Path, tmp_path: Path) -> None:
    folder = folder_with_inputs(tmp_path / "one")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))

    ended = playlog([*PLAYS, "--csv", "p.csv", "--export", str(export)], folder, before=limit)
    assert ended.returncode == 1
    assert "temporary files in" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert files(folder) == {}


def test_an_input_that_was_changed_meanwhile_gives_no_file(export: Path, tmp_path: Path) -> None:
    folder = folder_with_inputs(tmp_path / "one")
    code = """
import sys
from pathlib import Path
from playlog_cli import app
from playlog_cli.reporting.sources.export import Export
pages = Export.pages
def changed(*arguments):
    Path("card.toml").write_text("changed")
    yield from pages(*arguments)
Export.pages = changed
sys.argv = ["playlog", *sys.argv[1:]]
app.main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", code, *STATEMENTS, "--export", str(export)],
        cwd=folder,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert "card.toml was changed while this command was at work: run the command again" in ended.stderr
    assert files(folder) == {}


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (REPORT, ["--csv", "r", "--html", "r"]),
        (REPORT, ["--csv", "catalog.csv"]),
        (REPORT, ["--html", "link.csv"]),
        (PLAYS, ["--jsonl", "card.toml", "--csv", "./card.toml"]),
        (PLAYS, ["--xlsx", "catalog.csv"]),
    ],
)
def test_no_file_takes_the_place_of_another_of_the_command(
    export: Path, tmp_path: Path, command: list[str], options: list[str]
) -> None:
    folder = folder_with_inputs(tmp_path / "one")
    (folder / "link.csv").symlink_to("card.toml")

    refused = playlog([*command, *options, "--export", str(export)], folder)

    assert refused.returncode == 1
    assert refused.stderr.endswith(f"both name {options[-1].removeprefix('./')}: give each a file of its own\n")
    assert (folder / "catalog.csv").read_text() == CATALOG
    assert (folder / "card.toml").read_text() == CARD
    assert set(files(folder)) == {"link.csv"}

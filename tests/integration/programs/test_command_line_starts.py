"""`playlog --help` is quick and true: it lists each command with its own summary, and loads none of them."""

import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest
import typer
from playlog_cli.app import COMMANDS, app


def playlog(*arguments: str) -> str:
    script = "import sys; from playlog_cli.app import main; sys.argv[0] = 'playlog'; main()"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_each_summary_is_the_first_sentence_of_the_commands_help(name: str) -> None:
    group: Any = typer.main.get_command(app)
    first_paragraph = " ".join(group.commands[name].help.split("\n\n")[0].split())

    assert first_paragraph.startswith(COMMANDS[name].summary)


def test_help_lists_the_commands_in_the_order_of_use_and_imports_none() -> None:
    script = """
import sys
from playlog_cli.app import main
sys.argv = ["playlog", "--help"]
try:
    main()
except SystemExit:
    print(sorted(name for name in sys.modules if name.partition(".")[0] in ("boto3", "botocore", "rich")))
    print(sorted(name for name in sys.modules if name.startswith("playlog_cli.")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *help_lines, libraries, modules = done.stdout.splitlines()
    listed = [line.split()[0] for line in help_lines if line.startswith("  ") and line.split()[0] in COMMANDS]

    assert listed == list(COMMANDS)
    assert libraries == "[]"
    assert modules == "['playlog_cli.app']"


def test_the_version_is_that_of_the_package() -> None:
    assert playlog("--version") == f"playlog {version('playlog')}\n"


def test_a_shell_completes_commands_and_their_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PLAYLOG_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "playlog f")
    assert '"failures":"List, show, correct and retry' in playlog()
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "playlog status --")
    assert "--json" in playlog()

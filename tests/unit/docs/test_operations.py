"""docs/operations.md: the commands that an operator pastes at night are there, and the sections that alarms name."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from playlog_cli.app import app

from tests.support import aws_cli
from tests.support.aws import ROOT, TEMPLATE

RUNBOOK = (ROOT / "docs/operations.md").read_text()
LINES = [line for block in re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL) for line in block.splitlines()]
INLINE = [each for each in re.findall(r"`([^`\n]+)`", RUNBOOK) if each.startswith(("playlog ", "make "))]


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(program: str) -> list[str]:
    """The commands of a program, wherever in a line they stand, without the shell around them."""
    found = []
    for line in [*LINES, *INLINE]:
        left = re.sub(r"\s+# .*|>\S+", "", line)
        parts = []
        while inner := re.search(r"\$\(([^()]*)\)", left):  # from the inside out
            parts.append(inner[1])
            left = left.replace(inner[0], "substituted")
        parts += re.split(r"; |\{ ", left)
        found += [part.strip().removesuffix(";") for part in parts if part.strip().startswith(f"{program} ")]
    return found


ALARMS = {alarm.logical_id: TEMPLATE.value(alarm.properties) for alarm in TEMPLATE.of_type("AWS::CloudWatch::Alarm")}


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_names_its_section_and_says_what_it_means(name: str) -> None:
    meaning, told, where = ALARMS[name]["AlarmDescription"].partition("What to do: ")

    assert told
    assert len(meaning) > 60
    path, _, anchor = where.partition("#")
    assert anchor in anchors((ROOT / path).read_text())
    assert ALARMS[name]["AlarmName"] == f"playlog-{anchor}"
    assert f"| [{anchor}](#{anchor}) |" in RUNBOOK


def test_each_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", RUNBOOK):
        path, _, anchor = target.partition("#")
        if path.startswith("https://"):
            continue
        file = ROOT / "docs" / path if path else ROOT / "docs/operations.md"
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), target


def test_each_section_that_inspect_names_is_there() -> None:
    named = re.findall(r"\{RUNBOOK\}#([\w-]+)", Path(ROOT / "cli/playlog_cli/inspecting/problems.py").read_text())

    assert named
    assert set(named) <= anchors(RUNBOOK)


@pytest.mark.parametrize("line", sorted(set(commands("playlog"))))
def test_each_command_of_playlog_is_one_that_it_takes(line: str) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]

    command.make_context("playlog", words)


@pytest.mark.parametrize("line", sorted(set(commands("make"))))
def test_each_target_of_make_is_there(line: str) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert re.sub(r"make (-C \S+ )?", "", line).split()[0] in targets


@pytest.mark.parametrize("line", sorted(set(commands("aws"))))
def test_each_command_of_the_aws_cli_is_one_that_it_takes(line: str) -> None:
    aws_cli.parse(line)

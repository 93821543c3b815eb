"""What a page names in code font exists: files, rooms, attributes, codes, parameters, commands and targets."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from playlog.schema import MATCH_CACHE, Owner, ReasonCode
from playlog_cli.app import app

from tests.support.aws import TEMPLATE
from tests.unit.docs.markdown import PAGES, ROOT, name_of

FOLDERS = ("layers/", "cli/", "functions/", "tests/", "docs/", "samples/", "events/", "tools/", "bench/")
# A changelog tells of the past, a decision of the time when it was made.
PRESENT = [page for page in PAGES if page.name != "CHANGELOG.md"]


def codes(page: Path) -> list[str]:
    """What a page has in code font within a line."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PRESENT, ids=name_of)
def test_each_file_that_a_page_names_exists(page: Path) -> None:
    named = [code for code in codes(page) if code.startswith(FOLDERS) and re.fullmatch(r"[\w./-]+", code)]

    assert [code for code in named if not (ROOT / code).exists()] == []


@pytest.mark.parametrize("page", PRESENT, ids=name_of)
def test_each_target_of_make_that_a_page_names_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?:^ *|`)make ([a-z][a-z0-9-]*)", text, re.MULTILINE)

    assert set(named) <= set(targets)


@pytest.mark.parametrize("page", PRESENT, ids=name_of)
def test_each_command_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for words in re.findall(r"(?:^    |^\$ |`)playlog ((?:[a-z][a-z-]*(?: |(?=`|\n)))+)", text, re.MULTILINE):
        command: Any = typer.main.get_command(app)
        for word in words.split():
            if not hasattr(command, "commands"):
                break
            found = command.get_command(None, word)
            assert found, f"{name_of(page)}: playlog {words}"
            command = found


def test_the_picture_of_the_rooms_has_every_room() -> None:
    picture = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    folders = [*(ROOT / "layers/playlog/python/playlog").iterdir(), *(ROOT / "cli/playlog_cli").iterdir()]
    rooms = [folder.name for folder in folders if (folder / "__init__.py").exists()]

    assert [name for name in rooms if not re.search(rf"\b{name}\b", picture)] == []


def test_writers_find_each_attribute_and_each_code() -> None:
    page = (ROOT / "docs/writing-matches.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (?:S|N|BOOL) \|", page, re.MULTILINE)
    attributes = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert attributes == {each.name for each in MATCH_CACHE if each.owner is Owner.WRITER}
    assert re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE) == [code.value for code in ReasonCode]


def test_the_contract_has_each_parameter_of_the_template() -> None:
    page = (ROOT / "docs/contract.md").read_text(encoding="utf-8")
    internal = {"AwsEndpointUrl"}  # for `sam local invoke` alone

    assert {name for name in TEMPLATE.parameters if f"`{name}`" not in page} == internal

"""The README and docs/ show what the commands print. `make docs` repairs a page that does not."""

from pathlib import Path

import pytest

from tests.docs.blocks import blocks, masked
from tests.docs.made import PAGES, Made, make
from tests.docs.pictures import PICTURES, words
from tests.docs.stages import ROOT

SHOWING = [page for page in PAGES if blocks(page)]


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


@pytest.mark.parametrize("page", SHOWING, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_what_its_commands_print(page: Path, made: Made) -> None:
    assert masked(page.read_text(encoding="utf-8")) == masked(made.pages[page]), "run `make docs`"


@pytest.mark.parametrize("path", [picture.path for picture in PICTURES], ids=lambda path: path.name)
def test_a_picture_shows_what_its_commands_print(path: Path, made: Made) -> None:
    assert words(path.read_text(encoding="utf-8")) == words(made.pictures[path]), "run `make docs`"


@pytest.mark.parametrize("path", [picture.path for picture in PICTURES], ids=lambda path: path.name)
def test_a_picture_names_no_path_of_the_machine_that_made_it(path: Path) -> None:
    assert str(ROOT) not in path.read_text(encoding="utf-8")
    assert "directory" not in " ".join(words(path.read_text(encoding="utf-8")))


def test_several_pages_show_outputs() -> None:
    assert len(SHOWING) >= 2

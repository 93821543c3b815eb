"""A reader can follow every link: its file and its heading exist. Each page can be reached from the README."""

from pathlib import Path

import pytest

from tests.unit.docs.markdown import PAGES, ROOT, anchors, links, name_of, prose


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for link in links(page):
        assert link.path.exists(), f"{name_of(page)} links to {link.path}, which does not exist"
        assert link.path.is_relative_to(ROOT), f"{name_of(page)} links out of the repository: {link.path}"
        if link.anchor and link.path.suffix == ".md":
            assert link.anchor in anchors(link.path), f"{name_of(page)}: no heading #{link.anchor} in {link.path.name}"


def test_each_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = {link.path / "README.md" if link.path.is_dir() else link.path for link in links(page)}
        waiting += [path for path in targets if path.suffix == ".md" and path.exists()]

    assert [name_of(page) for page in PAGES if page not in reached] == []


def test_links_are_found_in_the_pages() -> None:
    assert sum(len(links(page)) for page in PAGES) > 50


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_page_begins_with_its_title(page: Path) -> None:
    assert prose(page).startswith("# ")

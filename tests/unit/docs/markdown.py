"""Reads the Markdown pages of the repository: headings, anchors and links, as GitHub makes them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2 *$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^()\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_REFERENCE = re.compile(r"^\[[^\]]+\]: (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Link:
    """A link to something in the repository.

    Attributes:
        page: the page that holds the link.
        path: the file or folder that the link names, resolved; the page itself for a bare anchor.
        anchor: what follows ``#``; empty where there is none.
    """

    page: Path
    path: Path
    anchor: str


def name_of(page: Path) -> str:
    """The path of a page within the repository."""
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The text of a page without fenced code, where ``#`` and ``](`` mean something else."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page; a repeated heading gets a number."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+?) *$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading)
        base = anchor = re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")
        number = 0
        while anchor in found:
            number += 1
            anchor = f"{base}-{number}"
        found.add(anchor)
    return found


def links(page: Path) -> list[Link]:
    """The links of a page that lead into the repository. Links to the web are not checked: tests work offline."""
    text = prose(page)
    targets = ["".join(groups) for groups in _LINK.findall(text)] + _REFERENCE.findall(text)
    found = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found.append(Link(page, (page.parent / path).resolve() if path else page, anchor))
    return found

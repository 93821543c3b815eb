"""The pages and pictures as the commands make them now."""

from dataclasses import dataclass
from pathlib import Path

from tests.docs import pictures
from tests.docs.blocks import blocks, rewritten
from tests.docs.stages import ROOT, outputs

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@dataclass(frozen=True)
class Made:
    """What the files should hold.

    Attributes:
        pages: text by page.
        pictures: SVG by file.
    """

    pages: dict[Path, str]
    pictures: dict[Path, str]


def make() -> Made:
    """Executes every command that the pages and pictures show, in an embedded AWS."""
    in_pages = [(block.stage, block.command) for page in PAGES for block in blocks(page)]
    in_pictures = [each for picture in pictures.PICTURES for each in picture.shown]
    plain, coloured = outputs(in_pages, in_pictures)
    return Made(
        {page: rewritten(page, plain) for page in PAGES if blocks(page)},
        {picture.path: pictures.drawn(picture, coloured) for picture in pictures.PICTURES},
    )

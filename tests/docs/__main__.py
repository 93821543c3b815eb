"""``make docs``: writes what the commands print into the pages, and draws the screenshots."""

import sys

from tests.docs.made import make
from tests.docs.pictures import words
from tests.docs.screens import SCREENS, redraw
from tests.docs.stages import ROOT


def main() -> None:
    """Rewrites the files in which more than times and ids differ."""
    _write_outputs()
    _draw_screens()


def _write_outputs() -> None:
    made = make()
    changed = [path for path, text in made.pages.items() if path.read_text(encoding="utf-8") != text]
    changed += [
        path
        for path, svg in made.pictures.items()
        if not path.exists() or words(path.read_text(encoding="utf-8")) != words(svg)
    ]
    for path in changed:
        path.write_text((made.pages | made.pictures)[path], encoding="utf-8")
        sys.stdout.write(f"rewritten: {path.relative_to(ROOT)}\n")
    sys.stdout.write(f"{len(made.pages)} pages and {len(made.pictures)} pictures, {len(changed)} rewritten\n")


def _draw_screens() -> None:
    drawn = redraw()
    if drawn is None:
        sys.stdout.write(
            f"{len(SCREENS)} screenshots of the operators' page were not checked: this machine has no Chromium\n"
        )
        return
    for path in drawn:
        sys.stdout.write(f"drawn: {path.relative_to(ROOT)}\n")
    sys.stdout.write(f"{len(SCREENS)} screenshots of the operators' page, {len(drawn)} drawn\n")


if __name__ == "__main__":
    main()
